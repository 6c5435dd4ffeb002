#include "testing.h"

#include <string>

#include "exercise/static_map.h"
#include "thimble/static_map.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(static_map)

std::uint64_t ValueOf(std::uint64_t key, unsigned bits) { return Hash64(key, 77) & LowBits(bits); }

StaticMap MapOf(std::uint64_t n, unsigned bits, unsigned threads = 1) {
  StaticMap::Builder builder({.value_bits = bits, .threads = threads});
  for (std::uint64_t key = 0; key < n; ++key) builder.Add(key, ValueOf(key, bits));
  absl::StatusOr<StaticMap> map = std::move(builder).Finish();
  REQUIRE_OK(map);
  return *std::move(map);
}

BOOST_AUTO_TEST_CASE(FindsEveryValueAtEverySizeAndWidth) {
  for (const unsigned bits : {1u, 3u, 8u, 13u, 16u, 31u, 33u, 64u}) {
    for (const std::uint64_t n : {0, 1, 2, 50, 64, 130, 1000, 30'000}) {
      const StaticMap map = MapOf(n, bits);
      REQUIRE_OK(map.Verify());
      BOOST_TEST(map.size() == n);
      BOOST_TEST(map.value_bits() == bits);
      for (std::uint64_t key = 0; key < n; ++key) BOOST_REQUIRE_EQUAL(map.Find(key), ValueOf(key, bits));
      BOOST_TEST((map.Find(n + 1) & ~LowBits(bits)) == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(BatchesAnswerAsSingleCalls) {
  const StaticMap map = MapOf(2000, 5);
  std::vector<std::uint64_t> keys(3000), values(3000);
  for (std::uint64_t i = 0; i < keys.size(); ++i) keys[i] = i;
  map.FindMany(keys, values);
  for (std::uint64_t i = 0; i < keys.size(); ++i) BOOST_TEST(values[i] == map.Find(keys[i]));
}

BOOST_AUTO_TEST_CASE(SpaceIsWhatThePromiseSays) {
  BOOST_TEST(MapOf(600'000, 8, 2).bits_per_key() <= 8 * 1.006);
  BOOST_TEST(MapOf(600'000, 1).bits_per_key() <= 1.03);
}

BOOST_AUTO_TEST_CASE(ContradictionsAreRefusedAndRepetitionsAreNot) {
  StaticMap::Builder same({.value_bits = 4});
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t key = 0; key < 500; ++key) same.Add(key, key % 16);
  }
  const absl::StatusOr<StaticMap> map = std::move(same).Finish();
  REQUIRE_OK(map);
  BOOST_TEST(map->size() == 500u);
  StaticMap::Builder two({.value_bits = 4});
  two.Add("key", 1);
  two.Add("key", 2);
  CHECK_CODE(std::move(two).Finish(), absl::StatusCode::kInvalidArgument);
  StaticMap::Builder wide({.value_bits = 4});
  wide.Add("key", 16);
  CHECK_CODE(std::move(wide).Finish(), absl::StatusCode::kInvalidArgument);
  for (const unsigned bits : {0u, 65u, 1u << 31}) {
    CHECK_CODE(StaticMap::Builder({.value_bits = bits}).Finish(), absl::StatusCode::kInvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  const StaticMap map = MapOf(100, 6);
  testing::CheckGolden("static_map", map.image());
  const absl::StatusOr<StaticMap> again = StaticMap::Open(Buffer::Copy(map.image()));
  REQUIRE_OK(again);
  for (std::uint64_t key = 0; key < 100; ++key) BOOST_TEST(again->Find(key) == ValueOf(key, 6));
  CHECK_CODE(StaticMapView::Open({}), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  for (const unsigned bits : {3u, 12u}) testing::ExerciseMutations<StaticMapView>(MapOf(400, bits).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
