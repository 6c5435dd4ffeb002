#pragma once

#include <absl/status/statusor.h>

#include "report.h"

namespace thimble::tools {

// A report of which only a sample of the rows was built: 1/16, 1/4 and all of `rows` rows, picked at random and left in their
// order. What each structure would cost with all rows is extrapolated from the three, with an interval. The sample is the
// largest that is not larger than `rows` and has the table's number of rows divided by a power of two, so that containers
// that grow by doubling are as full as they would be with all.
absl::StatusOr<Report> PredictTable(const TableData& table, std::uint64_t rows, const MeasureOptions& options, Progress& progress);

}  // namespace thimble::tools
