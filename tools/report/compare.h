#pragma once

#include <map>
#include <string>

#include <absl/status/statusor.h>

#include "report.h"

namespace thimble::tools {

// What changed since an earlier report.
struct Changes {
  std::string text;           // for people; a line for each structure that costs something else, is new or is gone
  double worst_percent = 0;   // the largest growth of a structure's heap
};

// "column: structure" to heap bytes, which do not depend on the machine's load; negative where it failed.
using Costs = std::map<std::string, double>;

// Those of a file that --json wrote. Returns kUnavailable if it cannot be read, kDataLoss if it is no such report.
absl::StatusOr<Costs> ReadCosts(const std::string& path);

Changes CompareWith(const Report& report, const Costs& before);

}  // namespace thimble::tools
