#pragma once

#include <string>

#include <absl/status/status.h>

#include "report.h"

namespace thimble::tools {

// Builds the recommended structures that have an image once more, in a child, and seals them in a store file: one section
// each, named "column/structure" ("rows/structure" for whole rows). The file appears whole, or not at all.
absl::Status SaveRecommended(const TableData& table, const Report& report, const std::string& path);

}  // namespace thimble::tools
