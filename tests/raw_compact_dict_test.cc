#include "testing.h"

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
  // Header 128, records, a line of 16 slots with a fingerprint and 8 bits each, a dead bit for each record, slack 8.
  BOOST_TEST(RawCompactDict({}).image().size() == 136u);
  RawCompactDict dict({.key_bytes = 8, .value_bytes = 8});
  for (std::uint64_t i = 0; i < 8; ++i) REQUIRE_OK(dict.Insert(i));
  BOOST_TEST(dict.image().size() == 128u + 8 * 16 + 2 * 16 + 8 + 8);
  const Stats stats = dict.stats();
  BOOST_TEST(stats.live_bytes == dict.image().size());
  BOOST_TEST(stats.garbage_bytes == 0u);
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

BOOST_AUTO_TEST_CASE(Mutations) {
  RawCompactDict integers = Integers(60);
  for (int i = 0; i < 5; ++i) BOOST_TEST(integers.Erase(static_cast<std::uint64_t>(i) * 77));
  const auto exercise = [](const RawCompactDictView& view) { Exercise(view); };
  BOOST_TEST(testing::ExerciseMutations<RawCompactDictView>(integers.image(), testing::Trials(10000, 1000000), exercise) > 100);
  BOOST_TEST(testing::ExerciseMutations<RawCompactDictView>(Strings(60).image(), testing::Trials(10000, 1000000), exercise) > 100);
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
