#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/sparse_set.h"

namespace thimble {

// The portable Roaring format, that of RoaringFormatSpec: what CRoaring, RoaringBitmap (Java), Lucene's and Spark's users
// exchange. The 32-bit form holds numbers below 2^32; the 64-bit one is that of Roaring64Map: bitmaps by their high halves.
//
//   SparseSet set = *ParseRoaring(bytes);
//   std::vector<std::byte> out = *FormatRoaring(set);
//
// Writing chooses for every container the smallest of array, bitmap and runs. Every container's numbers are checked while
// reading: they must ascend and be as many as promised, and no byte may be left over.
//
// Errors   parsing returns kDataLoss; FormatRoaring kOutOfRange if an element is 2^32 or more
// Paper    Lemire, Kaser, Kurz, Deri, O'Hara, Saint-Jacques, Ssi-Yan-Kai 2018, arXiv:1709.07821
absl::StatusOr<SparseSet> ParseRoaring(std::span<const std::byte> bytes);
absl::StatusOr<SparseSet> ParseRoaring64(std::span<const std::byte> bytes);
absl::StatusOr<std::vector<std::byte>> FormatRoaring(const SparseSetView& set);
std::vector<std::byte> FormatRoaring64(const SparseSetView& set);

}  // namespace thimble
