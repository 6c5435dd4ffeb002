#include "testing.h"

#include <bit>
#include <functional>

#include "exercise/raw_compact_dict.h"
#include "thimble/bytes.h"
#include "thimble/raw_compact_dict.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(raw_compact_dict)

RawCompactDict Integers(int n) {
  RawCompactDict dict({.key_bytes = 8, .value_bytes = 4});
  for (int i = 0; i < n; ++i) Store(dict.Insert(static_cast<std::uint64_t>(i) * 77)->value, i);
  return dict;
}

RawCompactDict Strings(int n) {
  RawCompactDict dict({.key_bytes = 0, .value_bytes = 2, .seed = 5});
  for (int i = 0; i < n; ++i) Store(dict.Insert("key " + std::string(static_cast<std::size_t>(i % 70), 'x') + std::to_string(i))->value, static_cast<std::int16_t>(i));
  return dict;
}

BOOST_AUTO_TEST_CASE(SizesAreExact) {
  // Header 128, a line of 16 slots with a fingerprint and 8 bits each, records, slack 8; a dead bit for each record from the
  // first that is erased on.
  BOOST_TEST(RawCompactDict({}).image().size() == 136u);
  RawCompactDict dict({.key_bytes = 8, .value_bytes = 8});
  for (std::uint64_t i = 0; i < 8; ++i) REQUIRE_OK(dict.Insert(i));
  BOOST_TEST(dict.image().size() == 128u + 2 * 16 + 8 * 16 + 8);
  const Stats stats = dict.stats();
  BOOST_TEST(stats.live_bytes == dict.image().size());
  BOOST_TEST(stats.garbage_bytes == 0u);
  BOOST_TEST(dict.Erase(3));
  BOOST_TEST(dict.image().size() == 128u + 2 * 16 + 8 * 16 + 8 + 8);
}

BOOST_AUTO_TEST_CASE(GoldenImages) {
  RawCompactDict integers = Integers(20);
  BOOST_TEST(integers.Erase(77));
  testing::CheckGolden("compact_dict_integers", integers.image());
  testing::CheckGolden("compact_dict_strings", Strings(20).image());
}

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  for (int n : {0, 1, 2, 31, 32, 33, 1000}) {
    RawCompactDict dict = Integers(n);
    REQUIRE_OK(dict.Verify());
    absl::StatusOr<RawCompactDict> again = RawCompactDict::Open(Buffer::Copy(dict.image()));
    REQUIRE_OK(again);
    BOOST_TEST(again->size() == static_cast<std::uint64_t>(n));
    REQUIRE_OK(again->Insert(5));
    REQUIRE_OK(again->Verify());
    REQUIRE_OK(RawCompactDictView::Open(Strings(n).image())->Verify());
  }
}

