#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "front_bucket.h"
#include "thimble/image.h"
#include "token_codes.h"
#include "token_section.h"

namespace thimble::internal {

// The image of a StringDictionary.
//
//   tokens    the token table, for prefix codes with short entries if the arena allows; then the first byte of each token, or
//             for prefix codes their lengths, and the table of an LcpCode where it saves more than it takes
//   leaves    buckets of 32 keys
//   nodes     buckets of 32 separators, with first bytes, one for each leaf: the shortest prefix of the leaf's first key that is larger
//             than every key before. The first key of a leaf is its separator and what its tokens add.
//   root      the separators of the nodes, whole; for each its first eight bytes as a number, and where its node begins
//   offsets   where each leaf begins: for every node a u64, and 32 distances from it, packed
//
// Parameters: 0 coding | lead << 8 | stop << 16 | offset bits << 24; 1 tokens; 2 arena bytes; 3 leaf bytes; 4 node bytes;
// 5 root bytes; 6 longest key; 7 bytes of the table of LCPs.
inline constexpr std::uint64_t kFanOut = FrontBucket::kStrings;
inline constexpr std::uint64_t kRootEntry = 16;  // u64 end of the separator, u64 start of the node
inline constexpr std::uint64_t kBucketSlack = 128;
inline constexpr std::uint64_t kLengthsBytes = sizeof(BitCode::Lengths) + sizeof(BitCode::Quick);

inline std::uint64_t BucketsOf(std::uint64_t strings) { return strings / kFanOut + (strings % kFanOut != 0); }

// The first eight bytes of a separator as a number: in its order, except that NULs behind its end do not count.
inline std::uint64_t HeadOf(std::string_view separator) {
  std::uint64_t head = 0;
  std::memcpy(&head, separator.data(), std::min<std::size_t>(separator.size(), 8));
  return __builtin_bswap64(head);
}

// Bytes of the offsets of one node's leaves.
inline std::uint64_t OffsetBlock(unsigned offset_bits) { return 8 + kFanOut * offset_bits / 8; }

struct DictionaryLayout {
  ImageLayout layout{128};
  TokenSection tokens;
  std::uint64_t firsts, lengths, lcps, leaves;
  std::uint64_t nodes = 0, root = 0, root_heads = 0, root_table = 0, offsets = 0;

  // The leaves come early: while a dictionary is built they are all that grows.
  DictionaryLayout(std::uint64_t token_count, std::uint64_t arena_bytes, bool prefix_codes, std::uint64_t lcp_bytes)
      : tokens(layout, token_count, arena_bytes, prefix_codes && BitCode::HasShortEntries(arena_bytes)),
        firsts(layout.Add(prefix_codes ? 0 : token_count, 8)),
        lengths(layout.Add(prefix_codes ? kLengthsBytes : 0, 8)),
        lcps(layout.Add(lcp_bytes, 8)),
        leaves(layout.Add(0, 8)) {}

  void AddLevels(std::uint64_t leaf_bytes, std::uint64_t node_bytes, std::uint64_t root_bytes, std::uint64_t node_count,
                 unsigned offset_bits) {
    layout.Add(leaf_bytes, 8);
    nodes = layout.Add(node_bytes, 8);
    root = layout.Add(root_bytes, 8);
    root_heads = layout.Add(node_count, 64);
    root_table = layout.Add(node_count, 8 * kRootEntry);
    offsets = layout.Add(node_count, 8 * OffsetBlock(offset_bits));
    layout.Add(kBucketSlack, 8);
  }
};

}  // namespace thimble::internal
