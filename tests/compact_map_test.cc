#include "testing.h"

#include <unordered_map>

#include "thimble/compact_map.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(compact_map)

template <class Key, class MakeKey>
void CompareWithModel(int steps, MakeKey make_key) {
  CompactMap<Key, std::uint64_t> map({.seed = 3});
  std::unordered_map<Key, std::uint64_t> model;
  std::mt19937_64 random(7);
  const auto check = [&] {
    REQUIRE_OK(map.Verify());
    BOOST_REQUIRE_EQUAL(map.size(), model.size());
    std::size_t n = 0;
    for (auto [key, value] : map) {
      ++n;
      const auto found = model.find(key);
      BOOST_REQUIRE(found != model.end());
      BOOST_REQUIRE_EQUAL(value, found->second);
    }
    BOOST_REQUIRE_EQUAL(n, model.size());
  };
  for (int step = 0; step < steps; ++step) {
    // Waves: mostly insertions, then mostly erasures.
    const bool growing = step / (steps / 4) % 2 == 0;
    const Key key = make_key(random() % static_cast<std::uint64_t>(steps / 4));
    const std::uint64_t value = random();
    const std::uint64_t what = random() % 4;
    if (what == 1) {
      const auto found = model.find(key);
      const std::optional<std::uint64_t> got = map.Find(key);
      BOOST_REQUIRE_EQUAL(got.has_value(), found != model.end());
      if (got) BOOST_REQUIRE_EQUAL(*got, found->second);
    } else if (what == 0 || !growing) {
      BOOST_REQUIRE_EQUAL(map.erase(key), model.erase(key) == 1);
    } else {
      REQUIRE_OK(map.Set(key, value));
      model[key] = value;
    }
    if (step % (steps / 8) == 0) check();
  }
  check();
}

BOOST_AUTO_TEST_CASE(AgreesWithAModel) {
  CompareWithModel<std::uint64_t>(testing::Steps(300000), [](std::uint64_t i) { return i * 0x9E3779B97F4A7C15u; });
  CompareWithModel<std::int32_t>(50000, [](std::uint64_t i) { return static_cast<std::int32_t>(i) - 1000; });
  CompareWithModel<std::uint8_t>(4000, [](std::uint64_t i) { return static_cast<std::uint8_t>(i); });
}

BOOST_AUTO_TEST_CASE(SetsAndPlaces) {
  CompactSet<std::uint32_t> set;
  for (std::uint32_t key : {5u, 3u, 9u, 3u, 0u}) REQUIRE_OK(set.Add(key));
  BOOST_TEST(set.size() == 4u);
  BOOST_TEST(set.erase(9));
  BOOST_TEST(!set.contains(9));
  std::vector<std::uint32_t> keys(set.begin(), set.end());
  std::sort(keys.begin(), keys.end());
  BOOST_TEST((keys == std::vector<std::uint32_t>{0, 3, 5}));

  CompactMap<std::uint64_t, double> map;
  REQUIRE_OK(map.try_emplace(1, 0.5));
  const auto place = map.try_emplace(1, 0.75);
  REQUIRE_OK(place);
  BOOST_TEST(!place->inserted());
  BOOST_TEST(place->value() == 0.5);
  place->Set(2);
  BOOST_TEST(map.Find(1).value() == 2.0);
  CHECK_CODE((CompactMapView<std::uint64_t, float>::Open(map.image())), absl::StatusCode::kFailedPrecondition);
  map.Clear();
  BOOST_TEST(map.empty());
}

BOOST_AUTO_TEST_CASE(BatchesAnswerAsSingleLookups) {
  CompactMap<std::uint64_t, std::uint16_t> map;
  for (std::uint64_t i = 0; i < 5000; ++i) REQUIRE_OK(map.Set(i * 3, static_cast<std::uint16_t>(i)));
  std::vector<std::uint64_t> keys(15001);
  for (std::uint64_t i = 0; i < keys.size(); ++i) keys[i] = i;
  map.view().FindMany(keys, [&](std::size_t i, std::optional<std::uint16_t> value) {
    BOOST_REQUIRE_EQUAL(value.has_value(), i % 3 == 0 && i < 15000);
    if (value) BOOST_REQUIRE_EQUAL(*value, i / 3);
  });
}

// The promised bytes: at 10 M entries the remainder is 47 bits, at 300,000 it is 52 bits, which is 0.63 bytes more.
BOOST_AUTO_TEST_CASE(BytesPerEntryStayBelowTheBound) {
  CompactMap<std::uint64_t, std::uint64_t> map;
  const std::uint64_t n = testing::Steps(300000);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> keys(n);
  double worst = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    keys[i] = random();
    REQUIRE_OK(map.Set(keys[i], i));
    if (i > n / 2) worst = std::max(worst, static_cast<double>(map.image().size()) / static_cast<double>(i + 1));
  }
#if !THIMBLE_SANITIZED  // too few of them
  BOOST_TEST(worst < 15.8 + 0.75);
  BOOST_TEST(static_cast<double>(map.stats().peak_bytes) < 1.05 * static_cast<double>(map.image().size()));
#endif
  for (std::uint64_t i = 0; i < n; ++i) BOOST_REQUIRE_EQUAL(map.Find(keys[i]).value(), i);
  REQUIRE_OK(map.Verify());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
