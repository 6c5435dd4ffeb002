#include "thimble/sparse_table.h"

#include "testing.h"

#include <map>

#include "exercise/sparse_array.h"
#include "sparse_model.h"
#include "thimble/sparse_array.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(sparse_table)

template <class T>
SparseArray<T> ArrayOf(const typename SparseArray<T>::Options& options, const std::map<std::uint64_t, T>& model) {
  typename SparseArray<T>::Builder builder(options);
  for (const auto& [index, value] : model) REQUIRE_OK(builder.Add(index, value));
  return *std::move(builder).Finish();
}

template <class T>
void CheckAgainst(const SparseArrayView<T>& array, const std::map<std::uint64_t, T>& model) {
  REQUIRE_OK(array.Verify());
  BOOST_REQUIRE(array.packed());
  BOOST_REQUIRE(array.is_table());
  BOOST_REQUIRE_EQUAL(array.size(), model.size());
  const std::uint64_t first = model.begin()->first, last = model.rbegin()->first;
  std::vector<std::uint64_t> indices{0, first - 1, last + 1, ~std::uint64_t{0}};
  auto expected = model.begin();
  std::uint64_t rank = 0;
  for (const auto element : array) {
    BOOST_REQUIRE(expected != model.end());
    BOOST_REQUIRE_EQUAL(element.index, expected->first);
    BOOST_REQUIRE(element.value == expected->second);
    BOOST_REQUIRE_EQUAL(array.Rank(element.index), rank);
    BOOST_REQUIRE_EQUAL(array.Select(rank).index, element.index);
    BOOST_REQUIRE(array.Select(rank).value == element.value);
    // Neighbours, and what differs in high or in low bits only.
    for (const std::uint64_t bit : {0, 3, 7, 8, 11, 13, 20, 40}) indices.push_back(element.index ^ std::uint64_t{1} << bit);
    indices.push_back(element.index);
    ++expected;
    ++rank;
  }
  BOOST_REQUIRE(expected == model.end());
  testing::CheckIndices(array, model, indices);
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t index = i == 0 ? 0 : i == 1 ? ~std::uint64_t{0} : first + random() % (last - first);
    BOOST_REQUIRE_EQUAL(array.Rank(index), std::distance(model.begin(), model.lower_bound(index)));
  }
}

// Random indices from `from` on, which are `apart` from one another in the mean.
template <class T>
std::map<std::uint64_t, T> Random(int n, std::uint64_t from, std::uint64_t apart, auto value_of) {
  std::map<std::uint64_t, T> model;
  std::mt19937_64 random(static_cast<std::uint64_t>(n) + apart);
  for (int i = 0; i < n; ++i) model[from + random() % (static_cast<std::uint64_t>(n) * apart)] = value_of(random());
  return model;
}

template <class T>
void Check(const typename SparseArray<T>::Options& options, const std::map<std::uint64_t, T>& model) {
  const SparseArray<T> array = ArrayOf<T>(options, model);
  const PackedSparseArray<T> packed = array.Packed();
  CheckAgainst<T>(packed, model);
  CheckAgainst<T>(*PackedSparseArray<T>::Open(Buffer::Copy(packed.image())), model);
  // From a table to a tree and back.
  const SparseArray<T> copy = *SparseArray<T>::Copy(packed);
  REQUIRE_OK(copy.Verify());
  BOOST_REQUIRE(!copy.is_table());
  testing::CheckIndices<T>(copy, model, {model.begin()->first, model.begin()->first + 1, model.rbegin()->first});
  const PackedSparseArray<T> again = copy.Packed(), twice = *SparseArray<T>::Pack(packed, Buffer::Heap(64));
  BOOST_REQUIRE(std::ranges::equal(again.image(), packed.image()));
  BOOST_REQUIRE(std::ranges::equal(twice.image(), packed.image()));
}

constexpr auto kAny = [](std::uint64_t r) { return static_cast<std::uint32_t>(r | 1); };

