#include "hll_estimators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "likelihood.h"

namespace thimble::internal {
namespace {

// Below two keys a register, the mean register says less than the number of empty ones (Whang et al. 1990).
constexpr double kManyEmpty = 0.135;

double Registers(const RegisterHistogram& histogram) {
  return static_cast<double>(std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0}));
}

// x + sum of x^(2^k) * 2^(k-1): the registers that are still zero.
double Sigma(double x) {
  if (x >= 1) return std::numeric_limits<double>::infinity();
  double sum = x, previous;
  double weight = 1;
  do {
    x *= x;
    previous = sum;
    sum += x * weight;
    weight += weight;
  } while (sum != previous);
  return sum;
}

// The registers that are saturated.
double Tau(double x) {
  if (x <= 0 || x >= 1) return 0;
  double sum = 1 - x, previous;
  double weight = 1;
  do {
    x = std::sqrt(x);
    previous = sum;
    weight *= 0.5;
    sum -= (1 - x) * (1 - x) * weight;
  } while (sum != previous);
  return sum / 3;
}

// The mean of a register that `load` keys are expected to reach: it is above k with probability 1 - exp(-load / 2^k).
// Increasing in the load.
double ExpectedMean(double load, unsigned max_value) {
  double sum = 0;
  for (unsigned k = 0; k < max_value; ++k, load *= 0.5) sum -= std::expm1(-load);
  return sum;
}

// The load per register whose expected mean is `mean`.
double SolveLoad(double mean, unsigned max_value) {
  double low = -64, high = 64;  // base-2 logarithms
  while (high - low > 1e-12) {
    const double middle = (low + high) / 2;
    (ExpectedMean(std::exp2(middle), max_value) < mean ? low : high) = middle;
  }
  return std::exp2(low);
}

}  // namespace

double HyperLogLogEstimate(const RegisterHistogram& histogram, unsigned max_value) {
  const double m = Registers(histogram);
  double z = m * Tau(1 - histogram[max_value] / m);
  for (unsigned k = max_value - 1; k >= 1; --k) z = 0.5 * (z + histogram[k]);
  z += m * Sigma(histogram[0] / m);
  return m * m / (2 * std::numbers::ln2 * z);
}

double KeysOfCoupons(double coupons) {
  // The first terms of the inverse: sum over r of 2^-2r is 1 / 3, and of 2^-3r is 1 / 7.
  const double share = coupons / std::ldexp(1, 26);
  return coupons + std::max(0.0, coupons - 1) * share / 6 + coupons * share * share * 2 / 63;
}

double LogLogEstimate(const RegisterHistogram& histogram, unsigned max_value) {
  const double m = Registers(histogram);
  if (const double empty = histogram[0] / m; empty > kManyEmpty) return -m * std::log(empty);
  double sum = 0;
  for (unsigned k = 1; k <= max_value; ++k) sum += static_cast<double>(k) * histogram[k];
  return m * SolveLoad(sum / m, max_value);
}

double SuperLogLogEstimate(const RegisterHistogram& histogram, unsigned max_value) {
  constexpr double kShare = 0.7;
  const double m = Registers(histogram);
  // A register of value k saw a rank of k, and none above: events of probability 2^-k, both.
  Likelihood likelihood;
  double kept = 0;
  for (unsigned k = 0; kept < m; ++k) {
    if (kept >= kShare * m || k == max_value) {
      likelihood.seen[k - 1] += m - kept;  // something above k - 1
      break;
    }
    kept += histogram[k];
    likelihood.unseen += std::ldexp(histogram[k], -static_cast<int>(k));
    if (k > 0) likelihood.seen[k] += histogram[k];
  }
  return m * MaximumLikelihoodLoad(likelihood) / (1 + LikelihoodTheoryOf(0, 0).bias / m);
}

}  // namespace thimble::internal
