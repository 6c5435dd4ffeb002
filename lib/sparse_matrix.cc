#include "thimble/sparse_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "sparse_build.h"
#include "status_macros.h"
#include "thimble/bits.h"

namespace thimble {
namespace {

// Parameters in the header.
enum Parameter { kRows, kColumns, kOrder, kValues, kValueBits, kLowest, kIndexBytes };

constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kChunk = 1024;

unsigned BitsOf(MatrixValues values, std::uint64_t integer_bits) {
  switch (values) {
    case MatrixValues::kPattern: return 0;
    case MatrixValues::kF32: return 32;
    case MatrixValues::kF64: return 64;
    case MatrixValues::kInteger: return static_cast<unsigned>(integer_bits);
  }
  return 0;
}

// Whether places of a matrix can be numbered.
bool Fits(std::uint64_t rows, std::uint64_t columns) { return columns == 0 || rows <= ~std::uint64_t{0} / columns; }

}  // namespace

absl::StatusOr<SparseMatrixView> SparseMatrixView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const auto& parameters = header.parameters;
  if (header.header_bytes != kHeaderBytes || parameters[kOrder] > 1 || parameters[kValues] > 3 || parameters[kValueBits] > 64 ||
      !Fits(parameters[kRows], parameters[kColumns])) {
    return absl::DataLossError("sparse matrix: bad parameters");
  }
  SparseMatrixView view;
  view.rows_ = parameters[kRows];
  view.columns_ = parameters[kColumns];
  view.order_ = static_cast<MatrixOrder>(parameters[kOrder]);
  view.values_ = static_cast<MatrixValues>(parameters[kValues]);
  view.lowest_ = static_cast<std::int64_t>(parameters[kLowest]);
  view.value_bits_ = BitsOf(view.values_, parameters[kValueBits]);
  view.value_count_ = header.count;
  ImageLayout layout(kHeaderBytes);
  const std::uint64_t index = layout.Add(parameters[kIndexBytes], 8, kImageAlignment);
  const std::uint64_t values = layout.Add(header.count, view.value_bits_);
  if (layout.image_bytes() != header.image_bytes) return absl::DataLossError("sparse matrix: bad length");
  view.image_ = image.first(static_cast<std::size_t>(header.image_bytes));
  view.value_data_ = image.data() + values;
  THIMBLE_ASSIGN_OR_RETURN(view.index_, SparseSetView::Open(view.image_.subspan(static_cast<std::size_t>(index), static_cast<std::size_t>(parameters[kIndexBytes]))));
  if (view.index_.size() != header.count) return absl::DataLossError("sparse matrix: entries and values differ in number");
  return view;
}

absl::Status SparseMatrixView::Verify() const {
  THIMBLE_RETURN_IF_ERROR(index_.Verify());
  if (!index_.empty() && (LineLength() == 0 || index_.Select(index_.size() - 1) / LineLength() >= Lines())) {
    return absl::DataLossError("sparse matrix: an entry lies beyond it");
  }
  return absl::OkStatus();
}

double SparseMatrixView::Value(std::uint64_t i) const {
  double value = 1;
  if (i < value_count_) CopyValues(i, {&value, 1});
  return value;
}

// Requires: first + out.size() <= value_count_.
void SparseMatrixView::CopyValues(std::uint64_t first, std::span<double> out) const {
  switch (values_) {
    case MatrixValues::kPattern: std::fill(out.begin(), out.end(), 1.0); break;
    case MatrixValues::kF64: std::memcpy(out.data(), value_data_ + first * 8, out.size() * 8); break;
    case MatrixValues::kF32:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(Load<float>(value_data_ + (first + i) * 4));
      break;
    case MatrixValues::kInteger:
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::uint64_t above = ReadBits(value_data_, (first + i) * value_bits_, value_bits_);
        out[i] = static_cast<double>(static_cast<std::int64_t>(static_cast<std::uint64_t>(lowest_) + above));
      }
      break;
  }
}

double SparseMatrixView::At(std::uint64_t row, std::uint64_t column) const {
  const bool by_rows = order_ == MatrixOrder::kRows;
  const SparseTreeView::Place place = index_.Find(by_rows ? row * columns_ + column : column * rows_ + row);
  return place.found ? Value(place.rank) : 0;
}

