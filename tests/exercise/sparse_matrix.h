#pragma once

#include <cstdint>
#include <vector>

#include "thimble/sparse_matrix.h"

namespace thimble {

// Calls every const method, whatever the image holds; the answers do not matter.
inline void Exercise(const SparseMatrixView& matrix) {
  constexpr std::uint64_t kMost = 1000;  // of what has to be allocated or printed
  double sum = static_cast<double>(matrix.size());
  for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{63}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    sum += matrix.At(place, place) + matrix.At(place, 3) + static_cast<double>(matrix.LineBegin(place));
    if (matrix.columns() < kMost) sum += static_cast<double>(matrix.Row(place).size());
  }
  std::vector<MatrixEntry> some(200);
  sum += static_cast<double>(matrix.Copy(0, some) + matrix.Copy(matrix.size() / 2, some) + matrix.Copy(~std::uint64_t{0}, some));
  sum += matrix.Verify().ok() ? 1 : 0;
  if (matrix.rows() < kMost && matrix.columns() < kMost && matrix.size() < kMost) {
    std::vector<double> of_rows(matrix.rows()), of_columns(matrix.columns());
    matrix.Multiply(of_columns, of_rows);
    matrix.MultiplyTransposed(of_rows, of_columns);
    sum += static_cast<double>(FormatMatrixMarket(matrix).size());
  }
  asm volatile("" : : "x"(sum));
}

}  // namespace thimble
