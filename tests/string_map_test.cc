#include "testing.h"

#include <limits>
#include <map>
#include <tuple>

#include "exercise/string_map.h"
#include "thimble/packed_records.h"
#include "thimble/string_map.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(string_map)

struct Point {
  float x, y, z;
  bool operator==(const Point&) const = default;
};

std::string Key(int i) {
  std::string key = "key";
  return key += std::to_string(i);
}

template <class T>
StringMap<T> MapOf(const std::map<std::string, T>& entries) {
  typename StringMap<T>::Builder builder;
  for (const auto& [key, value] : entries) REQUIRE_OK(builder.Add(key, value));
  absl::StatusOr<StringMap<T>> map = std::move(builder).Finish();
  REQUIRE_OK(map);
  return *std::move(map);
}

template <class T>
void CheckEqual(const StringMapView<T>& map, const std::map<std::string, T>& entries) {
  REQUIRE_OK(map.Verify());
  BOOST_REQUIRE_EQUAL(map.size(), entries.size());
  std::uint64_t id = 0;
  for (const auto& [key, value] : entries) {
    BOOST_REQUIRE((map.Find(key) == value));
    BOOST_REQUIRE((map.Value(id++) == value));
    BOOST_REQUIRE(!map.Contains(key + "\n"));
  }
}

template <class T>
std::map<std::string, T> Numbered(int n, T first, T step) {
  std::map<std::string, T> entries;
  T value = first;
  for (int i = 0; i < n; ++i, value = static_cast<T>(value + step)) entries[Key(i)] = value;
  return entries;
}

BOOST_AUTO_TEST_CASE(IntegersOfEveryKind) {
  const auto check = [](const auto& entries) { CheckEqual(MapOf(entries).view(), entries); };
  check(Numbered<std::uint8_t>(600, 0, 3));
  check(Numbered<std::int32_t>(600, -1'000'000, 77));
  check(std::map<std::string, std::int64_t>{{"a", std::numeric_limits<std::int64_t>::min()}, {"b", std::numeric_limits<std::int64_t>::max()}});
  check(std::map<std::string, std::uint64_t>{{"", 42}});
  check(std::map<std::string, bool>{{"no", false}, {"yes", true}});
  check(std::map<std::string, int>{});
}

BOOST_AUTO_TEST_CASE(EqualValuesCostNothing) {
  const StringMap<std::uint64_t> map = MapOf(Numbered<std::uint64_t>(1000, 7, 0));
  BOOST_TEST(map.image().size() < map.keys().image().size() + 256);
}

BOOST_AUTO_TEST_CASE(AnyBytes) {
  std::map<std::string, Point> entries;
  for (int i = 0; i < 300; ++i) entries[Key(i)] = {static_cast<float>(i), 1, -1};
  const StringMap<Point> map = MapOf(entries);
  CheckEqual(map.view(), entries);
  const absl::StatusOr<StringMap<Point>> copy = StringMap<Point>::Open(Buffer::Copy(map.image()));
  REQUIRE_OK(copy);
  CheckEqual(copy->view(), entries);
  CHECK_CODE(StringMapView<double>::Open(map.image()), absl::StatusCode::kFailedPrecondition);
}

// A record for each key: the id of a key is the number of its record.
BOOST_AUTO_TEST_CASE(RecordsByKey) {
  using Airport = Record<Field<"runways", 4>, SignedField<"elevation", 14>, TextField<"country", 8>>;
  static_assert(!internal::MapValue<Airport>);
  constexpr int kAirports = 400;
  const std::map<std::string, int> airports = Numbered<int>(kAirports, 0, 1);
  StringDictionary::Builder key_builder;
  PackedRecords<Airport>::Builder record_builder(kAirports);
  for (const auto& [key, i] : airports) {
    REQUIRE_OK(key_builder.Add(key));
    record_builder.Add(static_cast<std::uint64_t>(i % 9), i * 20 - 400, i % 3 == 0 ? "IS" : "NP");
  }
  const StringDictionary keys = std::move(key_builder).Finish().value();
  const PackedRecords<Airport> records = std::move(record_builder).Finish().value();
  for (const auto& [key, i] : airports) {
    const std::optional<std::uint64_t> id = keys.Find(key);
    BOOST_REQUIRE(id.has_value());
    BOOST_REQUIRE_EQUAL(records.Get<"runways">(*id), static_cast<std::uint64_t>(i % 9));
    BOOST_REQUIRE_EQUAL(records.Get<"elevation">(*id), i * 20 - 400);
    BOOST_REQUIRE_EQUAL(records.Get<"country">(*id), i % 3 == 0 ? "IS" : "NP");
  }
}

BOOST_AUTO_TEST_CASE(KeysOfAMapOfAnyType) {
  const StringMap<std::uint32_t> packed = MapOf(Numbered<std::uint32_t>(100, 5, 9));
  const StringMap<Point> points = MapOf(std::map<std::string, Point>{{"a", {1, 2, 3}}});
  for (const auto& [image, size, width] : {std::tuple(packed.image(), 100u, 10u), std::tuple(points.image(), 1u, 96u)}) {
    const absl::StatusOr<RawStringMapView> raw = RawStringMapView::Open(image);
    REQUIRE_OK(raw);
    REQUIRE_OK(raw->Verify());
    BOOST_TEST(raw->size() == size);
    BOOST_TEST(raw->keys().size() == size);
    BOOST_TEST(raw->width() == width);
  }
}

BOOST_AUTO_TEST_CASE(KeysComeOnceAndInOrder) {
  StringMap<int>::Builder builder;
  REQUIRE_OK(builder.Add("b", 1));
  CHECK_CODE(builder.Add("b", 2), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(builder.Add("a", 2), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(ImageIsGolden) { testing::CheckGolden("string_map", MapOf(Numbered<std::uint32_t>(40, 5, 9)).image()); }

BOOST_AUTO_TEST_CASE(Mutations) {
  std::map<std::string, float> floats;
  for (int i = 0; i < 50; ++i) floats[Key(i)] = static_cast<float>(i);
  const StringMap<float> plain = MapOf(floats);
  testing::ExerciseMutations<StringMapView<std::uint32_t>>(MapOf(Numbered<std::uint32_t>(100, 5, 9)).image());
  testing::ExerciseMutations<RawStringMapView>(plain.image());
  testing::ExerciseMutations<StringMapView<float>>(plain.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