BOOST_AUTO_TEST_CASE(AgreesWithStd) {
  const int n = testing::Trials(6000, 200000);
  // Low bits in a byte; more of them, beside values of all widths; so many that no load reaches a record.
  Check<std::uint32_t>({}, Random<std::uint32_t>(n, 0, 100, kAny));
  Check<std::uint32_t>({.value_bits = 20}, Random<std::uint32_t>(n, 77, 5000, [](std::uint64_t r) { return static_cast<std::uint32_t>(r % 0xFFFFF + 1); }));
  Check<std::int16_t>({.value_bits = 9, .default_value = 5}, Random<std::int16_t>(n, std::uint64_t{1} << 50, 3000, [](std::uint64_t r) { return static_cast<std::int16_t>(r % 4 - 250); }));
  // Default values below zero, and of more bits than the values.
  Check<std::int16_t>({.value_bits = 9, .default_value = -1}, Random<std::int16_t>(n, 3, 100, [](std::uint64_t r) { return static_cast<std::int16_t>(r % 256); }));
  Check<std::uint32_t>({.value_bits = 12, .default_value = 70000}, Random<std::uint32_t>(n, 3, 3000, [](std::uint64_t r) { return static_cast<std::uint32_t>(r % 4096); }));
  Check<bool>({.value_bits = 1}, Random<bool>(n, 12345, 246, [](std::uint64_t) { return true; }));
  Check<double>({}, Random<double>(n, 1, 100, [](std::uint64_t r) { return static_cast<double>(r) + 0.5; }));
  Check<double>({}, Random<double>(n, 1, std::uint64_t{1} << 45, [](std::uint64_t r) { return static_cast<double>(r) + 0.5; }));
  Check<std::uint64_t>({}, Random<std::uint64_t>(n, 1, 1000, [](std::uint64_t r) { return r | 1; }));
}

BOOST_AUTO_TEST_CASE(ReachesBothEnds) {
  for (const int n : {50, 3000}) {
    std::map<std::uint64_t, std::uint32_t> model;
    std::mt19937_64 random(6);
    for (int i = 0; i < n; ++i) model[random()] = kAny(random());
    model[0] = 1;
    model[~std::uint64_t{0}] = 2;
    Check<std::uint32_t>({}, model);
  }
}

std::map<std::uint64_t, std::uint32_t> Crowds() {
  auto model = Random<std::uint32_t>(6000, 900, 100, [](std::uint64_t r) { return static_cast<std::uint32_t>(r % 4095 + 1); });
  for (std::uint64_t i = 0; i < 15; ++i) model[900 + 256 * 100 + i] = 3;
  for (std::uint64_t i = 0; i < 200; ++i) model[900 + 256 * 1000 + i] = 4;
  return model;
}

BOOST_AUTO_TEST_CASE(CrowdedCells) {
  Check<std::uint32_t>({.value_bits = 12}, Crowds());
  // In the last cell.
  auto model = Random<std::uint32_t>(6000, 0, 100, kAny);
  const std::uint64_t last = model.rbegin()->first;
  for (std::uint64_t i = 0; i < 40; ++i) model[last + i] = 5;
  Check<std::uint32_t>({}, model);
}

BOOST_AUTO_TEST_CASE(Sizes) {
  // 10,000 keys 99 apart reach over 989,902: 3867 buckets of 256, 242 cells.
  std::map<std::uint64_t, std::uint32_t> model;
  for (std::uint64_t i = 0; i < 10000; ++i) model[i * 99 + 5] = 1;
  const auto packed = ArrayOf<std::uint32_t>({}, model).Packed();
  BOOST_TEST(packed.is_table());
  BOOST_TEST(packed.image().size() == 128u + 242 * 12 + 10000 + 8 + 10000 * 4 + 8);
  // Twenty in one bucket: another cell is crowded. 12 bits a value.
  for (std::uint64_t i = 0; i < 20; ++i) model[256 * 1000 + i] = 1;
  const auto crowded = ArrayOf<std::uint32_t>({.value_bits = 12}, model).Packed();
  BOOST_TEST(crowded.is_table());
  BOOST_TEST(crowded.image().size() == RoundUp(128u + 242 * 12 + 40 + RoundUp(model.size() + 8, 8) + (model.size() * 12 + 7) / 8 + 8, 8));
}

BOOST_AUTO_TEST_CASE(StaysATreeWhereThatIsSmaller) {
  std::map<std::uint64_t, std::uint32_t> dense, clumps;
  std::mt19937_64 random(7);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    dense[i * 3] = 1;
    clumps[(random() % 20 << 40) + i] = 1;
  }
  BOOST_TEST(!ArrayOf<std::uint32_t>({}, dense).Packed().is_table());
  BOOST_TEST(!ArrayOf<std::uint32_t>({}, clumps).Packed().is_table());
  BOOST_TEST(!SparseArray<std::uint32_t>().Packed().is_table());
}

