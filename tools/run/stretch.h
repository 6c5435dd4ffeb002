#pragma once

#include <string>
#include <vector>

#include "run/recorder.h"

namespace thimble::tools {

// From one mark to the next.
struct Stretch {
  std::string name;
  double from, to;
  TreeMemory peak, last;
};

// The first is called "start".
std::vector<Stretch> StretchesOf(const Recording& recording);

}  // namespace thimble::tools
