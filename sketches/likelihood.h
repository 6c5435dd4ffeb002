#pragma once

#include <array>

namespace thimble::internal {

// What a sketch of independent events says of its load, the expected number of keys a register: events of probability 2^-j a
// key were seen, or were not. The log-likelihood of a load is
// -load * unseen + sum over j of seen[j] * ln(1 - exp(-load / 2^j)).
struct Likelihood {
  double unseen = 0;              // the sum of 2^-j over the events that were not seen
  std::array<double, 65> seen{};  // how many of each probability were
};

// The load of maximum likelihood: 0 if nothing was seen, infinity if all was.
double MaximumLikelihoodLoad(const Likelihood& likelihood);

// Ertl's figures of that estimator for m registers that tell 2^-t-th powers of two apart and remember d events below the
// largest: with b = 2^(2^-t) and a = 1 + b^-d / (b - 1), the relative variance is ln b / (zeta(2, a) m), and the bias
// (1 + c / m), c = ln b (1 + 2 b^-d / (b - 1)) zeta(3, a) / zeta(2, a)^2. (zeta is Hurwitz's; arXiv:2402.13726.)
struct LikelihoodTheory {
  double deviation;  // standard error times sqrt(m)
  double bias;       // c
};
LikelihoodTheory LikelihoodTheoryOf(unsigned t, unsigned d);

}  // namespace thimble::internal
