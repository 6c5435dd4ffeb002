#pragma once

#include <array>
#include <cstdint>

namespace thimble::internal {

// How many registers hold each value: all that any estimator over HyperLogLog registers needs.
using RegisterHistogram = std::array<std::uint32_t, 64>;

// The highest value that a register takes is `max_value` (64 - p + 1, or 63 for DataSketches).
//
// Ertl's improved estimator (arXiv:1702.01284, algorithm 6): unbiased over the whole range, without tables or cases.
double HyperLogLogEstimate(const RegisterHistogram& histogram, unsigned max_value);

// How many keys leave this many different coupons, which have 2^26 indexes and a rank each. n keys leave, on average, the sum
// over ranks r of 2^26 (1 - (1 - 2^(-26 - r))^n); this is its inverse, up to 10^6 coupons within 10^-9.
double KeysOfCoupons(double coupons);

// Durand and Flajolet 2003: from the mean register. Instead of the paper's constant, which holds for n >> m only, this solves
// for the n whose expected mean is the one observed; for n >> m that gives the paper's alpha = 0.39701.
double LogLogEstimate(const RegisterHistogram& histogram, unsigned max_value);

// The same with the paper's truncation rule: of the 30 % largest registers nothing is taken but that they are larger. The
// paper then takes the mean of the others; its variance, which follows from the distribution of a register, allows a standard
// error of 1.08 to 1.12 / sqrt(m) by n, where the paper reports 1.05 from experiments. Of the same registers this takes the n
// of maximum likelihood, which has 1.037 to 1.039, and needs no other estimator for small n.
double SuperLogLogEstimate(const RegisterHistogram& histogram, unsigned max_value);

}  // namespace thimble::internal