std::size_t SparseMatrixView::Copy(std::uint64_t first, std::span<MatrixEntry> out) const {
  std::array<std::uint64_t, kChunk> keys;
  std::size_t done = 0;
  const std::uint64_t length = std::max<std::uint64_t>(LineLength(), 1);
  while (done < out.size()) {
    const std::size_t n = index_.Copy(first + done, std::span(keys).first(std::min(kChunk, out.size() - done)));
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t line = keys[i] / length, place = keys[i] % length;
      out[done + i] = order_ == MatrixOrder::kRows ? MatrixEntry{line, place, Value(first + done + i)} : MatrixEntry{place, line, Value(first + done + i)};
    }
    done += n;
  }
  return done;
}

std::vector<MatrixEntry> SparseMatrixView::Row(std::uint64_t row) const {
  std::vector<MatrixEntry> entries;
  if (order_ == MatrixOrder::kRows) {
    const std::uint64_t first = LineBegin(row), last = row + 1 < rows_ ? LineBegin(row + 1) : index_.size();
    // A damaged index may count more than it holds.
    if (last > first && last - first <= std::min(columns_, index_.size())) {
      entries.resize(static_cast<std::size_t>(std::min<std::uint64_t>(last - first, image_.size() * 8)));
      entries.resize(Copy(first, entries));
    }
    return entries;
  }
  for (std::uint64_t column = 0; column < columns_; ++column) {
    const SparseTreeView::Place place = index_.Find(column * rows_ + row);
    if (place.found) entries.push_back({row, column, Value(place.rank)});
  }
  return entries;
}

absl::StatusOr<SparseMatrix> SparseMatrix::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const SparseMatrixView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return SparseMatrix(view, std::move(buffer));
}

absl::Status SparseMatrix::Builder::Add(std::uint64_t row, std::uint64_t column, double value) {
  if (row >= options_.rows || column >= options_.columns) return absl::OutOfRangeError("sparse matrix: the place lies beyond it");
  entries_.push_back({row, column, value});
  return absl::OkStatus();
}

