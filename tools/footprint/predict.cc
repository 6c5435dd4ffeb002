#include "predict.h"

#include <algorithm>
#include <cmath>

namespace thimble::footprint {
namespace {

// Half an interval's width, at least, as a share: where all values were built, malloc's own differences between two builds;
// else the accuracy promised, for what grows in steps.
constexpr double kBuiltDoubt = 0.01, kLeastDoubt = 0.03;

// The n log n of a curve, in bytes a value for each e-fold: 2.8 bits for each doubling. Pointers and gaps take one, sorted
// strings that share more with their neighbours not quite three. What bends more does not go on as it began.
constexpr double kMostBend = 0.5;

struct Point {
  double stored, bytes;
};

struct Prediction {
  double bytes, low, high;
};

// Through all three lies a curve a + b n + c n log n, which a table with a fixed part, an array, a tree, a sorted array whose
// gaps narrow and a dictionary whose neighbours grow alike all follow: smooth growth follows it as far as c is credible. What
// learns follows the line through the last two: how its small samples bend says how little there was to learn from. Only if
// its bytes per value rise already, because it may learn no more, does it follow the curve.
// How far these lie apart is the doubt, for learning three times.
Prediction Extrapolate(const std::array<Point, 3>& p, double n, Growth growth) {
  if (n <= p[2].stored || p[2].stored <= p[1].stored || p[1].stored <= p[0].stored) {
    return {p[2].bytes, p[2].bytes * (1 - kBuiltDoubt), p[2].bytes * (1 + kBuiltDoubt)};
  }
  const auto bend = [](double s) { return s * std::log(s); };
  const double slope = (p[2].bytes - p[1].bytes) / (p[2].stored - p[1].stored);
  const double first_slope = (p[1].bytes - p[0].bytes) / (p[1].stored - p[0].stored);
  const double bend_slope = (bend(p[2].stored) - bend(p[1].stored)) / (p[2].stored - p[1].stored);
  const double first_bend_slope = (bend(p[1].stored) - bend(p[0].stored)) / (p[1].stored - p[0].stored);
  const double c = (slope - first_slope) / (bend_slope - first_bend_slope);
  const auto along = [&](double with) {
    return p[2].bytes + (slope - with * bend_slope) * (n - p[2].stored) + with * (bend(n) - bend(p[2].stored));
  };

  const double line = along(0), learning = p[2].bytes * n / p[2].stored;
  double middle = 0, doubt = 0;
  switch (growth) {
    case Growth::kSmooth:
      middle = along(std::clamp(c, -kMostBend, kMostBend));
      doubt = std::fabs(middle - line);
      break;
    case Growth::kLearned:
      middle = learning > p[1].bytes * n / p[1].stored ? along(c) : line;
      const auto [least, most] = std::minmax({line, along(c), learning});
      doubt = 3 * (most - least);
      break;
  }
  middle = std::max(p[2].bytes, middle);  // more values never cost less
  doubt += kLeastDoubt * middle;
  return {middle, std::max(p[2].bytes * (1 - kBuiltDoubt), middle - doubt), middle + doubt};
}

}  // namespace

std::optional<Interval> Predict(Growth growth, const std::array<const Measurement*, 3>& samples, std::uint64_t sampled,
                                std::uint64_t total, Measurement& predicted) {
  for (const Measurement* sample : samples) {
    if (sample == nullptr || !sample->ok()) return std::nullopt;
  }
  const bool holds_all = samples[2]->stored == sampled;
  const auto n = static_cast<double>(holds_all ? total : samples[2]->stored);
  const auto extrapolate = [&](auto figure) {
    std::array<Point, 3> points;
    for (std::size_t i = 0; i < 3; ++i) points[i] = {static_cast<double>(samples[i]->stored), static_cast<double>(samples[i]->*figure)};
    return Extrapolate(points, n, growth);
  };
  const Prediction heap = extrapolate(&Measurement::heap_bytes);
  // What is beside the heap's bytes grows with them.
  const double times = heap.bytes / std::max(1.0, static_cast<double>(samples[2]->heap_bytes));
  predicted.mallinfo_bytes = std::llround(static_cast<double>(samples[2]->mallinfo_bytes) * times);
  predicted.peak_bytes = std::llround(static_cast<double>(samples[2]->peak_bytes) * times);
  predicted.pss_bytes = std::llround(extrapolate(&Measurement::pss_bytes).bytes);
  predicted.build_seconds = samples[2]->build_seconds * n / std::max(1.0, static_cast<double>(samples[2]->stored));
  predicted.heap_bytes = std::llround(heap.bytes);
  predicted.stored = static_cast<std::uint64_t>(std::llround(n));
  if (n == 0) return std::nullopt;
  return Interval{heap.low / n, heap.high / n};
}

}  // namespace thimble::footprint
