#include "likelihood.h"

#include <cmath>
#include <limits>

namespace thimble::internal {

// Where the likelihood's derivative is zero: load * unseen = sum of seen[j] * g(load / 2^j), g(x) = x / (e^x - 1). The
// difference is increasing and concave, so Newton's steps from the left of the root stay left of it. g(x) >= 1 - x / 2 gives
// the start.
double MaximumLikelihoodLoad(const Likelihood& likelihood) {
  double count = 0, slope = 0;
  for (unsigned j = 0; j < likelihood.seen.size(); ++j) {
    count += likelihood.seen[j];
    slope += std::ldexp(likelihood.seen[j], -static_cast<int>(j) - 1);
  }
  if (count == 0) return 0;
  if (likelihood.unseen == 0) return std::numeric_limits<double>::infinity();
  double load = count / (likelihood.unseen + slope);
  for (int step = 0; step < 200; ++step) {
    double difference = load * likelihood.unseen, derivative = likelihood.unseen;
    for (unsigned j = 0; j < likelihood.seen.size(); ++j) {
      if (likelihood.seen[j] == 0) continue;
      const double scale = std::ldexp(1, -static_cast<int>(j)), x = load * scale;
      if (x > 700) continue;
      const double e = std::expm1(x), g = x < 1e-9 ? 1 - x / 2 : x / e;
      difference -= likelihood.seen[j] * g;
      derivative -= likelihood.seen[j] * scale * (x < 1e-4 ? x / 6 - 0.5 : (e - x * (e + 1)) / (e * e));
    }
    const double next = load - difference / derivative;
    if (!(next > load * (1 + 1e-13))) break;
    load = next;
  }
  return load;
}

LikelihoodTheory LikelihoodTheoryOf(unsigned t, unsigned d) {
  const double log_b = std::log(2.0) / (1 << t);
  const double rest = std::exp(-log_b * d) / std::expm1(log_b);
  const auto zeta = [a = 1 + rest](double s) {
    // Thirty terms, and Euler and Maclaurin's integral for the others.
    double sum = 0;
    for (int k = 0; k < 30; ++k) sum += std::pow(a + k, -s);
    return sum + std::pow(a + 30, 1 - s) / (s - 1) + std::pow(a + 30, -s) / 2;
  };
  return {std::sqrt(log_b / zeta(2)), log_b * (1 + 2 * rest) * zeta(3) / (zeta(2) * zeta(2))};
}

}  // namespace thimble::internal