absl::StatusOr<SparseMatrix> SparseMatrix::Builder::Finish(Buffer into) {
  if (!Fits(options_.rows, options_.columns)) return absl::InvalidArgumentError("sparse matrix: rows * columns must be below 2^64");
  const bool by_rows = options_.order == MatrixOrder::kRows;
  const std::uint64_t length = by_rows ? options_.columns : options_.rows;
  const auto key = [&](const MatrixEntry& entry) { return by_rows ? entry.row * length + entry.column : entry.column * length + entry.row; };
  // Stable, so that duplicates are summed in the order in which they came.
  const auto before = [&](const MatrixEntry& a, const MatrixEntry& b) { return key(a) < key(b); };
  if (!std::is_sorted(entries_.begin(), entries_.end(), before)) std::stable_sort(entries_.begin(), entries_.end(), before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (kept > 0 && key(entries_[kept - 1]) == key(entries_[i])) {
      entries_[kept - 1].value += entries_[i].value;
    } else {
      entries_[kept++] = entries_[i];
    }
  }
  entries_.resize(kept);

  SparseTreeBuilder tree(Kind::kSparseSet, 0, 0, SparseTreeBuilder::kPacked);
  for (const MatrixEntry& entry : entries_) tree.Add(key(entry));
  THIMBLE_ASSIGN_OR_RETURN(const Buffer index_buffer, tree.Finish());
  THIMBLE_ASSIGN_OR_RETURN(const SparseSetView index, SparseSetView::Open(index_buffer.bytes()));

  std::int64_t lowest = 0, highest = 0;
  if (options_.values == MatrixValues::kInteger && kept > 0) {
    double least = entries_[0].value, most = least;
    for (const MatrixEntry& entry : entries_) {
      if (entry.value != std::nearbyint(entry.value) || std::abs(entry.value) > 9007199254740992.0) {
        return absl::InvalidArgumentError("sparse matrix: a value is no whole number below 2^53");
      }
      least = std::min(least, entry.value);
      most = std::max(most, entry.value);
    }
    lowest = static_cast<std::int64_t>(least);
    highest = static_cast<std::int64_t>(most);
  }
  const unsigned integer_bits = sparse::WidthOf(static_cast<std::uint64_t>(highest) - static_cast<std::uint64_t>(lowest));
  const unsigned bits = BitsOf(options_.values, integer_bits);

  ImageLayout layout(kHeaderBytes);
  const std::size_t index_bytes = index.image().size();
  const auto index_at = static_cast<std::size_t>(layout.Add(index_bytes, 8, kImageAlignment));
  const auto values_at = static_cast<std::size_t>(layout.Add(kept, bits));
  const std::uint64_t image_bytes = layout.image_bytes();
  if (into.size() == 0) into = Buffer::Heap(static_cast<std::size_t>(image_bytes));
  THIMBLE_RETURN_IF_ERROR(into.Grow(static_cast<std::size_t>(image_bytes)));
  ImageHeader header{.kind = Kind::kSparseMatrix, .header_bytes = kHeaderBytes, .image_bytes = image_bytes, .count = kept, .used_bytes = image_bytes};
  header.parameters = {options_.rows, options_.columns, static_cast<std::uint64_t>(options_.order), static_cast<std::uint64_t>(options_.values), bits,
                       static_cast<std::uint64_t>(lowest), index_bytes};
  header.Write(into.bytes());
  std::memcpy(into.data() + index_at, index.image().data(), index_bytes);
  std::byte* values = into.data() + values_at;
  for (std::size_t i = 0; i < kept; ++i) {
    const double value = entries_[i].value;
    switch (options_.values) {
      case MatrixValues::kPattern: break;
      case MatrixValues::kF64: Store(values + i * 8, value); break;
      case MatrixValues::kF32: Store(values + i * 4, static_cast<float>(value)); break;
      case MatrixValues::kInteger:
        WriteBits(values, i * bits, bits, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) - static_cast<std::uint64_t>(lowest));
        break;
    }
  }
  entries_.clear();
  THIMBLE_ASSIGN_OR_RETURN(const SparseMatrixView view, ViewOf(into));
  return SparseMatrix(view, std::move(into));
}

namespace {

// A matrix of the entries in [first, last) of another, each changed by `change`.
template <class Change>
SparseMatrix Changed(const SparseMatrixView& from, std::uint64_t first, std::uint64_t last, const SparseMatrix::Options& options, Change change) {
  SparseMatrix::Builder builder(options);
  std::array<MatrixEntry, kChunk> entries;
  while (first < last) {
    const std::size_t n = from.Copy(first, std::span(entries).first(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, last - first))));
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i) change(entries[i], builder);
    first += n;
  }
  return *builder.Finish();
}

}  // namespace

SparseMatrix SparseMatrix::Transposed() const {
  return Changed(*this, 0, size(), {.rows = columns(), .columns = rows(), .values = values(), .order = order()},
                 [](const MatrixEntry& entry, Builder& to) { (void)to.Add(entry.column, entry.row, entry.value); });
}

SparseMatrix SparseMatrix::Reordered() const {
  const MatrixOrder other = order() == MatrixOrder::kRows ? MatrixOrder::kColumns : MatrixOrder::kRows;
  return Changed(*this, 0, size(), {.rows = rows(), .columns = columns(), .values = values(), .order = other},
                 [](const MatrixEntry& entry, Builder& to) { (void)to.Add(entry.row, entry.column, entry.value); });
}

SparseMatrix SparseMatrix::Rows(std::uint64_t first, std::uint64_t last) const {
  const bool by_rows = order() == MatrixOrder::kRows;
  const std::uint64_t from = by_rows ? LineBegin(first) : 0, to_end = by_rows && last < rows() ? LineBegin(last) : size();
  return Changed(*this, from, to_end, {.rows = last - first, .columns = columns(), .values = values(), .order = order()},
                 [first, last](const MatrixEntry& entry, Builder& to) {
                   if (entry.row >= first && entry.row < last) (void)to.Add(entry.row - first, entry.column, entry.value);
                 });
}

}  // namespace thimble
