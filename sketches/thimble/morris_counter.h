#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <absl/status/statusor.h>

#include "thimble/hash.h"
#include "thimble/interval.h"

namespace thimble {

// What the states of Morris counters stand for. State c stands for c up to an exact prefix a, and for
// a + (b^(c - a) - 1) / (b - 1) beyond; a counter goes from c to c + 1 with the probability that makes the expected step one:
// 1, then b^-(c - a).
//
//   MorrisScale chapter = MorrisScale::PowersOfTwo();                            // a byte reaches 5.8 * 10^76, error 71 %
//   MorrisScale better = *MorrisScale::ForLargest({.width = 8, .largest = 1e9}); // a byte reaches 10^9, error 19 %
//
// Space    4 KiB of probabilities, for any number of counters
// Error    standard error sqrt((b - 1) / 2) for large counts; exact up to a
// Time     Next O(1)
// Threads  const methods are safe together
// Paper    Morris 1978; Flajolet 1985; the exact prefix: Nelson and Yu, arXiv:2010.02116
class MorrisScale {
 public:
  struct Range {
    unsigned width = 8;     // bits of a state: 2 to 16
    double largest = 1e12;  // the count that the highest state shall reach
    unsigned exact = 0;     // a: counts up to this are exact
  };

  // Returns kInvalidArgument unless 2 <= width <= 16, base > 1, and the exact prefix leaves a state beyond.
  static absl::StatusOr<MorrisScale> Make(unsigned width, double base, unsigned exact = 0);
  // The base that reaches range.largest and no more.
  static absl::StatusOr<MorrisScale> ForLargest(const Range& range);
  // The narrowest states that reach `largest` with this standard error.
  static absl::StatusOr<MorrisScale> ForError(double largest, double error, unsigned exact = 0);
  static MorrisScale PowersOfTwo();

  unsigned width() const { return width_; }
  double base() const { return base_; }
  unsigned exact() const { return exact_; }
  std::uint32_t max_state() const { return (1u << width_) - 1; }
  double StandardError() const;

  // The count that a state stands for: the mean of the counts that lead to it.
  double Value(std::uint32_t state) const;
  Interval ValueWithin(std::uint32_t state, double sigmas) const;

  // The state after one count more; `random` has 64 uniform bits. The highest state stays.
  std::uint32_t Next(std::uint32_t state, std::uint64_t random) const {
    const double chance = static_cast<double>(static_cast<std::int64_t>(random >> 11)) * 0x1p-53;
    return state + (static_cast<std::uint32_t>(chance < StepChance(state)) & static_cast<std::uint32_t>(state < max_state()));
  }
  // The probability of a step from this state.
  double StepChance(std::uint32_t state) const {
    const std::uint32_t beyond = std::max(state, exact_) - exact_;
    return fine_[beyond & 255] * coarse_[beyond >> 8 & 255];
  }

 private:
  MorrisScale(unsigned width, double base, unsigned exact);

  unsigned width_;
  double base_;
  std::uint32_t exact_;
  std::array<double, 256> fine_, coarse_;  // b^-i and b^-(256 i)
};

// Random numbers for counters: Hash64 of 1, 2, 3, ... under a seed, so that every run can be repeated.
class MorrisRandom {
 public:
  explicit MorrisRandom(std::uint64_t seed) : state_(Hash64(seed, 0x6d6f72726973)) {}
  std::uint64_t operator()() { return Hash64(state_ += 0x9E3779B97F4A7C15u); }

 private:
  std::uint64_t state_;
};

// The state after n counts more, in steps of states rather than of counts: O(log n).
std::uint32_t MorrisAdd(const MorrisScale& scale, std::uint32_t state, std::uint64_t n, MorrisRandom& random);
// The state for the counts of both together: unbiased, and as precise as one counter of all.
std::uint32_t MorrisMerge(const MorrisScale& scale, std::uint32_t a, std::uint32_t b, MorrisRandom& random);

// One counter of a few bits. (A MorrisCounterArray is many in one image.)
//
//   const MorrisScale scale = MorrisScale::PowersOfTwo();
//   MorrisCounter tokens(scale);
//   for (...) tokens.Increment();
//   tokens.Estimate();           // tokens.state() is the byte to keep
//
// Space    scale.width() bits are all that it knows; the scale is shared
// Error    standard error sqrt((b - 1) / 2): 71 % for powers of two
// Time     Increment O(1); Add(n) O(log n)
// Merge    unbiased
// Threads  as a value
// Paper    as MorrisScale
class MorrisCounter {
 public:
  // Requires: the scale outlives the counter.
  explicit MorrisCounter(const MorrisScale& scale, std::uint64_t seed = 1, std::uint32_t state = 0)
      : scale_(&scale), random_(seed), state_(std::min(state, scale.max_state())) {}

  void Increment() { state_ = scale_->Next(state_, random_()); }
  void Add(std::uint64_t n) { state_ = MorrisAdd(*scale_, state_, n, random_); }
  // Requires: both have the same scale.
  void Merge(const MorrisCounter& other) { state_ = MorrisMerge(*scale_, state_, other.state_, random_); }

  std::uint32_t state() const { return state_; }
  double Estimate() const { return scale_->Value(state_); }
  double LowerBound(double sigmas) const { return scale_->ValueWithin(state_, sigmas).lower; }
  double UpperBound(double sigmas) const { return scale_->ValueWithin(state_, sigmas).upper; }

 private:
  const MorrisScale* scale_;
  MorrisRandom random_;
  std::uint32_t state_;
};

}  // namespace thimble
