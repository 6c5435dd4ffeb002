#pragma once

// Checks of an estimator's error over many seeded trials.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "testing.h"

namespace thimble::testing {

// Collects relative errors and holds them against a bound.
class RelativeErrors {
 public:
  void Add(double estimate, double truth) {
    const double error = estimate / truth - 1;
    sum_ += error;
    sum_of_squares_ += error * error;
    ++trials_;
  }
  double trials() const { return static_cast<double>(trials_); }
  double rms() const { return std::sqrt(sum_of_squares_ / trials()); }
  double bias() const { return sum_ / trials(); }

  // The root mean square may exceed the standard error by four of its own standard errors, 1 / sqrt(2 T); the bias stays
  // below a fifth of the standard error, where there are trials enough to see that.
  void Check(double standard_error, const std::string& name) const {
    BOOST_TEST_MESSAGE(name << ": rms " << rms() << ", bias " << bias() << ", promised " << standard_error);
    BOOST_TEST(rms() <= standard_error * (1 + 4 / std::sqrt(2 * trials())), name << ": rms error " << rms() << " above " << standard_error);
    const double noise = trials() >= 10000 ? 0 : 4 / std::sqrt(trials());
    BOOST_TEST(std::abs(bias()) <= standard_error * (0.2 + noise), name << ": bias " << bias() << " at standard error " << standard_error);
  }

 private:
  double sum_ = 0, sum_of_squares_ = 0;
  std::uint64_t trials_ = 0;
};

// Distinct keys, different in each trial.
inline std::uint64_t TrialKey(int trial, std::uint64_t i) { return (static_cast<std::uint64_t>(trial) << 40) + i; }

// For each trial, adds keys to a new sketch and stops at each of `sizes` (ascending) to call visit(index of the size, sketch).
template <class MakeSketch, class Visit>
void RunTrials(int trials, const std::vector<std::uint64_t>& sizes, MakeSketch make, Visit visit) {
  for (int trial = 0; trial < trials; ++trial) {
    auto sketch = make();
    std::uint64_t added = 0;
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      for (; added < sizes[s]; ++added) sketch.Add(TrialKey(trial, added));
      visit(s, sketch);
    }
  }
}

}  // namespace thimble::testing
