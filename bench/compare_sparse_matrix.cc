// SparseMatrix beside Eigen's CSR: bytes an entry, and the product with a vector.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#if THIMBLE_HAS_EIGEN
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wextra-semi"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wdeprecated-enum-enum-conversion"
#include <Eigen/SparseCore>
#pragma GCC diagnostic pop
#endif

#include "compare.h"
#include "thimble/sparse_matrix.h"

namespace thimble::bench {
namespace {

void RunSparseMatrix(Comparison& c) {
  const std::uint64_t side = c.Size(1000000, 20000), per_row = 10;
  const auto entries = static_cast<double>(side * per_row);
  const auto make = [&](MatrixValues values) {
    SparseMatrix::Builder builder({.rows = side, .columns = side, .values = values});
    std::mt19937_64 random(1);
    for (std::uint64_t row = 0; row < side; ++row) {
      for (std::uint64_t i = 0; i < per_row; ++i) Keep(builder.Add(row, random() % side, static_cast<double>(i + 1) / 3).ok());
    }
    return *builder.Finish();
  };
  const SparseMatrix matrix = make(MatrixValues::kF64);
  double eigen_bytes = 8 + 4 + 4.0 / static_cast<double>(per_row);
  c.Exact("10 a row", "bytes, f64", static_cast<double>(matrix.image().size()) / entries, "csr", eigen_bytes);
  c.Exact("10 a row", "bytes, pattern", static_cast<double>(make(MatrixValues::kPattern).image().size()) / entries, "csr", eigen_bytes - 8);
#if THIMBLE_HAS_EIGEN
  Eigen::SparseMatrix<double, Eigen::RowMajor> peer(static_cast<int>(side), static_cast<int>(side));
  {
    std::vector<Eigen::Triplet<double>> triplets;
    std::vector<MatrixEntry> some(4096);
    for (std::uint64_t first = 0; first < matrix.size();) {
      const std::size_t n = matrix.Copy(first, some);
      for (std::size_t i = 0; i < n; ++i) triplets.emplace_back(static_cast<int>(some[i].row), static_cast<int>(some[i].column), some[i].value);
      first += n;
    }
    peer.setFromTriplets(triplets.begin(), triplets.end());
  }
  std::vector<double> x(side), y(side);
  std::mt19937_64 random(2);
  for (double& value : x) value = static_cast<double>(random() % 1000) / 7;
  const Eigen::Map<const Eigen::VectorXd> their_x(x.data(), static_cast<Eigen::Index>(side));
  Eigen::VectorXd their_y(static_cast<Eigen::Index>(side));
  c.Time("10 a row", "product ns", static_cast<std::size_t>(entries), [&] { matrix.Multiply(x, y); Keep(y[0]); },
         {{"eigen csr", [&] { their_y.noalias() = peer * their_x; Keep(their_y[0]); }}});
  double worst = 0;
  for (std::uint64_t i = 0; i < side; ++i) worst = std::max(worst, std::abs(y[i] - their_y[static_cast<Eigen::Index>(i)]));
  c.Exact("10 a row", "largest difference", worst, "eigen csr", 0);
#endif
}

const Family sparse_matrix_family{"sparse_matrix", "sparse matrices of 1M x 1M", RunSparseMatrix};

}  // namespace
}  // namespace thimble::bench
