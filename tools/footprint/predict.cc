#include "predict.h"

#include <algorithm>
#include <cmath>

namespace thimble::footprint {
namespace {

constexpr double kLeastDoubt = 0.005;  // half an interval's width, at least

struct Point {
  double stored, bytes;
};

struct Prediction {
  double bytes, low, high;
};

// Along the curve a + b n + c n log n through all three, which a table with a fixed part, an array, a tree, a sorted array
// whose gaps narrow and a dictionary whose neighbours grow alike all follow. How far it lies from the line through the last
// two is the doubt.
Prediction Extrapolate(const std::array<Point, 3>& p, double n) {
  const double least_doubt = kLeastDoubt * p[2].bytes * std::max(1.0, n / std::max(1.0, p[2].stored));
  if (n <= p[2].stored || p[2].stored <= p[1].stored || p[1].stored <= p[0].stored) {
    return {p[2].bytes, p[2].bytes - least_doubt, p[2].bytes + least_doubt};
  }
  const double more = n - p[2].stored;
  const double slope = (p[2].bytes - p[1].bytes) / (p[2].stored - p[1].stored);
  const double line = p[2].bytes + slope * more;
  const auto bend = [](double s) { return s * std::log(s); };
  const double first_slope = (p[1].bytes - p[0].bytes) / (p[1].stored - p[0].stored);
  const double bend_slope = (bend(p[2].stored) - bend(p[1].stored)) / (p[2].stored - p[1].stored);
  const double first_bend_slope = (bend(p[1].stored) - bend(p[0].stored)) / (p[1].stored - p[0].stored);
  const double c = (slope - first_slope) / (bend_slope - first_bend_slope);
  const double curve = p[2].bytes + (slope - c * bend_slope) * more + c * (bend(n) - bend(p[2].stored));
  const double middle = std::max(p[2].bytes, curve);  // more values never cost less
  const double doubt = std::max(least_doubt, std::fabs(curve - line) / 2);
  return {middle, middle - doubt, middle + doubt};
}

}  // namespace

std::optional<Interval> Predict(const std::array<const Measurement*, 3>& samples, std::uint64_t sampled, std::uint64_t total,
                                Measurement& predicted) {
  for (const Measurement* sample : samples) {
    if (sample == nullptr || !sample->ok()) return std::nullopt;
  }
  const bool holds_all = samples[2]->stored == sampled;
  const auto n = static_cast<double>(holds_all ? total : samples[2]->stored);
  const auto extrapolate = [&](auto figure) {
    std::array<Point, 3> points;
    for (std::size_t i = 0; i < 3; ++i) points[i] = {static_cast<double>(samples[i]->stored), static_cast<double>(samples[i]->*figure)};
    return Extrapolate(points, n);
  };
  const Prediction heap = extrapolate(&Measurement::heap_bytes);
  // What is beside the heap's bytes grows with them.
  const double growth = heap.bytes / std::max(1.0, static_cast<double>(samples[2]->heap_bytes));
  predicted.mallinfo_bytes = std::llround(static_cast<double>(samples[2]->mallinfo_bytes) * growth);
  predicted.peak_bytes = std::llround(static_cast<double>(samples[2]->peak_bytes) * growth);
  predicted.pss_bytes = std::llround(extrapolate(&Measurement::pss_bytes).bytes);
  predicted.build_seconds = samples[2]->build_seconds * n / std::max(1.0, static_cast<double>(samples[2]->stored));
  predicted.heap_bytes = std::llround(heap.bytes);
  predicted.stored = static_cast<std::uint64_t>(std::llround(n));
  if (n == 0) return std::nullopt;
  return Interval{heap.low / n, heap.high / n};
}

}  // namespace thimble::footprint
