#pragma once

// Inner nodes of a sparse tree; see thimble/sparse_tree.h for what they look like.

#include <cstddef>
#include <cstdint>

#include "sparse_leaf.h"
#include "thimble/bytes.h"

namespace thimble::sparse {

inline constexpr std::size_t kNodeHeaderBytes = 8, kChildBytes = 20;

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
  THIMBLE_INLINE std::uint64_t Key(unsigned i) const { return Load<std::uint64_t>(keys() + i * std::size_t{8}); }
  THIMBLE_INLINE std::uint64_t Sum(unsigned i) const { return Load<std::uint64_t>(sums() + i * std::size_t{8}); }
  THIMBLE_INLINE std::uint64_t Below(unsigned i) const { return i == 0 ? 0 : Sum(i - 1); }
  THIMBLE_INLINE std::uint32_t Child(unsigned i) const {
    return Load<std::uint32_t>(page_ + kNodeHeaderBytes + std::size_t{capacity_} * 16 + i * std::size_t{4});
  }

  // The child that a key belongs to. Requires: count() > 0.
  THIMBLE_INLINE unsigned ChildOf(std::uint64_t key) const {
    const unsigned above = Search(keys(), key);
    return above - static_cast<unsigned>(above > 0);
  }
  // The child that holds the rank-th key. Requires: count() > 0.
  THIMBLE_INLINE unsigned ChildAt(std::uint64_t rank) const {
    const unsigned at = Search(sums(), rank);
    return at < count_ ? at : count_ - 1;
  }

 private:
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

}  // namespace thimble::sparse
