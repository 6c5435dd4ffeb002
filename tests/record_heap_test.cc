#include "testing.h"

#include "exercise/record_heap.h"
#include "thimble/record_heap.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(record_heap)

std::string TextOf(std::uint64_t random, std::size_t size) {
  std::string text(size, 'x');
  for (std::size_t i = 0; i < std::min<std::size_t>(size, 8); ++i) text[i] = static_cast<char>(random >> (8 * i));
  if (size > 8) text.back() = static_cast<char>(random);
  return text;
}

RecordHeap Filled(int n, RecordHeap::Options options, std::size_t longest) {
  RecordHeap heap(options);
  std::mt19937_64 random(5);
  std::vector<RecordId> ids;
  for (int i = 0; i < n; ++i) {
    const std::uint64_t r = random();
    const auto id = heap.Insert(TextOf(r, options.record_bytes != 0 ? options.record_bytes : r % longest));
    REQUIRE_OK(id);
    ids.push_back(*id);
  }
  for (std::size_t i = 0; i < ids.size(); i += 5) BOOST_REQUIRE(heap.Erase(ids[i]));
  return heap;
}

// Inserts, updates and erases, each answer compared with a vector's.
void CompareWithModel(int steps, RecordHeap::Options options, std::size_t longest, std::size_t rare_longest) {
  RecordHeap heap(options);
  std::vector<std::pair<RecordId, std::string>> model;
  std::mt19937_64 random(11);
  std::string scratch;
  const auto new_record = [&] {
    const std::uint64_t r = random();
    if (options.record_bytes != 0) return TextOf(r, options.record_bytes);
    return TextOf(r, (r >> 8) % 50 == 0 ? r % rare_longest : r % longest);
  };
  for (int step = 0; step < steps; ++step) {
    const bool growing = step / (steps / 4) % 2 == 0;
    const std::uint64_t what = random() % 8;
    const std::size_t at = model.empty() ? 0 : random() % model.size();
    if (model.empty() || what < (growing ? 4u : 1u)) {
      const std::string record = new_record();
      const auto id = heap.Insert(record);
      REQUIRE_OK(id);
      model.emplace_back(*id, record);
    } else if (what < 6) {
      model[at].second = new_record();
      REQUIRE_OK(heap.Update(model[at].first, model[at].second));
    } else {
      BOOST_REQUIRE(heap.Erase(model[at].first));
      BOOST_REQUIRE(!heap.contains(model[at].first));
      model[at] = std::move(model.back());
      model.pop_back();
    }
    if (!model.empty()) {
      const auto& [id, record] = model[random() % model.size()];
      const auto found = heap.Find(id, scratch);
      BOOST_REQUIRE(found.has_value());
      BOOST_REQUIRE(*found == record);
    }
    if (step % (steps / 4) == 0) REQUIRE_OK(heap.Verify());
  }
  REQUIRE_OK(heap.Verify());
  BOOST_REQUIRE_EQUAL(heap.size(), model.size());
  for (const auto& [id, record] : model) BOOST_REQUIRE(heap.Find(id, scratch).value() == record);
  std::size_t n = 0;
  for (RecordHeapView::Entry entry; heap.Next(entry);) ++n;
  BOOST_REQUIRE_EQUAL(n, model.size());
}

BOOST_AUTO_TEST_CASE(AgreesWithAModel) {
  CompareWithModel(testing::Trials(400000, 10000000), {}, 200, 40000);
  CompareWithModel(testing::Trials(300000, 10000000), {.page_bytes = 256}, 20, 300);
  CompareWithModel(testing::Trials(300000, 10000000), {.record_bytes = 24}, 0, 0);
  CompareWithModel(20000, {.record_bytes = 3, .page_bytes = 512}, 0, 0);
}

BOOST_AUTO_TEST_CASE(SizesAreExact) {
  // Header 128, lists 192, slack 8.
  BOOST_TEST(RecordHeap({}).image().size() == 328u);
  RecordHeap heap({});
  REQUIRE_OK(heap.Insert("a record"));
  BOOST_TEST(heap.image().size() == 328u + 16384);
  BOOST_TEST(heap.FreeBytes() == 16384u - 16 - 2 - 8);
}

BOOST_AUTO_TEST_CASE(TwoBytesARecordAboveThePayload) {
  RecordHeap heap({});
  std::mt19937_64 random(1);
  std::uint64_t payload = 0;
  const std::uint64_t n = 50000;
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::string record = TextOf(random(), 50 + random() % 100);
    payload += record.size();
    REQUIRE_OK(heap.Insert(record));
  }
  const std::uint64_t pages = heap.image().size() - 328;
  BOOST_TEST(static_cast<double>(payload) / static_cast<double>(pages) > 0.9);
  const double overhead = static_cast<double>(heap.image().size() - heap.FreeBytes() - payload) / static_cast<double>(n);
  BOOST_TEST(overhead <= 2.2);
}

