#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/owner.h"
#include "thimble/sparse_set.h"

namespace thimble {

// What a matrix keeps of its entries.
enum class MatrixValues : std::uint8_t {
  kPattern = 0,  // where they are: every entry counts as 1
  kF32 = 1,
  kF64 = 2,
  kInteger = 3,  // whole numbers, in the bits that their range needs
};

// Which entries lie side by side: those of a row (CSR) or of a column (CSC).
enum class MatrixOrder : std::uint8_t { kRows = 0, kColumns = 1 };

struct MatrixEntry {
  std::uint64_t row, column;
  double value;
};

// Reads a SparseMatrix.
class SparseMatrixView {
 public:
  static constexpr Kind kKind = Kind::kSparseMatrix;

  static absl::StatusOr<SparseMatrixView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t rows() const { return rows_; }
  std::uint64_t columns() const { return columns_; }
  std::uint64_t size() const { return index_.size(); }  // entries
  MatrixOrder order() const { return order_; }
  MatrixValues values() const { return values_; }
  unsigned value_bits() const { return value_bits_; }

  // The value at a place, 0 where there is no entry. Requires: row < rows(), column < columns().
  double At(std::uint64_t row, std::uint64_t column) const;
  // The entries of a row in order of columns: O(entries) in row order, O(columns log) in column order.
  std::vector<MatrixEntry> Row(std::uint64_t row) const;
  // How many entries stand before a line: a row, or a column in column order. Requires: line is at most their number.
  std::uint64_t LineBegin(std::uint64_t line) const { return index_.Rank(line * LineLength()); }
  // Copies entries [first, first + out.size()) in the matrix's own order; returns how many there were.
  std::size_t Copy(std::uint64_t first, std::span<MatrixEntry> out) const;

  // y = A x. Requires: x.size() == columns(), y.size() == rows(), and they do not overlap.
  void Multiply(std::span<const double> x, std::span<double> y) const;
  // y = A' x. Requires: x.size() == rows(), y.size() == columns(), and they do not overlap.
  void MultiplyTransposed(std::span<const double> x, std::span<double> y) const;

 private:
  template <bool gathers>
  friend class SparseMatrixProduct;

  std::uint64_t Lines() const { return order_ == MatrixOrder::kRows ? rows_ : columns_; }
  std::uint64_t LineLength() const { return order_ == MatrixOrder::kRows ? columns_ : rows_; }
  template <bool gathers>
  void Product(std::span<const double> x, std::span<double> y) const;
  double Value(std::uint64_t i) const;
  void CopyValues(std::uint64_t first, std::span<double> out) const;

  std::span<const std::byte> image_;
  const std::byte* value_data_ = nullptr;
  SparseSetView index_;  // line * LineLength() + place in the line
  std::uint64_t rows_ = 0, columns_ = 0;
  std::int64_t lowest_ = 0;  // of the integers
  std::uint64_t value_count_ = 0;
  unsigned value_bits_ = 0;
  MatrixOrder order_ = MatrixOrder::kRows;
  MatrixValues values_ = MatrixValues::kPattern;
};

// A matrix of which few entries are not zero.
//
//   SparseMatrix::Builder coo({.rows = pages, .columns = pages});
//   if (absl::Status added = coo.Add(from, to, 1.0); !added.ok()) return added;   // any order; duplicates are summed
//   SparseMatrix links = *coo.Finish();
//   links.Multiply(rank, next);                // next = A rank
//   SparseMatrix back = links.Transposed();
//
// The places of the entries are one packed SparseSet of row * columns + column, so an entry costs the Elias-Fano code of its
// gap, whole rows share partitions, and where a row begins is a rank. Values follow in that order.
//
// Space    n (log2(rows * columns / n) + 2) bits and 1 %, and the values: 8 or 4 bytes, or the bits of an integer's range
//          1M x 1M, 10 a row: 2.3 bytes an entry, 10.3 with f64
// Error    exact; sums and products in double precision
// Time     Multiply O(entries), in order of memory; At O(log n); Transposed and Rows sort what they take
// Threads  const methods are safe together
// Errors   Add returns kOutOfRange beyond the matrix; Finish kInvalidArgument for values that kInteger cannot hold
// Paper    Elias 1974; Fano 1971; Saad 1994 (CSR, CSC)
class SparseMatrix : public Owner<SparseMatrixView> {
 public:
  struct Options {
    std::uint64_t rows = 0, columns = 0;  // rows * columns < 2^64
    MatrixValues values = MatrixValues::kF64;
    MatrixOrder order = MatrixOrder::kRows;
  };
  class Builder;

  // Takes over an image, through Verify.
  static absl::StatusOr<SparseMatrix> Open(Buffer buffer);

  // The transposed matrix, in the same order.
  SparseMatrix Transposed() const;
  // The same matrix in the other order: CSC of CSR.
  SparseMatrix Reordered() const;
  // Rows first..last - 1, as a matrix of so many rows. Requires: first <= last <= rows().
  SparseMatrix Rows(std::uint64_t first, std::uint64_t last) const;
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  SparseMatrix(const SparseMatrixView& view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

// Takes entries as coordinates, 24 bytes each until Finish.
class SparseMatrix::Builder {
 public:
  explicit Builder(const Options& options) : options_(options) {}

  // Returns kOutOfRange if the place lies beyond the matrix.
  absl::Status Add(std::uint64_t row, std::uint64_t column, double value = 1);
  // Sorts, sums duplicates, keeps entries that sum to zero. Returns kInvalidArgument for impossible options or values.
  absl::StatusOr<SparseMatrix> Finish() { return Finish(Buffer()); }
  // The same in a buffer that may have to grow.
  absl::StatusOr<SparseMatrix> Finish(Buffer into);

 private:
  Options options_;
  std::vector<MatrixEntry> entries_;
};

// The Matrix Market exchange format, coordinate and array layout, real, integer and pattern, general and symmetric (also skew).
// Returns kDataLoss with the line's number if the text is not that, kUnimplemented for complex matrices.
absl::StatusOr<SparseMatrix> ParseMatrixMarket(std::string_view text, MatrixOrder order = MatrixOrder::kRows);
std::string FormatMatrixMarket(const SparseMatrixView& matrix);

}  // namespace thimble
