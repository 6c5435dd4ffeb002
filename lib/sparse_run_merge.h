#pragma once

// Set operations on runs: of two sorted lists of them, the runs of the result or how many keys it has.
//
// Which list goes on next is nothing that a processor could guess, so no branch depends on it. And as each step waits for the
// one before, the keys are parted in halves, which are merged in turns.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sparse_leaf.h"

namespace thimble::sparse {

enum class Operation { kAnd, kOr, kAndNot, kXor };

// Begins and ends what stands behind the last run. The largest key can therefore be in no run.
inline constexpr std::uint64_t kNoKey = ~std::uint64_t{0};

// Sorted runs as bounds: of each its first key, and the first key behind it. Those in front of `at` are passed.
struct Runs {
  const std::uint64_t* bounds;
  std::size_t size, at;

  const std::uint64_t* begin() const { return bounds + 2 * at; }
  // The first run from `at` on that ends behind the key.
  std::size_t Behind(std::uint64_t key) const {
    std::size_t low = at;
    for (std::size_t length = size - at; length > 0;) {
      const std::size_t half = (length + 1) / 2;
      low += bounds[2 * (low + half) - 1] <= key ? half : 0;
      length -= half;
    }
    return low;
  }
};

// A merge of the keys in [first, limit), step by step: `a` and `b` are the runs at hand, `out` is where the result ends. Lists
// out of order, as damaged leaves have them, give a wrong result, but no list is left behind its end: what a step passes begins
// below the limit, or ends before something that does.
struct RunMerge {
  const std::uint64_t *a, *b;
  std::uint64_t first, limit;
  std::uint64_t* out;
  std::uint64_t keys = 0;   // in the result, where only they are wanted
  std::uint64_t end = 0;    // of the run that grows: its bounds stand in front of `out`
  std::uint64_t start = 0;  // of what is left of a's run

  template <Operation operation>
  THIMBLE_INLINE void Begin() {
    if constexpr (operation == Operation::kAndNot) start = std::max(a[0], first);
    if constexpr (operation == Operation::kXor) {
      const bool in_a = a[0] <= first, in_b = b[0] <= first;
      a += in_a ? 1 : 0;
      b += in_b ? 1 : 0;
      out[0] = first;
      out += in_a != in_b ? 1 : 0;
    }
  }

  template <Operation operation>
  THIMBLE_INLINE bool live() const {
    if constexpr (operation == Operation::kAnd) return std::max(a[0], b[0]) < limit;
    if constexpr (operation == Operation::kAndNot) return start < limit;
    return std::min(a[0], b[0]) < limit;
  }

  template <Operation operation, bool keeps>
  THIMBLE_INLINE void Step() {
    if constexpr (operation == Operation::kAnd) {
      const std::uint64_t from = std::max(a[0], b[0]), a_end = a[1], b_end = b[1], to = std::min(a_end, b_end);
      if constexpr (keeps) {
        out[0] = from, out[1] = to;
        out += If(from < to);
      } else {
        keys += std::max(from, to) - from;
      }
      a += If(a_end <= b_end);
      b += If(b_end <= a_end);
    } else if constexpr (operation == Operation::kOr) {
      const std::uint64_t a_first = a[0], b_first = b[0], a_end = a[1], b_end = b[1], next = std::min(a_first, b_first);
      const std::size_t pass_a = If(a_first <= b_first);
      a += pass_a;
      b += 2 - pass_a;
      // Runs that touch stay two.
      out[0] = next;
      out += If(next >= end);
      end = std::max(end, a_first <= b_first ? a_end : b_end);
      out[-1] = end;
    } else if constexpr (operation == Operation::kAndNot) {
      const std::uint64_t a_end = a[1], b_end = b[1], behind = a[2];
      const std::uint64_t to = std::min(a_end, b[0]);
      out[0] = start, out[1] = to;
      out += If(start < to);
      const bool a_goes_on = b_end < a_end;
      start = a_goes_on ? std::max(start, b_end) : behind;
      a += If(!a_goes_on);
      b += If(a_goes_on);
    } else {
      const std::uint64_t x = a[0], y = b[0];
      out[0] = std::min(x, y);
      out += static_cast<std::size_t>(x != y);
      a += static_cast<std::size_t>(x <= y);
      b += static_cast<std::size_t>(y <= x);
    }
  }

