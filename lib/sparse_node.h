#pragma once

// Inner nodes of a sparse tree; see thimble/sparse_tree.h for what they look like.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sparse_leaf.h"
#include "thimble/bytes.h"

namespace thimble::sparse {

inline constexpr std::size_t kNodeHeaderBytes = 16, kChildBytes = 20;

__extension__ using Wide = unsigned __int128;

// Children that are looked at side by side when one is searched for.
inline constexpr unsigned kNearChildren = 8;

// What an inner node says of one child.
struct Child {
  std::uint64_t key, count;  // its first key, and how many it has
  std::uint32_t page;
};

// Reads one inner node. A node that contradicts itself has no children.
class Node {
 public:
  THIMBLE_INLINE Node(const std::byte* page, std::size_t bytes) : page_(page) {
    count_ = Load<std::uint16_t>(page);
    capacity_ = Load<std::uint16_t>(page + 2);
    if (count_ > capacity_ || kNodeHeaderBytes + std::size_t{capacity_} * kChildBytes > bytes) count_ = 0;
  }

  unsigned count() const { return count_; }
  // What it uses of its page: a multiple of 8.
  static constexpr std::size_t Bytes(std::size_t capacity) {
    return static_cast<std::size_t>(RoundUp(kNodeHeaderBytes + capacity * kChildBytes, 8));
  }
  unsigned capacity() const { return capacity_; }
  THIMBLE_INLINE std::uint64_t Key(std::uint64_t i) const { return Load<std::uint64_t>(keys() + i * 8); }
  THIMBLE_INLINE std::uint64_t Sum(unsigned i) const { return Load<std::uint64_t>(sums() + i * std::size_t{8}); }
  THIMBLE_INLINE std::uint64_t Below(unsigned i) const { return i == 0 ? 0 : Sum(i - 1); }
  THIMBLE_INLINE std::uint32_t Child(unsigned i) const {
    return Load<std::uint32_t>(page_ + kNodeHeaderBytes + std::size_t{capacity_} * 16 + i * std::size_t{4});
  }

  // The child that a key belongs to. Requires: count() > 0.
  THIMBLE_INLINE unsigned ChildOf(std::uint64_t key) const {
    // Where keys are spread evenly it stands about where the slope says: all children near it are looked at, so that no branch
    // depends on the key. Elsewhere it is searched for.
    if (count_ >= kNear) {
      const auto guess = static_cast<std::uint64_t>(Wide{key - Key(0)} * Load<std::uint64_t>(page_ + 8) >> 64);
      const std::uint64_t from = std::min<std::uint64_t>(guess, count_ - kNear);
      unsigned passed = 0;
      for (unsigned i = 0; i < kNear; ++i) passed += static_cast<unsigned>(Key(from + i) <= key);
      if (passed - 1 < kNear - 1 || (passed == kNear && from + kNear == count_)) return static_cast<unsigned>(from) + passed - 1;
    }
    const unsigned above = Search(keys(), key);
    return above - static_cast<unsigned>(above > 0);
  }
  // The child that holds the rank-th key. Requires: count() > 0.
  THIMBLE_INLINE unsigned ChildAt(std::uint64_t rank) const {
    const unsigned at = Search(sums(), rank);
    return at < count_ ? at : count_ - 1;
  }

 private:
  static constexpr unsigned kNear = kNearChildren;

  const std::byte* keys() const { return page_ + kNodeHeaderBytes; }
  const std::byte* sums() const { return page_ + kNodeHeaderBytes + std::size_t{capacity_} * 8; }

  // The first of the sorted numbers that is above `value`.
  THIMBLE_INLINE unsigned Search(const std::byte* numbers, std::uint64_t value) const {
    // Four ways at a time, whose loads do not wait for one another, and without a branch that depends on the numbers.
    const auto passed = [&](unsigned i) { return static_cast<unsigned>(Load<std::uint64_t>(numbers + i * std::size_t{8}) <= value); };
    unsigned low = 0, length = count_;
    while (length > 3) {
      const unsigned part = length / 4;
      low += part * (passed(low + part - 1) + passed(low + 2 * part - 1) + passed(low + 3 * part - 1));
      length -= 3 * part;
    }
    unsigned above = low;
    for (unsigned i = low; i < low + length; ++i) above += passed(i);
    return above;
  }

  const std::byte* page_;
  unsigned count_, capacity_;
};

// Writes a node of these children. Requires: there is at least one and at most `capacity`, and room for as many.
inline void WriteNode(std::byte* page, std::size_t capacity, std::span<const Child> children) {
  const std::uint64_t steps = children.size() - std::min<std::size_t>(children.size(), kNearChildren - 1), range = children.back().key - children.front().key;
  Store(page, static_cast<std::uint64_t>(children.size() | capacity << 16));
  Store(page + 8, range > steps ? static_cast<std::uint64_t>((Wide{steps} << 64) / range) : 0);
  std::byte* keys = page + kNodeHeaderBytes;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < children.size(); ++i) {
    Store(keys + i * 8, children[i].key);
    Store(keys + (capacity + i) * 8, sum += children[i].count);
    Store(keys + capacity * 16 + i * 4, children[i].page);
  }
}

}  // namespace thimble::sparse
