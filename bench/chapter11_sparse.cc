// The sparse experiment of High Performance Python, chapter 11, redone: at which density is a sparse matrix smaller than a
// dense one, and at which is its product with a vector faster? And the chapter's text example: a file of documents as a matrix
// of hashed features, and as one with an exact dictionary.
//
//   build/bench/chapter11_sparse [FILE]        one document a line; without a file, generated text

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "thimble/feature_hasher.h"
#include "thimble/sparse_matrix.h"

namespace thimble {
namespace {

template <class F>
double Seconds(F function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class F>
double BestOf(int rounds, F function) {
  double best = Seconds(function);
  for (int i = 1; i < rounds; ++i) best = std::min(best, Seconds(function));
  return best;
}

// Four sums, so that an addition need not wait for the one before. Requires: n is a multiple of 4.
double Dot(const double* a, const double* b, std::size_t n) {
  double sums[4] = {};
  for (std::size_t i = 0; i < n; i += 4) {
    for (std::size_t part = 0; part < 4; ++part) sums[part] += a[i + part] * b[i + part];
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

void Densities(std::size_t side) {
  std::printf("%zu x %zu, f64: a dense matrix takes %.1f MB\n", side, side, static_cast<double>(side * side * 8) / 1e6);
  std::printf("%10s %12s %12s %14s %14s %8s\n", "density", "sparse MB", "of dense", "sparse ms", "dense ms", "ratio");
  std::mt19937_64 random(1);
  double crossing_bytes = 0, crossing_time = 0, before_density = 0, before_bytes = 0, before_time = 0;
  for (const double density : {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0}) {
    std::vector<double> dense(side * side), x(side, 1.5), y(side), z(side);
    SparseMatrix::Builder builder({.rows = side, .columns = side});
    const auto threshold = static_cast<std::uint64_t>(density * 4294967296.0);
    for (std::size_t i = 0; i < dense.size(); ++i) {
      if ((random() >> 32) >= threshold) continue;
      dense[i] = 1 + static_cast<double>(i % 7);
      (void)builder.Add(i / side, i % side, dense[i]);
    }
    const SparseMatrix sparse = *builder.Finish();
    const double sparse_seconds = BestOf(5, [&] { sparse.Multiply(x, y); });
    const double dense_seconds = BestOf(5, [&] {
      for (std::size_t row = 0; row < side; ++row) {
        z[row] = Dot(dense.data() + row * side, x.data(), side);
      }
    });
    for (std::size_t row = 0; row < side; ++row) {
      if (std::abs(y[row] - z[row]) > 1e-6 * std::abs(z[row])) std::printf("the products differ in row %zu\n", row);
    }
    const double bytes = static_cast<double>(sparse.image().size()) / static_cast<double>(dense.size() * 8), time = sparse_seconds / dense_seconds;
    std::printf("%9.1f%% %12.2f %12.3f %14.3f %14.3f %8.3f\n", density * 100, static_cast<double>(sparse.image().size()) / 1e6, bytes,
                sparse_seconds * 1e3, dense_seconds * 1e3, time);
    // Where a ratio passes 1, between this density and the one before.
    const auto crossing = [&](double from, double to) { return before_density + (density - before_density) * (1 - from) / (to - from); };
    if (before_bytes < 1 && bytes >= 1 && crossing_bytes == 0) crossing_bytes = crossing(before_bytes, bytes);
    if (before_time < 1 && time >= 1 && crossing_time == 0) crossing_time = crossing(before_time, time);
    before_density = density, before_bytes = bytes, before_time = time;
  }
  const auto report = [](const char* what, double at) {
    at > 0 ? std::printf("sparse is %s than dense below a density of %.1f %%\n", what, at * 100) : std::printf("sparse is %s than dense at every density\n", what);
  };
  report("smaller", crossing_bytes);
  report("faster", crossing_time);
}

std::vector<std::string_view> Tokens(std::string_view line) {
  std::vector<std::string_view> tokens;
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) != 0; };
  for (std::size_t at = 0; at < line.size();) {
    while (at < line.size() && !is_word(line[at])) ++at;
    const std::size_t begin = at;
    while (at < line.size() && is_word(line[at])) ++at;
    if (at > begin) tokens.push_back(line.substr(begin, at - begin));
  }
  return tokens;
}

// Documents of words with Zipf's frequencies.
std::vector<std::string> Documents(std::size_t n) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<std::string> documents(n);
  for (std::string& document : documents) {
    for (int i = 0; i < 80; ++i) {
      document += std::to_string(static_cast<std::uint64_t>(std::exp(uniform(random) * std::log(200000.0))));
      document += ' ';
    }
  }
  return documents;
}

void Text(const std::vector<std::string>& documents) {
  const auto report = [](const char* name, double matrix, double dictionary, double seconds, std::uint64_t columns, std::uint64_t entries) {
    std::printf("%-18s %12.2f %14.2f %10.2f %12llu %12llu\n", name, matrix / 1e6, dictionary / 1e6, seconds, static_cast<unsigned long long>(columns),
                static_cast<unsigned long long>(entries));
  };
  std::printf("\n%zu documents\n%-18s %12s %14s %10s %12s %12s\n", documents.size(), "", "matrix MB", "dictionary MB", "seconds", "columns", "entries");
  for (const unsigned bits : {14u, 17u, 20u}) {
    const FeatureHasher hasher({.columns = std::uint64_t{1} << bits});
    std::uint64_t bytes = 0, entries = 0;
    const double seconds = Seconds([&] {
      SparseMatrix::Builder builder({.rows = documents.size(), .columns = hasher.columns(), .values = MatrixValues::kInteger});
      for (std::size_t row = 0; row < documents.size(); ++row) (void)hasher.AddRow(row, Tokens(documents[row]), builder);
      const SparseMatrix matrix = *builder.Finish();
      bytes = matrix.image().size(), entries = matrix.size();
    });
    std::string name = "hashed, 2^";
    name += std::to_string(bits);
    report(name.c_str(), static_cast<double>(bytes), 0, seconds, hasher.columns(), entries);
  }
  std::uint64_t bytes = 0, entries = 0, columns = 0;
  double dictionary = 0;
  const double seconds = Seconds([&] {
    std::unordered_map<std::string, std::uint64_t> numbers;
    std::vector<MatrixEntry> counted;
    for (std::size_t row = 0; row < documents.size(); ++row) {
      for (const std::string_view token : Tokens(documents[row])) counted.push_back({row, numbers.try_emplace(std::string(token), numbers.size()).first->second, 1});
    }
    columns = numbers.size();
    SparseMatrix::Builder builder({.rows = documents.size(), .columns = columns, .values = MatrixValues::kInteger});
    for (const MatrixEntry& entry : counted) (void)builder.Add(entry.row, entry.column, entry.value);
    const SparseMatrix matrix = *builder.Finish();
    bytes = matrix.image().size(), entries = matrix.size();
    // A node holds the string, its number, its hash and a link; a bucket is a pointer.
    dictionary = static_cast<double>(numbers.size() * (sizeof(std::string) + 24 + 8) + numbers.bucket_count() * 8);
    for (const auto& [token, number] : numbers) dictionary += token.size() > 15 ? static_cast<double>(token.size()) + 17 : 0;
  });
  report("exact dictionary", static_cast<double>(bytes), dictionary, seconds, columns, entries);
}

}  // namespace
}  // namespace thimble

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  thimble::Densities(quick ? 256 : 2048);
  std::vector<std::string> documents;
  if (argc > 1 && !quick) {
    std::ifstream in(argv[1]);
    for (std::string line; std::getline(in, line);) documents.push_back(line);
    if (documents.empty()) {
      std::fprintf(stderr, "chapter11_sparse: %s holds no line\n", argv[1]);
      return 1;
    }
  } else {
    documents = thimble::Documents(quick ? 500 : 20000);
  }
  thimble::Text(documents);
  return 0;
}
