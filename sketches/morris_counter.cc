#include "thimble/morris_counter.h"

#include <cmath>
#include <limits>

namespace thimble {

MorrisScale::MorrisScale(unsigned width, double base, unsigned exact) : width_(width), base_(base), exact_(exact) {
  for (unsigned i = 0; i < 256; ++i) {
    fine_[i] = std::pow(base, -static_cast<double>(i));
    coarse_[i] = std::pow(base, -256.0 * i);
  }
}

absl::StatusOr<MorrisScale> MorrisScale::Make(unsigned width, double base, unsigned exact) {
  if (width < 2 || width > 16) return absl::InvalidArgumentError("a Morris counter has 2 to 16 bits");
  if (!(base > 1 && base <= 1024)) return absl::InvalidArgumentError("the base of a Morris counter lies above 1, and is at most 1024");
  if (exact >= (1u << width) - 1) return absl::InvalidArgumentError("the exact prefix takes all states of the Morris counter");
  return MorrisScale(width, base, exact);
}

absl::StatusOr<MorrisScale> MorrisScale::ForLargest(const Range& range) {
  absl::StatusOr<MorrisScale> scale = Make(range.width, 2, range.exact);
  if (!scale.ok()) return scale;
  // The highest state's value grows with the base.
  double low = 1e-12, high = 1023;  // base - 1
  const auto reaches = [&](double more) { return MorrisScale(range.width, 1 + more, range.exact).Value(scale->max_state()) >= range.largest; };
  if (!reaches(high)) return absl::InvalidArgumentError("no base reaches the largest count in so few states");
  while (high > low * (1 + 1e-9)) {
    const double middle = std::sqrt(low * high);
    (reaches(middle) ? high : low) = middle;
  }
  return MorrisScale(range.width, 1 + high, range.exact);
}

absl::StatusOr<MorrisScale> MorrisScale::ForError(double largest, double error, unsigned exact) {
  const double base = 1 + 2 * error * error;
  for (unsigned width = 2; width <= 16; ++width) {
    const absl::StatusOr<MorrisScale> scale = Make(width, base, exact);
    if (scale.ok() && scale->Value(scale->max_state()) >= largest) return scale;
  }
  return absl::InvalidArgumentError("no Morris counter of 16 bits reaches the largest count with this error");
}

MorrisScale MorrisScale::PowersOfTwo() { return MorrisScale(8, 2, 0); }

double MorrisScale::StandardError() const { return std::sqrt((base_ - 1) / 2); }

double MorrisScale::Value(std::uint32_t state) const {
  if (state <= exact_) return state;
  return exact_ + std::expm1((state - exact_) * std::log1p(base_ - 1)) / (base_ - 1);
}

Interval MorrisScale::ValueWithin(std::uint32_t state, double sigmas) const {
  const double value = Value(state), reach = sigmas * StandardError();
  if (state < exact_) return {value, value, value};
  const double least = exact_;
  return {value, std::max(least, value / (1 + reach)), reach < 1 ? value / (1 - reach) : std::numeric_limits<double>::infinity()};
}

std::uint32_t MorrisAdd(const MorrisScale& scale, std::uint32_t state, std::uint64_t n, MorrisRandom& random) {
  while (n > 0 && state < scale.max_state()) {
    const double chance = scale.StepChance(state);
    if (chance >= 1) {
      ++state;
      --n;
      continue;
    }
    // The number of counts until the next step is geometric.
    const double uniform = (static_cast<double>(random() >> 11) + 1) * 0x1p-53;
    const double wait = std::floor(std::log(uniform) / std::log1p(-chance)) + 1;
    if (!(wait <= static_cast<double>(n))) break;
    n -= std::min(n, static_cast<std::uint64_t>(wait));
    ++state;
  }
  return state;
}

std::uint32_t MorrisMerge(const MorrisScale& scale, std::uint32_t a, std::uint32_t b, MorrisRandom& random) {
  std::uint32_t state = std::max(a, b);
  // Each step of the smaller counter stands for as many counts as it had a chance of one in.
  for (std::uint32_t level = 0; level < std::min(a, b) && state < scale.max_state(); ++level) {
    const double chance = scale.StepChance(state) / scale.StepChance(level);
    state += static_cast<double>(random() >> 11) * 0x1p-53 < chance ? 1 : 0;
  }
  return state;
}

}  // namespace thimble
