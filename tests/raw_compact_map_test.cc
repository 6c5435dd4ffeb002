#include "testing.h"

#include "exercise/raw_compact_map.h"
#include "thimble/bytes.h"
#include "thimble/raw_compact_map.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(raw_compact_map)

RawCompactMap Filled(int n, RawCompactMap::Options options = {.key_bytes = 8, .value_bytes = 4}) {
  RawCompactMap map(options);
  for (int i = 0; i < n; ++i) {
    const auto slot = map.Insert(static_cast<std::uint64_t>(i) * 77);
    REQUIRE_OK(slot);
    if (options.value_bytes >= 4) Store(slot->value, i);
  }
  return map;
}

BOOST_AUTO_TEST_CASE(SizesAreExact) {
  // Header 128; a block of 7 slots: count 2, tags 7 * 2, 7 * 49 bits of remainder, 7 * 8 bytes of value, in all 115 -> 120; slack 8.
  BOOST_TEST(RawCompactMap({}).image().size() == 128u + 120 + 8);
  BOOST_TEST(Filled(7, {}).image().size() == 128u + 120 + 8);
  // 63 slots: 128 + 386 + 504 = 1018 -> 1024.
  BOOST_TEST(Filled(63, {}).image().size() == 128u + 1024 + 8);
  const RawCompactMap map = Filled(1000);
  const Stats stats = map.stats();
  BOOST_TEST(stats.live_bytes + stats.slack_bytes >= map.image().size());
}

BOOST_AUTO_TEST_CASE(GoldenImage) { testing::CheckGolden("compact_map", Filled(100).image()); }

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  for (int n : {0, 1, 7, 8, 63, 64, 65, 126, 1000, 20000}) {
    const RawCompactMap map = Filled(n);
    REQUIRE_OK(map.Verify());
    absl::StatusOr<RawCompactMap> again = RawCompactMap::Open(Buffer::Copy(map.image()));
    REQUIRE_OK(again);
    BOOST_TEST(again->size() == static_cast<std::uint64_t>(n));
    REQUIRE_OK(again->Insert(5));
    REQUIRE_OK(again->Verify());
  }
}

BOOST_AUTO_TEST_CASE(KeysOfEveryWidthComeBack) {
  for (std::uint32_t key_bytes = 1; key_bytes <= 8; ++key_bytes) {
    const int n = key_bytes == 1 ? 256 : 3000;
    RawCompactMap map({.key_bytes = key_bytes, .value_bytes = 0, .seed = 99});
    for (int i = 0; i < n; ++i) REQUIRE_OK(map.Insert(static_cast<std::uint64_t>(i)));
    REQUIRE_OK(map.Verify());
    std::vector<bool> seen(static_cast<std::size_t>(n));
    for (RawCompactMapView::Entry entry; map.Next(entry);) {
      BOOST_REQUIRE_LT(entry.integer, static_cast<std::uint64_t>(n));
      BOOST_REQUIRE(!seen[entry.integer]);
      seen[entry.integer] = true;
    }
    BOOST_TEST(std::count(seen.begin(), seen.end(), true) == n);
    if (key_bytes < 8) BOOST_TEST(map.Find(std::uint64_t{1} << (8 * key_bytes)) == nullptr);
  }
}

