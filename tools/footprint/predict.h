#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "measure.h"
#include "structure.h"

namespace thimble::footprint {

struct Interval {
  double low, high;
};

// A sample is built three times: divided by two to each of these powers, the smallest first.
inline constexpr std::array<unsigned, 3> kSampleParts = {4, 2, 0};

// What a structure with all `total` values would cost, extrapolated from the three measurements of a sample of `sampled`
// values; what keeps no duplicates and stored fewer is taken to have stored all that there are. Fills the figures in
// `predicted`, which comes as the largest sample's, and returns the interval of its bytes per element. Nothing happens if
// one of the three failed.
//
// A sample should have the number of values divided by a power of two, so that containers that grow by doubling are as full
// as they would be with all.
std::optional<Interval> Predict(Growth growth, const std::array<const Measurement*, 3>& samples, std::uint64_t sampled,
                                std::uint64_t total, Measurement& predicted);

}  // namespace thimble::footprint
