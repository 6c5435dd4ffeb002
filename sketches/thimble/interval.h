#pragma once

namespace thimble {

// An estimate between its bounds.
struct Interval {
  double estimate = 0;
  double lower = 0;
  double upper = 0;
};

}  // namespace thimble