BOOST_AUTO_TEST_CASE(RefusesWhatIsNoMap) {
  CHECK_CODE(RawCompactMap::Make({.key_bytes = 9}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RawCompactMap::Make({.key_bytes = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RawCompactMap::Make({.value_bytes = 70000}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RawCompactMap::Make({}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  Buffer copy = Buffer::Copy(Filled(50).image());
  CHECK_CODE(RawCompactMapView::Open(copy.bytes().first(copy.size() - 8)), absl::StatusCode::kDataLoss);
  copy.data()[4] = std::byte{1};
  CHECK_CODE(RawCompactMapView::Open(copy.bytes()), absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(BorrowedBytesThatAreFullStayAsTheyWere) {
  alignas(64) static std::array<std::byte, 4096> bytes{};
  absl::StatusOr<RawCompactMap> map = RawCompactMap::Make({}, Buffer::Borrow(bytes));
  REQUIRE_OK(map);
  std::uint64_t n = 0;
  while (map->Insert(n).ok()) ++n;
  BOOST_TEST(n >= 63u);
  CHECK_CODE(map->Insert(n), absl::StatusCode::kFailedPrecondition);
  BOOST_TEST(map->size() == n);
  REQUIRE_OK(map->Verify());
}

// Keys that share a home, as whoever knows the seed can find them: a large map iterates in the order of homes, so its first
// keys share one in any small map.
std::vector<std::uint64_t> CollidingKeys(std::size_t n) {
  const RawCompactMap all = Filled(200000, {.key_bytes = 8, .value_bytes = 0});
  std::vector<std::uint64_t> keys;
  for (RawCompactMapView::Entry entry; keys.size() < n && all.Next(entry);) keys.push_back(entry.integer);
  return keys;
}

RawCompactMap MapOf(const std::vector<std::uint64_t>& keys) {
  RawCompactMap map({.key_bytes = 8, .value_bytes = 8});
  for (const std::uint64_t key : keys) {
    const auto slot = map.Insert(key);
    REQUIRE_OK(slot);
    Store(slot->value, key);
  }
  return map;
}

BOOST_AUTO_TEST_CASE(KeysThatCollideSpill) {
  // They must be slow, not wrong.
  const std::vector<std::uint64_t> keys = CollidingKeys(1000);
  RawCompactMap map = MapOf(keys);
  REQUIRE_OK(map.Verify());
  for (std::uint64_t key : keys) BOOST_REQUIRE_EQUAL(Load<std::uint64_t>(map.Find(key)), key);
  std::size_t n = 0;
  for (RawCompactMapView::Entry entry; map.Next(entry);) ++n;
  BOOST_TEST(n == keys.size());
  for (std::uint64_t key : keys) BOOST_REQUIRE(map.Erase(key));
  BOOST_TEST(map.empty());
  REQUIRE_OK(map.Verify());
}

// A view that tells which key has a hash, as whoever knows the seed can find out.
struct KeyFinder : RawCompactMapView {
  explicit KeyFinder(const RawCompactMapView& view) : RawCompactMapView(view) {}
  using RawCompactMapView::KeyOf;
};

// As many keys as so many blocks take before they become more: first some spread evenly, then some at the borders of blocks.
// Those find room in the two blocks and the one behind, but not in one of more blocks and the one behind it.
std::vector<std::uint64_t> KeysThatSpillWhenBlocksSpread(const RawCompactMapView& map, std::uint64_t blocks) {
  const KeyFinder finder(map);
  const std::uint64_t block = ~std::uint64_t{0} / blocks, most = blocks * 63 - blocks * 63 / 20;
  constexpr std::uint64_t kBorders[] = {4, 12}, kBeside = 94;
  const auto at_border = [&](std::uint64_t hash) {
    return std::any_of(std::begin(kBorders), std::end(kBorders), [&](std::uint64_t border) { return hash / block - (border - 1) < 3; });
  };
  const std::uint64_t even = most - std::size(kBorders) * 2 * kBeside, step = block / (even + 1) * (blocks - 3 * std::size(kBorders));
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 1; keys.size() < even; ++i) {
    if (!at_border(i * step)) keys.push_back(finder.KeyOf(i * step));
  }
  for (const std::uint64_t border : kBorders) {
    for (std::uint64_t i = 1; i <= kBeside; ++i) {
      keys.push_back(finder.KeyOf(border * block - i * (block / 1000)));
      keys.push_back(finder.KeyOf(border * block + i * (block / 1000)));
    }
  }
  return keys;
}

BOOST_AUTO_TEST_CASE(SpillsThatFindNoBytesLoseNothing) {
  const RawCompactMap::Options options{.key_bytes = 8, .value_bytes = 8};
  RawCompactMap free(options);
  for (std::uint64_t i = 0; free.slots() < 200 * 63; ++i) REQUIRE_OK(free.Insert(i));
  const std::vector<std::uint64_t> keys = KeysThatSpillWhenBlocksSpread(free, free.slots() / 63);
  const auto spilled = [](const RawCompactMapView& map) { return Load<std::uint64_t>(map.image().data() + 48 + 3 * 8); };
  const auto fill = [&keys](RawCompactMap& map) {
    for (const std::uint64_t key : keys) {
      const auto slot = map.Insert(key);
      REQUIRE_OK(slot);
      Store(slot->value, ~key);
    }
  };
  free = RawCompactMap(options);
  fill(free);
  const std::uint64_t before = spilled(free), held = free.image().size();
  REQUIRE_OK(free.Insert(1));
  BOOST_TEST(spilled(free) > before + 64);
  REQUIRE_OK(free.Verify());

  // As many bytes, but for one entry.
  std::vector<std::byte> bytes(free.image().size() - 16);
  BOOST_TEST(bytes.size() > held);
  absl::StatusOr<RawCompactMap> map = RawCompactMap::Make(options, Buffer::Borrow(bytes));
  REQUIRE_OK(map);
  fill(*map);
  BOOST_TEST(!map->Insert(1).ok());
  REQUIRE_OK(map->Verify());
  BOOST_TEST(map->size() == keys.size());
  BOOST_TEST(spilled(*map) <= before);
  for (const std::uint64_t key : keys) {
    const std::byte* value = map->Find(key);
    BOOST_REQUIRE(value != nullptr);
    BOOST_REQUIRE_EQUAL(Load<std::uint64_t>(value), ~key);
  }
  BOOST_TEST(map->Find(1) == nullptr);
  BOOST_TEST(map->Erase(keys[0]));
  REQUIRE_OK(map->Insert(1));
  REQUIRE_OK(map->Verify());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  testing::ExerciseMutations<RawCompactMapView>(Filled(50).image());
  testing::ExerciseMutations<RawCompactMapView>(Filled(200, {.key_bytes = 2, .value_bytes = 1}).image());
  const RawCompactMap spilled = MapOf(CollidingKeys(200));
  BOOST_TEST(Load<std::uint64_t>(spilled.image().data() + 48 + 3 * 8) > 0u);  // so many stand behind the blocks
  testing::ExerciseMutations<RawCompactMapView>(spilled.image());
}

// Almost any bits are some right map's, as a key is what its place says; what can be wrong are counts and keys held twice.
BOOST_AUTO_TEST_CASE(VerifyNoticesDamage) {
  const RawCompactMap map = Filled(200, {.key_bytes = 2, .value_bytes = 0});
  Buffer count = Buffer::Copy(map.image());
  count.data()[128] ^= std::byte{1};
  CHECK_CODE(RawCompactMapView::Open(count.bytes())->Verify(), absl::StatusCode::kDataLoss);
  Buffer twice = Buffer::Copy(map.image());
  std::memcpy(twice.data() + 128 + 4, twice.data() + 128 + 2, 2);
  CHECK_CODE(RawCompactMapView::Open(twice.bytes())->Verify(), absl::StatusCode::kDataLoss);
  CHECK_CODE(RawCompactMap::Open(std::move(twice)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