BOOST_AUTO_TEST_CASE(IdsStayAndRecordsMove) {
  RecordHeap heap({.page_bytes = 256});
  std::vector<RecordId> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(*heap.Insert("12345"));
  for (const RecordId id : ids) REQUIRE_OK(heap.Update(id, std::string(1000, 'y')));
  REQUIRE_OK(heap.Verify());
  std::string scratch;
  for (const RecordId id : ids) BOOST_TEST(heap.Find(id, scratch).value() == std::string(1000, 'y'));
  for (const RecordId id : ids) REQUIRE_OK(heap.Update(id, ""));
  for (const RecordId id : ids) BOOST_TEST(heap.Find(id, scratch).value().empty());
  REQUIRE_OK(heap.Verify());
  CHECK_CODE(heap.Update(RecordId{1u << 30}, "x"), absl::StatusCode::kNotFound);
  BOOST_TEST(!heap.Erase(RecordId{1u << 30}));
}

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  for (int n : {0, 1, 500}) {
    const RecordHeap heap = Filled(n, {.page_bytes = 1024}, 600);
    absl::StatusOr<RecordHeap> again = RecordHeap::Open(Buffer::Copy(heap.image()));
    REQUIRE_OK(again);
    BOOST_TEST(again->size() == heap.size());
    REQUIRE_OK(again->Insert("more"));
    REQUIRE_OK(again->Verify());
  }
}

BOOST_AUTO_TEST_CASE(GoldenImage) { testing::CheckGolden("record_heap", Filled(20, {.page_bytes = 256}, 100).image()); }

BOOST_AUTO_TEST_CASE(Refuses) {
  CHECK_CODE(RecordHeap::Make({.page_bytes = 100}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RecordHeap::Make({.page_bytes = 32768}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RecordHeap::Make({.record_bytes = 5000}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(RecordHeap({.record_bytes = 4}).Insert("12345"), absl::StatusCode::kInvalidArgument);
  Buffer copy = Buffer::Copy(Filled(20, {.page_bytes = 256}, 100).image());
  CHECK_CODE(RecordHeapView::Open(copy.bytes().first(copy.size() - 8)), absl::StatusCode::kDataLoss);
  copy.data()[4] = std::byte{1};
  CHECK_CODE(RecordHeapView::Open(copy.bytes()), absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(BorrowedBytesThatAreFullStayAsTheyWere) {
  alignas(64) static std::array<std::byte, 328 + 4 * 256> bytes{};
  absl::StatusOr<RecordHeap> heap = RecordHeap::Make({.page_bytes = 256}, Buffer::Borrow(bytes));
  REQUIRE_OK(heap);
  std::uint64_t n = 0;
  while (heap->Insert("0123456789").ok()) ++n;
  BOOST_TEST(n >= 4 * 15u);
  CHECK_CODE(heap->Insert(std::string(500, 'z')), absl::StatusCode::kFailedPrecondition);
  BOOST_TEST(heap->size() == n);
  REQUIRE_OK(heap->Verify());
}

// More of them would fit into a page than an id has numbers for.
BOOST_AUTO_TEST_CASE(RecordsOfOneByteHaveIdsOfTheirOwn) {
  RecordHeap heap({.record_bytes = 1});
  std::vector<RecordId> ids;
  for (int i = 0; i < 20000; ++i) ids.push_back(*heap.Insert(std::string(1, static_cast<char>(i % 251))));
  std::string scratch;
  for (std::size_t i = 0; i < ids.size(); ++i) BOOST_REQUIRE(heap.Find(ids[i], scratch) == std::string(1, static_cast<char>(i % 251)));
  BOOST_TEST(std::set(ids.begin(), ids.end()).size() == 20000u);
  REQUIRE_OK(heap.Verify());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  testing::ExerciseMutations<RecordHeapView>(Filled(30, {.page_bytes = 256}, 150).image());
  testing::ExerciseMutations<RecordHeapView>(Filled(60, {.record_bytes = 9, .page_bytes = 256}, 0).image());
}

BOOST_AUTO_TEST_CASE(VerifyNoticesDamage) {
  const RecordHeap heap = Filled(30, {.page_bytes = 256}, 150);
  std::mt19937_64 random(3);
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    Buffer copy = Buffer::Copy(heap.image());
    const std::size_t page = random() % ((copy.size() - 328) / 256);
    copy.data()[320 + page * 256 + 8 + random() % 7] ^= static_cast<std::byte>(1u << random() % 8);
    found += !RecordHeapView::Open(copy.bytes())->Verify().ok();
  }
  // A last record that is longer or shorter by a few bytes is another right page.
  BOOST_TEST(found > 250);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
