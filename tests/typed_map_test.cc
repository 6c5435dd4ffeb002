#include "testing.h"

#include <cstdint>
#include <string>
#include <utility>

#include "thimble/compact_dict.h"
#include "thimble/compact_map.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(typed_map)

using Dict = CompactDict<std::string, std::int32_t>;
using Map = CompactMap<std::int8_t, float>;

static_assert(ImageView<CompactDictView<std::string, std::int32_t>>);
static_assert(ImageView<CompactMapView<std::int8_t, float>>);
static_assert(std::is_same_v<decltype(*std::declval<Dict&>().begin()), std::pair<std::string_view, std::int32_t>>);
static_assert(std::is_same_v<decltype(*std::declval<CompactSet<char>&>().begin()), char>);
static_assert(std::is_same_v<decltype(*std::declval<CompactDictSet<std::string>&>().begin()), std::string_view>);
static_assert(!MapKey<double>);
static_assert(!MapValue<std::string>);

// Small enough for the whole interface over both maps, signed keys and an owner's life.
BOOST_AUTO_TEST_CASE(SignedKeysComeBack) {
  Map map;
  for (int key = -128; key < 128; ++key) REQUIRE_OK(map.Set(static_cast<std::int8_t>(key), static_cast<float>(key) / 2));
  BOOST_TEST(map.size() == 256u);
  for (auto [key, value] : map) BOOST_TEST(value == static_cast<float>(key) / 2);
  BOOST_TEST(map.Find(-7).value() == -3.5f);
}

BOOST_AUTO_TEST_CASE(OwnersMove) {
  Dict dict;
  REQUIRE_OK(dict.Set("one", 1));
  Dict moved = std::move(dict);
  REQUIRE_OK(moved.Set("two", 2));
  BOOST_TEST(moved.size() == 2u);
  Dict other;
  other = std::move(moved);
  BOOST_TEST(other.Find("two").value() == 2);
  BOOST_TEST(other.view().Find("one").value() == 1);
}

BOOST_AUTO_TEST_CASE(BuildsInPlace) {
  alignas(64) static std::array<std::byte, 8192> bytes{};
  BOOST_TEST(Map::ImageBytes() < bytes.size());
  absl::StatusOr<Map> map = Map::Make({.seed = 4}, Buffer::Borrow(bytes));
  REQUIRE_OK(map);
  REQUIRE_OK(map->Set(1, 2.5f));
  const auto view = CompactMapView<std::int8_t, float>::Open(bytes);
  REQUIRE_OK(view);
  BOOST_TEST(view->Find(1).value() == 2.5f);
  BOOST_TEST(view->seed() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
