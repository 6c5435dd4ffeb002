#include "sparse_table.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "cpu.h"
#include "status_macros.h"
#include "thimble/bits.h"

namespace thimble {

absl::StatusOr<SparseTableView> SparseTableView::Open(std::span<const std::byte> image, const ImageHeader& header) {
  const std::uint64_t cells = header.parameters[kCells], crowded = header.parameters[kCrowded], low_bits = header.parameters[kLowBits];
  const std::uint64_t value_bits = header.parameters[SparseTreeView::kValueBits];
  if (low_bits < kByteBits || low_bits > 63 || value_bits < 1 || value_bits > 64 || cells == 0 || crowded > cells || header.count == 0 ||
      header.count > ~std::uint32_t{0}) {
    return absl::DataLossError("sparse table: bad parameters");
  }
  const Parts parts(header.count, cells, crowded, static_cast<unsigned>(low_bits), static_cast<unsigned>(value_bits));
  if (parts.layout.image_bytes() > header.image_bytes) return absl::DataLossError("sparse table: more entries than bytes");
  SparseTableView view;
  view.data_ = image.data();
  view.count_ = header.count;
  view.base_ = header.parameters[kBase];
  view.cells_ = cells;
  view.crowded_ = crowded;
  view.crowded_at_ = parts.crowded_at;
  view.bytes_at_ = parts.bytes_at;
  view.records_at_ = parts.records_at;
  view.low_bits_ = static_cast<unsigned>(low_bits);
  view.rest_bits_ = view.low_bits_ - kByteBits;
  view.value_bits_ = static_cast<unsigned>(value_bits);
  view.record_bits_ = view.rest_bits_ + view.value_bits_;
  // What begins with a byte and is 64 bits wide too.
  view.one_load_ = view.record_bits_ <= kOneLoadBits || (view.rest_bits_ == 0 && view.value_bits_ == 64);
  view.avx2_ = ActiveCpuLevel() == CpuLevel::kAvx2;
  return view;
}

// Null if it is not listed.
const std::byte* SparseTableView::CrowdedCell(std::uint64_t cell) const {
  const std::byte* list = data_ + crowded_at_;
  std::uint64_t low = 0;
  for (std::uint64_t length = crowded_; length > 1;) {
    const std::uint64_t half = length / 2;
    if (Load<std::uint32_t>(list + (low + half) * kCrowdedBytes) <= cell) low += half;
    length -= half;
  }
  const std::byte* at = list + low * kCrowdedBytes;
  return crowded_ > 0 && Load<std::uint32_t>(at) == cell ? at : nullptr;
}

std::array<std::uint64_t, SparseTableView::kBuckets + 1> SparseTableView::StartsOf(std::uint64_t cell) const {
  std::array<std::uint64_t, kBuckets + 1> starts;
  const auto counts = Load<std::uint64_t>(Cell(cell) + 4);
  starts[0] = std::min<std::uint64_t>(Load<std::uint32_t>(Cell(cell)), count_);
  if (counts != sparse::kCrowdedCounts) {
    for (unsigned b = 0; b < kBuckets; ++b) starts[b + 1] = std::min(starts[b] + (counts >> (4 * b) & 15), count_);
    return starts;
  }
  const std::byte* crowded = CrowdedCell(cell);
  for (unsigned b = 1; b <= kBuckets; ++b) {
    const std::uint64_t start = crowded == nullptr ? 0
                                : b < kBuckets     ? starts[0] + Load<std::uint16_t>(crowded + 4 + b * std::size_t{2})
                                : cell + 1 < cells_ ? Load<std::uint32_t>(Cell(cell + 1))
                                                    : count_;
    starts[b] = std::max(starts[b - 1], std::min(start, count_));
  }
  return starts;
}

// Requires: the offset's cell exists.
SparseTableView::Bucket SparseTableView::BucketOf(std::uint64_t offset) const {
  const std::uint64_t bucket = offset >> low_bits_, cell = bucket / kBuckets;
  const auto counts = Load<std::uint64_t>(Cell(cell) + 4);
  if (counts == sparse::kCrowdedCounts) {
    const auto starts = StartsOf(cell);
    return {starts[bucket % kBuckets], starts[bucket % kBuckets + 1]};
  }
  const unsigned shift = bucket % kBuckets * 4;
  const std::uint64_t first = std::min(Load<std::uint32_t>(Cell(cell)) + sparse::SumOfFields(counts & LowBits(shift)), count_);
  return {first, std::min(first + (counts >> shift & 15), count_)};
}

// The last cell that begins at the rank or before.
std::uint64_t SparseTableView::CellAt(std::uint64_t rank) const {
  const auto behind = [&](std::uint64_t cell) { return Load<std::uint32_t>(Cell(cell)) > rank; };
  // Cells are about equally full, so it stands near where it is guessed.
  const std::uint64_t guess = std::min(rank * cells_ / count_, cells_ - 1);
  std::uint64_t low = guess, high = guess, step = 8;
  for (; low > 0 && behind(low); step *= 2) high = low, low -= std::min(low, step);
  if (low == guess) {
    for (high = std::min(low + step, cells_); high < cells_ && !behind(high); step *= 2) low = high, high += std::min(cells_ - high, step);
  }
  while (high - low > 1) {
    const std::uint64_t middle = (low + high) / 2;
    (behind(middle) ? high : low) = middle;
  }
  return low;
}

std::uint64_t SparseTableView::LowBitsAt(std::uint64_t entry) const {
  const std::uint64_t upper = Load<std::uint8_t>(data_ + bytes_at_ + entry);
  return upper << rest_bits_ | ReadBits(data_ + records_at_, entry * record_bits_, rest_bits_);
}
std::uint64_t SparseTableView::ValueAt(std::uint64_t entry) const {
  return ReadBits(data_ + records_at_, entry * record_bits_ + rest_bits_, value_bits_);
}

SparseTableView::Place SparseTableView::Find(std::uint64_t key) const {
  const std::uint64_t offset = key - base_, wanted = offset & LowBits(low_bits_);
  if (key < base_) return {0, false, 0};
  if (offset >> low_bits_ >= cells_ * kBuckets) return {count_, false, 0};
  const Bucket bucket = BucketOf(offset);
  std::uint64_t at = bucket.first;
  for (std::uint64_t length = bucket.end - bucket.first; length > 0;) {
    const std::uint64_t half = (length + 1) / 2;
    at += LowBitsAt(at + half - 1) < wanted ? half : 0;
    length -= half;
  }
  const bool found = at < bucket.end && LowBitsAt(at) == wanted;
  return {at, found, found ? ValueAt(at) : 0};
}

SparseTableView::Entry SparseTableView::At(std::uint64_t rank) const {
  const std::uint64_t entry = std::min(rank, count_ - 1), cell = CellAt(entry);
  const auto starts = StartsOf(cell);
  std::uint64_t bucket = cell * kBuckets;
  for (unsigned b = 1; b < kBuckets; ++b) bucket += starts[b] <= entry ? 1 : 0;
  return {KeyAt(bucket, entry), ValueAt(entry)};
}

// Copies entries of a cell from `from` on.
std::size_t SparseTableView::CopyCell(std::uint64_t cell, std::uint64_t from, std::span<std::uint64_t> keys, std::uint64_t* values) const {
  std::size_t n = 0;
  const auto copy = [&](std::uint64_t bucket, std::uint64_t entry) {
    keys[n] = KeyAt(cell * kBuckets + bucket, entry);
    if (values != nullptr) values[n] = ValueAt(entry);
    ++n;
  };
  const auto counts = Load<std::uint64_t>(Cell(cell) + 4);
  if (counts == sparse::kCrowdedCounts) {
    const auto starts = StartsOf(cell);
    for (unsigned b = 0; b < kBuckets; ++b) {
      for (std::uint64_t entry = std::max(starts[b], from); entry < starts[b + 1] && n < keys.size(); ++entry) copy(b, entry);
    }
    return n;
  }
  // The bucket of each entry: written 16 times, whatever its size, so that no branch has to be guessed.
  std::array<std::uint8_t, kBuckets * kBuckets> buckets;
  std::uint64_t size = 0;
  for (unsigned b = 0; b < kBuckets; ++b) {
    std::memset(buckets.data() + size, static_cast<int>(b), kBuckets);
    size += counts >> (4 * b) & 15;
  }
  const std::uint64_t first = Load<std::uint32_t>(Cell(cell)), end = std::min(first + size, count_);
  for (std::uint64_t entry = std::max(first, from); entry < end && n < keys.size(); ++entry) copy(buckets[entry - first], entry);
  return n;
}

std::size_t SparseTableView::Copy(std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values) const {
  if (rank >= count_) return 0;
  std::size_t n = 0;
  // An empty cell ends it too, so that a damaged table cannot make every copy go through all cells.
  for (std::uint64_t cell = CellAt(rank); cell < cells_ && n < keys.size(); ++cell) {
    const std::size_t copied = CopyCell(cell, rank + n, keys.subspan(n), values == nullptr ? nullptr : values + n);
    if (copied == 0) break;
    n += copied;
  }
  return n;
}

absl::Status SparseTableView::Verify() const {
  const auto damaged = [](const char* what) { return absl::DataLossError(std::string("sparse table: ") + what); };
  std::uint64_t entries = 0, crowded = 0;
  for (std::uint64_t cell = 0; cell < cells_; ++cell) {
    const auto counts = Load<std::uint64_t>(Cell(cell) + 4);
    if (Load<std::uint32_t>(Cell(cell)) != entries) return damaged("a cell miscounts");
    if (counts == sparse::kCrowdedCounts) {
      const std::byte* listed = data_ + crowded_at_ + crowded * kCrowdedBytes;
      if (crowded == crowded_ || Load<std::uint32_t>(listed) != cell) return damaged("a crowded cell is not listed");
      if (Load<std::uint16_t>(listed + 4) != 0) return damaged("a crowded cell miscounts");
      ++crowded;
      const std::uint64_t end = cell + 1 < cells_ ? Load<std::uint32_t>(Cell(cell + 1)) : count_;
      std::uint64_t start = 0;
      for (unsigned b = 1; b < kBuckets; ++b) {
        const std::uint64_t next = Load<std::uint16_t>(listed + 4 + b * std::size_t{2});
        if (next < start) return damaged("a crowded cell miscounts");
        start = next;
      }
      if (end > count_ || end < entries + start) return damaged("a crowded cell miscounts");
    } else if (entries + sparse::SumOfFields(counts) > count_) {
      return damaged("a cell miscounts");
    }
    const auto starts = StartsOf(cell);
    for (unsigned b = 0; b < kBuckets; ++b) {
      if (counts != sparse::kCrowdedCounts && starts[b + 1] - starts[b] >= kMany) return damaged("a crowded cell is not listed");
      for (std::uint64_t entry = starts[b]; entry < starts[b + 1]; ++entry) {
        if (cell * kBuckets + b > (~base_ >> low_bits_) || KeyAt(cell * kBuckets + b, entry) < base_) return damaged("a key is too large");
        if (entry > starts[b] && LowBitsAt(entry) <= LowBitsAt(entry - 1)) return damaged("keys are out of order");
      }
    }
    entries = starts[kBuckets];
  }
  if (entries != count_ || crowded != crowded_) return damaged("entries belong to no cell");
  return absl::OkStatus();
}

}  // namespace thimble
