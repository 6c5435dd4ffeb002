#include "sparse_table_build.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "sparse_table.h"
#include "thimble/bits.h"

namespace thimble {

namespace {

using Table = SparseTableView;

// Calls f(key, value) with all pairs in order.
template <class F>
void ForEach(const SparsePairsView& pairs, F f) {
  std::vector<std::uint64_t> keys(1024), values(1024);
  std::uint64_t rank = 0;
  while (const std::size_t n = pairs.Copy(rank, std::span(keys).first(std::min<std::uint64_t>(keys.size(), pairs.size() - rank)), values.data())) {
    for (std::size_t i = 0; i < n; ++i) f(keys[i], values[i]);
    rank += n;
  }
}

// The entries of the cell at hand, as its keys come in.
struct CellCounts {
  std::array<std::uint64_t, Table::kBuckets> counts{};
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts) sum += count;
    return sum;
  }
  bool crowded() const { return *std::max_element(counts.begin(), counts.end()) >= Table::kMany; }
};

struct Shape {
  std::uint64_t base, cells, crowded;
  unsigned low_bits;
};

// Buckets of at least 2.5 keys: larger ones than 5 would often be crowded.
Shape ShapeOf(std::uint64_t count, std::uint64_t first, std::uint64_t last) {
  unsigned low_bits = Table::kByteBits;
  const double apart = static_cast<double>(last - first) / static_cast<double>(count);
  while (low_bits < 63 && static_cast<double>(std::uint64_t{1} << low_bits) < 2.5 * apart) ++low_bits;
  return {first, ((last - first) >> low_bits) / Table::kBuckets + 1, 0, low_bits};
}

// Counts the crowded cells. False if one is too full to be listed, if they hold more than a few keys, which are not found by
// arithmetic, or if the keys are not what they should be, as those of a damaged tree: what is written afterwards relies on them.
bool CountCrowded(const SparsePairsView& pairs, std::uint64_t last, Shape& shape) {
  CellCounts cell;
  std::uint64_t number = 0, before = 0, keys = 0, crowded_keys = 0;
  bool right = true;
  const auto finish = [&] {
    if (cell.crowded()) ++shape.crowded, crowded_keys += cell.total();
    right = right && cell.total() <= 0xFFFF;
    cell = {};
  };
  ForEach(pairs, [&](std::uint64_t key, std::uint64_t) {
    right = right && key >= shape.base && key <= last && (keys == 0 || key > before);
    before = key;
    ++keys;
    const std::uint64_t bucket = (key - shape.base) >> shape.low_bits;
    if (bucket / Table::kBuckets != number) finish();
    number = bucket / Table::kBuckets;
    ++cell.counts[bucket % Table::kBuckets];
  });
  finish();
  return right && keys == pairs.size() && crowded_keys <= keys / 16;
}

class TableWriter {
 public:
  TableWriter(const Shape& shape, unsigned value_bits, const Table::Parts& parts, std::byte* data)
      : shape_(shape), rest_bits_(shape.low_bits - Table::kByteBits), value_bits_(value_bits), parts_(parts), data_(data) {}

  void Write(const SparsePairsView& pairs) {
    ForEach(pairs, [this](std::uint64_t key, std::uint64_t value) { Add(key - shape_.base, value); });
    while (cell_ < shape_.cells) FinishCell();
  }

 private:
  void Add(std::uint64_t offset, std::uint64_t value) {
    const std::uint64_t bucket = offset >> shape_.low_bits;
    while (cell_ < bucket / Table::kBuckets) FinishCell();
    ++counts_.counts[bucket % Table::kBuckets];
    Store(data_ + parts_.bytes_at + entries_, static_cast<std::uint8_t>(offset >> rest_bits_));
    const std::uint64_t at = entries_ * (rest_bits_ + value_bits_);
    WriteBits(data_ + parts_.records_at, at, rest_bits_, offset);
    WriteBits(data_ + parts_.records_at, at + rest_bits_, value_bits_, value);
    ++entries_;
  }

  void FinishCell() {
    std::byte* at = data_ + parts_.cells_at + cell_ * Table::kCellBytes;
    const std::uint64_t first = entries_ - counts_.total();
    Store(at, static_cast<std::uint32_t>(first));
    std::uint64_t fields = 0;
    for (unsigned b = 0; b < Table::kBuckets; ++b) fields |= std::min(counts_.counts[b], Table::kMany) << (4 * b);
    Store(at + 4, counts_.crowded() ? sparse::kCrowdedCounts : fields);
    if (counts_.crowded()) ListCrowded();
    counts_ = {};
    ++cell_;
  }
  void ListCrowded() {
    std::byte* at = data_ + parts_.crowded_at + crowded_ * Table::kCrowdedBytes;
    Store(at, static_cast<std::uint32_t>(cell_));
    std::uint64_t start = 0;
    for (unsigned b = 0; b < Table::kBuckets; start += counts_.counts[b++]) Store(at + 4 + b * std::size_t{2}, static_cast<std::uint16_t>(start));
    ++crowded_;
  }

  const Shape& shape_;
  unsigned rest_bits_, value_bits_;
  const Table::Parts& parts_;
  std::byte* data_;
  CellCounts counts_;
  std::uint64_t cell_ = 0, crowded_ = 0, entries_ = 0;
};

}  // namespace

Buffer TableIfAsSmall(const SparsePairsView& pairs, Buffer tree) {
  const std::uint64_t count = pairs.size(), tree_bytes = Load<std::uint64_t>(tree.data() + 8);
  if (count == 0 || count > ~std::uint32_t{0}) return tree;
  const std::uint64_t last = pairs.At(count - 1).key;
  Shape shape = ShapeOf(count, pairs.At(0).key, last);
  const auto parts_of = [&] { return Table::Parts(count, shape.cells, shape.crowded, shape.low_bits, pairs.value_bits()); };
  const auto small = [&] { return parts_of().layout.image_bytes() <= tree_bytes + tree_bytes / 32; };
  if (!small() || !CountCrowded(pairs, last, shape) || !small()) return tree;
  const Table::Parts parts = parts_of();
  const std::uint64_t bytes = parts.layout.image_bytes();
  // Bytes that are too few for the table were enough for the tree.
  if (!tree.Grow(bytes).ok()) return tree;

  ImageHeader header{.kind = Kind::kSparseArray, .header_bytes = SparseTreeView::kHeaderBytes, .image_bytes = bytes, .count = count};
  header.used_bytes = bytes;
  header.parameters[SparseTreeView::kUnitBytes] = SparseTreeView::kPackedUnitBytes;
  header.parameters[SparseTreeView::kValueBits] = pairs.value_bits();
  header.parameters[SparseTreeView::kDefaultValue] = pairs.default_bits();
  header.parameters[Table::kBase] = shape.base;
  header.parameters[Table::kCells] = shape.cells;
  header.parameters[Table::kCrowded] = shape.crowded;
  header.parameters[Table::kLowBits] = shape.low_bits;
  std::memset(tree.data(), 0, bytes);
  header.Write(tree.bytes());
  TableWriter(shape, pairs.value_bits(), parts, tree.data()).Write(pairs);
  if (tree.size() - bytes > bytes / 32) tree.Shrink(bytes);
  return tree;
}

}  // namespace thimble
