#pragma once

#include <string>
#include <vector>

#include "report.h"

namespace thimble::tools {

// Charts as inline SVG. Places are percentages and letters are pixels, so that a chart is as wide as there is room, and stays
// legible there. Every bar and point has its structure and figures as data, for tests and scripts.

// From one power of ten to another, such that every positive value lies inside, and the least above the beginning.
class LogScale {
 public:
  explicit LogScale(const std::vector<double>& values);

  // Where the value lies, in percent of the way. Requires: value > 0.
  double Percent(double value) const;
  // The powers of ten; every second or third where there are many.
  std::vector<double> Ticks() const;

 private:
  int first_ = 0, last_ = 1;
};

std::string Percent(double percent);  // "12.34%"

// Bytes per element, a bar for each structure.
std::string BarChart(const ColumnReport& column);
// Bytes per element against the time of a lookup, with the exact structures that nothing beats at both. Empty where fewer
// than two structures have both.
std::string Scatter(const ColumnReport& column);

}  // namespace thimble::tools
