#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace thimble::internal {

// The lengths of prefix codes of at most `most` bits for symbols that are used so often, the most used first; lengths ascend.
inline std::vector<unsigned> PrefixLengths(std::span<const double> uses, unsigned most) {
  const std::size_t n = uses.size();
  if (n <= 1) return std::vector<unsigned>(n, 1);
  // Huffman with two queues: leaves from the least used on, and inner nodes as they are made.
  std::vector<double> weight(2 * n - 1);
  std::vector<std::size_t> parent(2 * n - 1);
  for (std::size_t i = 0; i < n; ++i) weight[i] = uses[n - 1 - i] + 0.05;
  std::size_t leaf = 0, inner = n;
  for (std::size_t made = n; made < 2 * n - 1; ++made) {
    weight[made] = 0;
    for (int child = 0; child < 2; ++child) {
      const std::size_t least = leaf < n && (inner >= made || weight[leaf] <= weight[inner]) ? leaf++ : inner++;
      weight[made] += weight[least];
      parent[least] = made;
    }
  }
  std::vector<unsigned> depth(2 * n - 1, 0);
  for (std::size_t i = 2 * n - 2; i-- > 0;) depth[i] = depth[parent[i]] + 1;
  std::vector<unsigned> lengths(n);
  for (std::size_t i = 0; i < n; ++i) lengths[i] = std::min(depth[n - 1 - i], most);
  // Cutting long codes leaves too many of them: lengthen the least used of the shorter ones until all fit.
  const auto share = [most](unsigned length) { return std::uint64_t{1} << (most - length); };
  std::uint64_t used = 0;
  for (const unsigned length : lengths) used += share(length);
  for (std::size_t i = n; used > share(0) && i-- > 0;) {
    while (lengths[i] < most && used > share(0)) {
      used -= share(lengths[i]) / 2;
      ++lengths[i];
    }
  }
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

}  // namespace thimble::internal
