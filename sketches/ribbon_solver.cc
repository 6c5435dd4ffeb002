#include "ribbon_solver.h"

#include <cmath>
#include <numeric>
#include <string>

#include <cpu.h>

namespace thimble::ribbon {
namespace {

inline __attribute__((always_inline)) void BackSubstituteWith(const Rows& rows, std::uint64_t narrow_blocks, std::uint32_t bits,
                                                              std::uint64_t* blocks) {
  // For each bit of the values, the solution of the 64 slots behind the current one.
  std::uint64_t solved[Ribbon::kMaxBits + 1] = {};
  for (std::uint64_t block = rows.slots() / 64; block-- > 0;) {
    const std::uint32_t width = bits + (block >= narrow_blocks ? 1 : 0);
    for (std::uint64_t slot = 64 * block + 64; slot-- > 64 * block;) {
      const std::uint64_t coefficients = rows.coefficients()[slot], value = rows.values()[slot];
      for (std::uint32_t i = 0; i < width; ++i) {
        const std::uint64_t behind = solved[i] << 1;
        const auto parity = static_cast<std::uint64_t>(__builtin_parityll(behind & coefficients));
        solved[i] = behind | ((value >> i ^ parity) & 1);
      }
    }
    std::copy_n(solved, width, blocks + BlockWord(block, narrow_blocks, bits));
  }
}

void BackSubstitutePortable(const Rows& rows, std::uint64_t narrow_blocks, std::uint32_t bits, std::uint64_t* blocks) {
  BackSubstituteWith(rows, narrow_blocks, bits, blocks);
}
#if THIMBLE_HAS_AVX2_KERNELS
// The same, with an instruction for the parity.
THIMBLE_TARGET_AVX2 void BackSubstituteAvx2(const Rows& rows, std::uint64_t narrow_blocks, std::uint32_t bits, std::uint64_t* blocks) {
  BackSubstituteWith(rows, narrow_blocks, bits, blocks);
}
#endif

// A layer has 4.5 % fewer slots than keys, but 64 more than starts: the more keys at a start, the sooner slots run out, and
// where hardly any bucket can hold its keys the next layer has the same task again. So a few keys get room enough.
std::uint64_t BlocksFor(std::uint64_t keys) {
  if (keys <= 52) return 1;
  if (keys <= 60) return 2;
  return 1 + static_cast<std::uint64_t>(std::ceil(static_cast<double>(keys - 60) / (1.045 * 64)));
}

}  // namespace

void BackSubstitute(const Rows& rows, std::uint64_t narrow_blocks, std::uint32_t bits, std::uint64_t* blocks) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return BackSubstituteAvx2(rows, narrow_blocks, bits, blocks);
#endif
  BackSubstitutePortable(rows, narrow_blocks, bits, blocks);
}

template <class Item>
std::uint64_t ShardSolver<Item>::bytes() const {
  return words_.capacity() * 8 + (swap_.capacity() + bumped_.capacity() + layer_items_.capacity()) * sizeof(Item) +
         rows_.bytes() + placed_.capacity() * sizeof(Placed);
}

// By fraction: a radix sort of the upper 20 bits leaves little to do.
template <class Item>
template <class FractionOf>
void ShardSolver<Item>::Sort(std::span<Item> items, FractionOf fraction_of) {
  if (items.size() < 1024) {
    std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) { return fraction_of(a) < fraction_of(b); });
    return;
  }
  constexpr unsigned kDigitBits = 10, kLowShift = 64 - 2 * kDigitBits, kHighShift = 64 - kDigitBits;
  std::array<std::uint32_t, 1 << kDigitBits> low{}, high{};
  for (const Item& item : items) {
    const std::uint64_t fraction = fraction_of(item);
    ++low[fraction >> kLowShift & LowBits(kDigitBits)];
    ++high[fraction >> kHighShift];
  }
  std::exclusive_scan(low.begin(), low.end(), low.begin(), 0u);
  std::exclusive_scan(high.begin(), high.end(), high.begin(), 0u);
  swap_.resize(items.size());
  for (const Item& item : items) swap_[low[fraction_of(item) >> kLowShift & LowBits(kDigitBits)]++] = item;
  for (const Item& item : swap_) items[high[fraction_of(item) >> kHighShift]++] = item;
  for (std::size_t i = 1; i < items.size(); ++i) {
    const Item item = items[i];
    const std::uint64_t fraction = fraction_of(item);
    std::size_t to = i;
    for (; to > 0 && fraction_of(items[to - 1]) > fraction; --to) items[to] = items[to - 1];
    items[to] = item;
  }
}

