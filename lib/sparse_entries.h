#pragma once

// What leaves of a sparse tree are decoded to and made of.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparse_leaf.h"

namespace thimble::sparse {

// Keys first, first + 1, ..., first + more.
struct Run {
  std::uint64_t first;
  std::uint64_t more;
  std::uint64_t last() const { return first + more; }
};

// Sorted keys as runs, with the value of every key if there are values: what leaves are decoded to and made of. Runs are cut
// so short that any of them fits in one leaf.
class Entries {
 public:
  explicit Entries(unsigned value_bits) : value_bits_(value_bits) {}

  // Requires: first is above every key added so far. What is not, as from a damaged leaf, is left out.
  void Add(std::uint64_t first, std::uint64_t more = 0);
  // Adds a set's runs, each as its first key and the first key behind it.
  void AddBounds(std::span<const std::uint64_t> bounds);
  void AddValue(std::uint64_t value) { values_.push_back(value); }
  void Add(const Leaf& leaf);
  // Adds the leaf with one more key. Requires: the leaf does not hold the key.
  void AddWith(const Leaf& leaf, std::uint64_t key, std::uint64_t value);
  void AddWithout(const Leaf& leaf, std::uint64_t key);
  // Takes the first `keys` keys from a run and counts them to the run before it; Mend undoes that.
  void Cut(std::size_t run, std::uint64_t keys) { runs_[run].first += keys, runs_[run].more -= keys, ends_[run] += keys; }
  void Mend(std::size_t run, std::uint64_t keys) { runs_[run].first -= keys, runs_[run].more += keys, ends_[run] -= keys; }
  // Forgets the first `runs` runs and their values.
  void Drop(std::size_t runs);
  void clear();

  bool empty() const { return runs_.empty(); }
  std::size_t size() const { return runs_.size(); }
  const Run& operator[](std::size_t i) const { return runs_[i]; }
  // Keys in runs [from, to).
  std::uint64_t Count(std::size_t from, std::size_t to) const { return ends_[to] - ends_[from]; }
  // The value of the first key of a run; those of its other keys follow.
  const std::uint64_t* Values(std::size_t run) const { return values_.empty() ? nullptr : values_.data() + (ends_[run] - ends_[0]); }
  unsigned value_bits() const { return value_bits_; }

 private:
  void AddInline(std::uint64_t first, std::uint64_t more);

  unsigned value_bits_;
  bool any_ = false;
  std::uint64_t last_ = 0;  // key that was added, if any was
  std::vector<Run> runs_;
  std::vector<std::uint64_t> ends_{0};  // keys before run i, and behind the last run
  std::vector<std::uint64_t> values_;
};

}  // namespace thimble::sparse
