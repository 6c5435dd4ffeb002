#pragma once

#include <string>

#include "run/recorder.h"

namespace thimble::tools {

// A page that draws memory over time, with the marks, and tells the peaks between them.
std::string ToHtml(const Recording& recording);

}  // namespace thimble::tools