// Bytes that do not grow any more once they were shrunk.
class Shrunk final : public Memory {
 public:
  absl::StatusOr<std::span<std::byte>> Grow(std::span<std::byte>, std::size_t bytes) override {
    if (shrunk_) return absl::ResourceExhaustedError("no more bytes");
    bytes_.resize(bytes);
    return std::span(bytes_);
  }
  std::span<std::byte> Shrink(std::span<std::byte> run, std::size_t bytes) override {
    shrunk_ = true;
    return run.first(bytes);
  }
  void Release(std::span<std::byte>) noexcept override {}

 private:
  bool shrunk_ = false;
  std::vector<std::byte> bytes_;
};

BOOST_AUTO_TEST_CASE(BytesOfTheCaller) {
  const auto model = Random<std::uint32_t>(6000, 0, 100, kAny);
  const SparseArray<std::uint32_t> array = ArrayOf<std::uint32_t>({}, model);
  std::vector<std::byte> enough(100000, std::byte{0xFF});
  CheckAgainst<std::uint32_t>(*SparseArray<std::uint32_t>::Pack(array, Buffer::Borrow(enough)), model);
  // Too few for a table, they hold the tree.
  Shrunk memory;
  const auto tree = SparseArray<std::uint32_t>::Pack(array, Buffer(&memory, {}));
  REQUIRE_OK(tree);
  BOOST_TEST(!tree->is_table());
  REQUIRE_OK(tree->Verify());
  testing::CheckIndices<std::uint32_t>(*tree, model, {0, model.begin()->first, model.rbegin()->first});
}

BOOST_AUTO_TEST_CASE(VerifyFindsDamage) {
  const auto packed = ArrayOf<std::uint32_t>({.value_bits = 12}, Crowds()).Packed();
  const std::uint64_t amid = packed.Rank(900 + 256 * 1000 + 50);
  const auto header = *ImageHeader::Read(packed.image(), Kind::kSparseArray);
  const SparseTableView::Parts parts(header.count, header.parameters[SparseTableView::kCells], header.parameters[SparseTableView::kCrowded],
                                     static_cast<unsigned>(header.parameters[SparseTableView::kLowBits]), 12);
  BOOST_REQUIRE(header.parameters[SparseTableView::kCrowded] >= 2u);
  // The entries in front of a cell, the fields of one that is not crowded, the listed cell and its starts, a byte of a key.
  for (const std::uint64_t at : {parts.cells_at + 12 * 5, parts.cells_at + 12 * 2 + 5, parts.crowded_at, parts.crowded_at + 4, parts.crowded_at + 36 + 5, parts.bytes_at + amid}) {
    Buffer copy = Buffer::Copy(packed.image());
    copy.data()[at] ^= std::byte{0x80};
    const auto view = SparseArrayView<std::uint32_t>::Open(copy.bytes());
    REQUIRE_OK(view);
    CHECK_CODE(view->Verify(), absl::StatusCode::kDataLoss);
  }
  // More cells than bytes, low bits that are none.
  for (const auto& [parameter, value] : {std::pair<unsigned, std::uint64_t>{SparseTableView::kCells, std::uint64_t{1} << 60}, {SparseTableView::kCrowded, 1 << 20}, {SparseTableView::kLowBits, 64}}) {
    Buffer copy = Buffer::Copy(packed.image());
    Store(copy.data() + 48 + parameter * std::size_t{8}, value);
    CHECK_CODE(SparseArrayView<std::uint32_t>::Open(copy.bytes()), absl::StatusCode::kDataLoss);
  }
}

PackedSparseArray<std::uint32_t> Small() {
  auto model = Random<std::uint32_t>(2000, 5, 2000, [](std::uint64_t r) { return static_cast<std::uint32_t>(r % 4095 + 1); });
  for (std::uint64_t i = 0; i < 20; ++i) model[100000 + i] = 9;
  return ArrayOf<std::uint32_t>({.value_bits = 12}, model).Packed();
}

BOOST_AUTO_TEST_CASE(ImagesAreGolden) {
  BOOST_TEST(Small().is_table());
  testing::CheckGolden("sparse_array_table", Small().image());
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<SparseArrayView<std::uint32_t>>(Small().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
