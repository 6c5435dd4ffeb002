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

// Durand and Flajolet 2003: from the mean register, and from the mean of the 70 % smallest ones. Instead of the paper's
// constants, which hold for n >> m only, both solve for the n whose expected (truncated) mean is the one observed; for
// n >> m that gives the paper's alpha = 0.39701.
double LogLogEstimate(const RegisterHistogram& histogram, unsigned max_value);
double SuperLogLogEstimate(const RegisterHistogram& histogram, unsigned max_value);

}  // namespace thimble::internal