BOOST_AUTO_TEST_CASE(RefusesWhatIsNoDict) {
  CHECK_CODE(RawCompactDict::Make({.key_bytes = 9}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RawCompactDict::Make({.value_bytes = 70000}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RawCompactDict::Make({}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  Buffer copy = Buffer::Copy(Integers(50).image());
  CHECK_CODE(RawCompactDictView::Open(copy.bytes().first(copy.size() - 8)), absl::StatusCode::kDataLoss);
  copy.data()[4] = std::byte{1};
  CHECK_CODE(RawCompactDictView::Open(copy.bytes()), absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(BorrowedBytesThatAreFullStayAsTheyWere) {
  alignas(64) std::array<std::byte, 512> bytes{};
  absl::StatusOr<RawCompactDict> dict = RawCompactDict::Make({}, Buffer::Borrow(bytes));
  REQUIRE_OK(dict);
  std::uint64_t n = 0;
  while (dict->Insert(n).ok()) ++n;
  BOOST_TEST(n >= 8u);
  CHECK_CODE(dict->Insert(n), absl::StatusCode::kFailedPrecondition);
  BOOST_TEST(dict->size() == n);
  REQUIRE_OK(dict->Verify());
}

// Dead bits do not fit either, so that an erased record goes at once.
BOOST_AUTO_TEST_CASE(ErasesFromBorrowedBytesThatAreFull) {
  const RawCompactDict model = Integers(40);
  Buffer bytes = Buffer::Heap(model.image().size());
  absl::StatusOr<RawCompactDict> dict = RawCompactDict::Make({.key_bytes = 8, .value_bytes = 4}, Buffer::Borrow(bytes.bytes()));
  REQUIRE_OK(dict);
  for (std::uint64_t i = 0; i < 40; ++i) REQUIRE_OK(dict->Insert(i * 77));
  for (std::uint64_t i = 0; i < 40; ++i) {
    BOOST_REQUIRE(dict->Erase(i * 77));
    BOOST_REQUIRE(dict->Find(i * 77) == nullptr);
    BOOST_REQUIRE_EQUAL(dict->size(), 39 - i);
    BOOST_REQUIRE_EQUAL(dict->stats().garbage_bytes, 0u);
    REQUIRE_OK(dict->Verify());
  }
  for (std::uint64_t i = 0; i < 40; ++i) REQUIRE_OK(dict->Insert(i));
  REQUIRE_OK(dict->Verify());
}

struct Peek : RawCompactDictView {
  explicit Peek(RawCompactDictView view) : RawCompactDictView(view) {}
  bool EndsAtHome(std::uint64_t key) const { return index_.First(HashOf(key)) != FingerprintIndex::kElsewhere; }
};

// Counters, aligned addresses, fields of a word, small doubles: keys as programs have them spread as random ones do.
BOOST_AUTO_TEST_CASE(KeysInPatternsSpread) {
  const std::uint64_t n = 10000;
  std::vector<std::function<std::uint64_t(std::uint64_t)>> patterns;
  for (int shift = 0; shift <= 48; shift += 4) patterns.push_back([shift](std::uint64_t i) { return i << shift; });
  patterns.push_back([](std::uint64_t i) { return i << 32 | i; });
  patterns.push_back([](std::uint64_t i) { return i % 100 << 40 | i / 100; });
  patterns.push_back([](std::uint64_t i) { return std::bit_cast<std::uint64_t>(static_cast<double>(i)); });
  patterns.push_back([](std::uint64_t i) { return std::bit_cast<std::uint64_t>(static_cast<double>(i) / 100); });
  patterns.push_back([](std::uint64_t i) { return ~i; });
  patterns.push_back([](std::uint64_t i) { return i * 1000003; });
  for (std::size_t p = 0; p < patterns.size(); ++p) {
    BOOST_TEST_CONTEXT("pattern " << p) {
      for (std::uint64_t seed : {0u, 1u, 12345u}) {
        RawCompactDict dict({.key_bytes = 8, .value_bytes = 0, .seed = seed});
        for (std::uint64_t i = 0; i < n; ++i) REQUIRE_OK(dict.Insert(patterns[p](i)));
        std::uint64_t away = 0;
        for (std::uint64_t i = n; i < 2 * n; ++i) away += !Peek(dict).EndsAtHome(patterns[p](i));
        BOOST_TEST(away < n / 5);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Mutations) {
  RawCompactDict integers = Integers(60);
  for (int i = 0; i < 5; ++i) BOOST_TEST(integers.Erase(static_cast<std::uint64_t>(i) * 77));
  testing::ExerciseMutations<RawCompactDictView>(integers.image());
  testing::ExerciseMutations<RawCompactDictView>(Strings(60).image());
}

// Lines of fewer than 16 slots, with fingerprints where no slot is: their numbers would lie behind the image.
BOOST_AUTO_TEST_CASE(FingerprintsBehindTheLastSlotAreNotFollowed) {
  for (unsigned id_bits = 25; id_bits <= 56; ++id_bits) {
    Buffer buffer = Buffer::Heap(128 + 64 + 8);
    ImageHeader header{.kind = Kind::kCompactDict, .header_bytes = 128, .hash_scheme = HashScheme::kThimble, .image_bytes = 200};
    header.parameters = {std::uint64_t{8} << 32, 0, 0, 0, 1, id_bits, 0};
    for (int fingerprint = 0; fingerprint < 256; ++fingerprint) {
      header.Write(buffer.bytes());
      std::memset(buffer.data() + 128, fingerprint, 16);
      const absl::StatusOr<RawCompactDictView> view = RawCompactDictView::Open(buffer.bytes());
      REQUIRE_OK(view);
      Exercise(*view);
    }
  }
}

BOOST_AUTO_TEST_CASE(VerifyNoticesDamage) {
  const RawCompactDict dict = Strings(60);
  int found = 0, flips = 0;
  for (std::size_t at = 128; at + 8 < dict.image().size(); at += 7) {
    Buffer copy = Buffer::Copy(dict.image());
    copy.data()[at] ^= std::byte{4};
    const absl::StatusOr<RawCompactDictView> view = RawCompactDictView::Open(copy.bytes());
    REQUIRE_OK(view);
    ++flips;
    found += !view->Verify().ok();
  }
  // Values and ids of empty slots are nobody's business; keys, lengths and slots are.
  BOOST_TEST(found > flips / 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