template <class Item>
absl::Status ShardSolver<Item>::Solve(std::span<Item> items) {
  Sort(items, [this](const Item& item) { return Fraction(item.hash, shards_, 0, 0); });
  std::size_t n = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (n > 0 && items[n - 1].hash == items[i].hash) {
      if (items[n - 1].value() != items[i].value()) return absl::InvalidArgumentError("a key was added with two values");
      continue;
    }
    items[n++] = items[i];
  }
  distinct_ = n;
  for (std::uint64_t seed = 0; seed < 1u << 16; ++seed) {
    if (TrySeed(items.first(n), seed)) return absl::OkStatus();
  }
  return absl::InternalError("no seed solves a shard of " + std::to_string(n) + " keys");
}

// False if keys are left over behind the last layer, which next to never happens; each attempt takes a block more.
template <class Item>
bool ShardSolver<Item>::TrySeed(std::span<const Item> items, std::uint64_t seed) {
  seed_ = seed;
  words_.clear();
  blocks_ = {};
  for (unsigned layer = 0; layer < Ribbon::kLayers && !items.empty(); ++layer) {
    const std::uint64_t blocks = BlocksFor(items.size()) + seed;
    blocks_[layer] = static_cast<std::uint32_t>(blocks);
    SolveLayer(items, layer, blocks);
    std::swap(layer_items_, bumped_);
    Sort(std::span(layer_items_), [&](const Item& item) { return Fraction(item.hash, shards_, layer + 1, seed); });
    items = layer_items_;
  }
  while (words_.size() % 8 != 0) words_.push_back(0);
  return items.empty();
}

// Adds an equation to the rows. False if it contradicts them. Some twenty rows are added to it one after the other, each
// found by what the one before left.
template <class Item>
inline bool ShardSolver<Item>::Insert(std::uint64_t slot, std::uint64_t coefficients, std::uint64_t value, std::uint64_t* at) {
  std::uint64_t* row = rows_.coefficients() + slot;
  const std::uint64_t to_value = rows_.slots();
  while (*row != 0) {
    coefficients ^= *row;
    value ^= row[to_value];
    if (coefficients == 0) {
      *at = kNowhere;
      return (value & LowBits(bits_ + (narrow_share_ >> 32 == 0 ? 1 : 0))) == 0;
    }
    const auto zeros = static_cast<unsigned>(__builtin_ctzll(coefficients));
    row += zeros;
    coefficients >>= zeros;
  }
  *row = coefficients;
  row[to_value] = value;
  *at = static_cast<std::uint64_t>(row - rows_.coefficients());
  return true;
}

template <class Item>
void ShardSolver<Item>::SolveLayer(std::span<const Item> items, unsigned layer, std::uint64_t blocks) {
  rows_.Clear(64 * blocks);
  bumped_.clear();
  const std::size_t thresholds_at = words_.size();
  words_.resize(thresholds_at + ThresholdWords(blocks), 0);
  const auto start_of = [&](std::size_t i) { return Start(Fraction(items[i].hash, shards_, layer, seed_), blocks); };

  for (std::size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    // A bucket is filled from its last start to its first: where a key finds no place, the slots that those before it would
    // have taken are reached by the keys of the bucket before.
    const std::uint64_t bucket = start_of(begin) / kBucketStarts;
    while (end < items.size() && start_of(end) / kBucketStarts == bucket) ++end;
    placed_.clear();
    for (std::size_t i = end; i-- > begin;) {
      const std::uint64_t start = start_of(i);
      Placed placed{0, i};
      if (Insert(start, Coefficients(items[i].hash, layer), items[i].value(), &placed.slot)) {
        placed_.push_back(placed);
        continue;
      }
      std::uint64_t threshold = 1;
      while (kBumpedBefore[threshold] <= start % kBucketStarts) ++threshold;
      words_[thresholds_at + bucket / 32] |= threshold << bucket % 32 * 2;
      // All that begin before the threshold leave: those that come, and the last ones that were placed.
      bumped_.insert(bumped_.end(), &items[begin], &items[i] + 1);
      while (!placed_.empty() && start_of(placed_.back().item) % kBucketStarts < kBumpedBefore[threshold]) {
        if (placed_.back().slot != kNowhere) rows_.coefficients()[placed_.back().slot] = 0;
        bumped_.push_back(items[placed_.back().item]);
        placed_.pop_back();
      }
      break;
    }
  }
  const std::uint64_t narrow = NarrowBlocks(blocks, narrow_share_);
  const std::size_t blocks_at = words_.size();
  words_.resize(blocks_at + BlockWord(blocks, narrow, bits_));
  BackSubstitute(rows_, narrow, bits_, words_.data() + blocks_at);
}

template class ShardSolver<HashOnly>;
template class ShardSolver<HashAndValue>;

}  // namespace thimble::ribbon
