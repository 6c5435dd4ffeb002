#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <absl/status/status.h>

#include "thimble/hash.h"
#include "thimble/sparse_matrix.h"

namespace thimble {

// Turns tokens into columns of a matrix by hashing: no dictionary to build, to keep or to agree on.
//
//   FeatureHasher hasher({.columns = 1 << 20});
//   SparseMatrix::Builder coo({.rows = documents.size(), .columns = hasher.columns()});
//   for (row ...) hasher.AddRow(row, tokens, coo);
//
// A token adds +1 or -1 at its column, by a bit of its hash, so that two tokens that share a column cancel as often as they
// add, and inner products of rows are unbiased.
//
// Space    none
// Error    a row's squared norm and inner products: unbiased, variance O(1 / columns)
// Time     one hash a token
// Threads  const methods are safe together
// Paper    Weinberger, Dasgupta, Langford, Smola, Attenberg, ICML 2009
class FeatureHasher {
 public:
  struct Options {
    std::uint64_t columns = 1 << 20;
    bool is_signed = true;
    std::uint64_t seed = 0;
  };
  struct Feature {
    std::uint64_t column;
    double sign;  // 1 or -1
  };

  FeatureHasher() : FeatureHasher(Options{}) {}
  // Requires: options.columns > 0.
  explicit FeatureHasher(const Options& options) : options_(options) {}

  std::uint64_t columns() const { return options_.columns; }

  // Where a token counts, and how.
  Feature Of(std::string_view token) const {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t hash = Hash64(token, options_.seed);
    // The column takes the high bits, the sign the lowest.
    return {static_cast<std::uint64_t>(Wide{hash} * options_.columns >> 64), options_.is_signed && (hash & 1) != 0 ? -1.0 : 1.0};
  }

  // Adds a document's tokens, each as often as it stands there.
  absl::Status AddRow(std::uint64_t row, std::span<const std::string_view> tokens, SparseMatrix::Builder& to) const {
    for (const std::string_view token : tokens) {
      const Feature feature = Of(token);
      if (absl::Status added = to.Add(row, feature.column, feature.sign); !added.ok()) return added;
    }
    return absl::OkStatus();
  }

 private:
  Options options_;
};

}  // namespace thimble
