#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace thimble::footprint {

// Picks exactly n of N in order, each set of n as likely as any other (Knuth's algorithm S). The same every time.
class Selector {
 public:
  Selector(std::uint64_t n, std::uint64_t of, std::uint64_t seed) : wanted_(n), left_(of), random_(seed) {}
  bool Next() {
    const bool chosen = random_() % left_ < wanted_;
    --left_;
    wanted_ -= chosen;
    return chosen;
  }

 private:
  std::uint64_t wanted_, left_;
  std::mt19937_64 random_;
};

// The same for runs of neighbours, of which the last may be shorter, so that what depends on the order, such as the gaps of
// a sorted column, is as in the whole.
class RunSelector {
 public:
  // The longest runs of which a sample of n still has hundreds.
  static std::uint64_t RunFor(std::uint64_t n) { return std::clamp<std::uint64_t>(n / 512, 1, 1024); }

  // Requires: n == of, or there are enough whole runs.
  RunSelector(std::uint64_t n, std::uint64_t of, std::uint64_t run)
      : run_(run), left_(n), all_(n == of), runs_((n + run - 1) / run, of / run, n) {}
  bool Next() {
    if (all_) return true;
    if (row_++ % run_ == 0) chosen_ = left_ > 0 && runs_.Next();
    if (!chosen_ || left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::uint64_t run_, left_;
  bool all_;
  Selector runs_;
  std::uint64_t row_ = 0;
  bool chosen_ = false;
};

}  // namespace thimble::footprint
