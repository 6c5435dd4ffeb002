#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/status.h>

#include "ribbon_hash.h"
#include "thimble/ribbon.h"

namespace thimble::ribbon {

// What is added to a builder: with its value, or with the fingerprint that follows from the hash.
struct HashOnly {
  std::uint64_t hash;
  std::uint64_t value() const { return Fingerprint(hash); }
};
struct HashAndValue {
  std::uint64_t hash, stored;
  std::uint64_t value() const { return stored; }
};

// The equations of slots once they are eliminated. Coefficients go from the slot on, the first of them one; none: the slot is
// empty. The values lie apart, behind them, because the next row to look at follows from the coefficients alone.
class Rows {
 public:
  void Clear(std::uint64_t slots) {
    slots_ = slots;
    words_.assign(2 * slots, 0);
  }
  std::uint64_t slots() const { return slots_; }
  std::uint64_t* coefficients() { return words_.data(); }
  const std::uint64_t* coefficients() const { return words_.data(); }
  const std::uint64_t* values() const { return words_.data() + slots_; }
  std::uint64_t bytes() const { return words_.capacity() * 8; }

 private:
  std::uint64_t slots_ = 0;
  std::vector<std::uint64_t> words_;
};

// Writes the blocks of a layer: the solution of its rows, from the last slot to the first.
void BackSubstitute(const Rows& rows, std::uint64_t narrow_blocks, std::uint32_t bits, std::uint64_t* blocks);

// Solves the shards of a ribbon one by one; its memory is reused.
template <class Item>
class ShardSolver {
 public:
  ShardSolver(std::uint64_t shards, std::uint32_t bits, std::uint64_t narrow_share) : shards_(shards), bits_(bits), narrow_share_(narrow_share) {}

  // Sorts the items and drops repeated ones. Returns kInvalidArgument if a hash has two values.
  absl::Status Solve(std::span<Item> items);

  // Of the last shard.
  std::uint64_t distinct() const { return distinct_; }
  std::uint64_t seed() const { return seed_; }
  const std::array<std::uint32_t, Ribbon::kLayers>& blocks() const { return blocks_; }
  const std::vector<std::uint64_t>& words() const { return words_; }
  std::uint64_t bytes() const;

 private:
  template <class FractionOf>
  void Sort(std::span<Item> items, FractionOf fraction_of);
  bool TrySeed(std::span<const Item> items, std::uint64_t seed);
  void SolveLayer(std::span<const Item> items, unsigned layer, std::uint64_t blocks);
  bool Insert(std::uint64_t slot, std::uint64_t coefficients, std::uint64_t value, std::uint64_t* at);

  struct Placed {
    std::uint64_t slot;  // or kNowhere, of an equation that followed from others
    std::size_t item;
  };
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

  std::uint64_t shards_;
  std::uint32_t bits_;
  std::uint64_t narrow_share_;
  std::uint64_t seed_ = 0, distinct_ = 0;
  std::array<std::uint32_t, Ribbon::kLayers> blocks_{};
  std::vector<std::uint64_t> words_;
  std::vector<Item> swap_, bumped_, layer_items_;
  Rows rows_;
  std::vector<Placed> placed_;
};

extern template class ShardSolver<HashOnly>;
extern template class ShardSolver<HashAndValue>;

}  // namespace thimble::ribbon
