#pragma once

// How leaves of a sparse tree are planned, written and changed. See sparse_leaf.h for what they look like.

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

  // Requires: first is above every key added so far.
  void Add(std::uint64_t first, std::uint64_t more = 0);
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
  std::vector<Run> runs_;
  std::vector<std::uint64_t> ends_{0};  // keys before run i, and behind the last run
  std::vector<std::uint64_t> values_;
};

// The codec that holds the most of a sequence.
struct LeafPlan {
  Codec codec = kEmpty;
  std::uint8_t width = 0, length_width = 0;
  std::size_t runs = 0;          // runs of the entries that it takes
  std::uint64_t bits = 0;        // what they need, the header included
  // A bitmap that fills its page ends at a word, if need be within a run, so that no word belongs to two leaves: it takes
  // the first keys of the run behind its own, which are cut from it.
  Run tail{0, 0};
  std::uint64_t tail_keys = 0;
  std::uint64_t end = 0;  // where a bitmap that fills its page must end; 0 for others
};

// Plans one leaf for entries from run `from` on, and cuts its tail off them: within `bits`, or in `bitmap_bits` where a bitmap does it (which needs no
// room to grow). Requires: from < entries.size(); it takes one run at least.
LeafPlan PlanLeaf(Entries& entries, std::size_t from, std::uint64_t bits, std::uint64_t bitmap_bits);

// The smallest key that may stand in the leaf behind the planned one, whose own first key is `next`.
inline std::uint64_t Separator(const LeafPlan& plan, std::uint64_t next) { return plan.end != 0 && plan.end < next ? plan.end : next; }

// Writes the leaf to a page of `bytes`, with room for keys up to `last_possible`. Returns the bytes that it uses when it
// needs no room (`tight`), and `bytes` otherwise.
std::size_t WriteLeaf(const LeafPlan& plan, const Entries& entries, std::size_t from, std::uint64_t last_possible, bool tight,
                      std::byte* page, std::size_t bytes);

enum class Change { kDone, kNothing, kNoRoom };

// Adds a key in place. kNothing: it was there, and now has this value. kNoRoom: nothing changed.
Change InsertInLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value);
// Removes a key in place. kNothing: it was not there. kNoRoom: cutting a run in two does not fit.
Change EraseFromLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key);

// Bits in use, the header included, of a leaf that may have room left.
std::uint64_t UsedBits(const Leaf& leaf);

// Whether the content is right: as many keys as promised, ascending, none beyond 64 bits.
bool VerifyLeaf(const Leaf& leaf);

}  // namespace thimble::sparse