  // The result, cut to the keys wanted.
  template <Operation operation>
  std::span<const std::uint64_t> Finish(std::uint64_t* from) {
    if constexpr (operation == Operation::kXor) {
      if ((out - from) % 2 != 0) *out++ = limit;
    } else if (out != from) {
      from[0] = std::max(from[0], first);
      out[-1] = std::min(out[-1], limit);
    }
    return {from, out};
  }

 private:
  // The bounds of a run, or none: computed, so that it becomes no branch.
  THIMBLE_INLINE static std::size_t If(bool passes) { return std::size_t{2} * static_cast<std::size_t>(passes); }
};

// Bounds that the merge of two lists may write.
inline std::size_t MergedBounds(const Runs& a, const Runs& b) { return 4 * (a.size + b.size) + 8; }

// Merges the keys in [first, limit), and passes what lies wholly below the limit. Gives the result to sink.AddBounds(bounds) in
// one or two parts, or with `keeps` false the number of its keys to sink.AddKeys(number). Requires: no run in both lists
// begins below `first` or ends behind `limit`; room for MergedBounds.
template <Operation operation, bool keeps, class Sink>
void MergeRuns(Runs& a, Runs& b, std::uint64_t first, std::uint64_t limit, std::uint64_t* out, Sink& sink) {
  constexpr std::size_t kWorthParting = 32;
  while (a.bounds[2 * a.at + 1] <= first) ++a.at;
  while (b.bounds[2 * b.at + 1] <= first) ++b.at;
  RunMerge low{a.begin(), b.begin(), first, limit, out};
  // The list that ends in the window is parted in its middle.
  const Runs& parted = a.size > a.at && a.bounds[2 * a.size - 1] <= limit ? a : b;
  const std::size_t middle = (parted.at + parted.size) / 2;
  RunMerge high = low;
  const std::uint64_t pivot = parted.bounds[2 * middle];
  if (parted.size - parted.at >= kWorthParting && pivot > first && pivot < limit) {
    low.limit = high.first = pivot;
    high.a = a.bounds + 2 * a.Behind(pivot);
    high.b = b.bounds + 2 * b.Behind(pivot);
    if constexpr (keeps) high.out += MergedBounds(a, b) / 2;
    std::uint64_t* high_out = high.out;
    low.Begin<operation>();
    high.Begin<operation>();
    while (low.live<operation>() && high.live<operation>()) {
      low.Step<operation, keeps>();
      high.Step<operation, keeps>();
    }
    while (low.live<operation>()) low.Step<operation, keeps>();
    while (high.live<operation>()) high.Step<operation, keeps>();
    if constexpr (keeps) {
      sink.AddBounds(low.Finish<operation>(out));
      sink.AddBounds(high.Finish<operation>(high_out));
    } else {
      sink.AddKeys(low.keys + high.keys);
    }
  } else {
    high.Begin<operation>();
    while (high.live<operation>()) high.Step<operation, keeps>();
    if constexpr (keeps) {
      sink.AddBounds(high.Finish<operation>(out));
    } else {
      sink.AddKeys(high.keys);
    }
  }
  // A run that reaches beyond the window is not passed.
  const auto passed = [limit](const Runs& runs, const std::uint64_t* to) {
    const auto at = static_cast<std::size_t>(to - runs.bounds) / 2;
    return at > runs.at && runs.bounds[2 * at - 1] > limit ? at - 1 : at;
  };
  a.at = passed(a, high.a);
  b.at = passed(b, high.b);
}

}  // namespace thimble::sparse
