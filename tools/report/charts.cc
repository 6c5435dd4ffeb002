#include "charts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace thimble::tools {

LogScale::LogScale(const std::vector<double>& values) {
  constexpr double kRoom = 1.3;  // between the beginning and the least
  double least = 0, most = 0;
  for (const double value : values) {
    if (!(value > 0)) continue;
    least = least == 0 ? value : std::min(least, value);
    most = std::max(most, value);
  }
  if (least == 0) return;
  first_ = static_cast<int>(std::floor(std::log10(least / kRoom)));
  last_ = std::max(first_ + 1, static_cast<int>(std::ceil(std::log10(most))));
}

double LogScale::Percent(double value) const { return 100 * (std::log10(value) - first_) / (last_ - first_); }

std::vector<double> LogScale::Ticks() const {
  std::vector<double> ticks;
  const int step = (last_ - first_ + 4) / 5;
  for (int power = first_; power <= last_; power += step) ticks.push_back(std::pow(10, power));
  return ticks;
}

std::string Percent(double percent) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f%%", percent);
  return text;
}

}  // namespace thimble::tools
