#pragma once

#include <absl/status/statusor.h>

#include "report.h"

namespace thimble::tools {

// A report of which only a sample was built: 1/16, 1/4 and all of it. What each structure would cost with all rows is
// extrapolated from the three, with an interval. The sample has the table's number of rows divided by a power of two, the
// largest that is not larger than `rows`, so that containers that grow by doubling are as full as they would be with all.
//
// Structures that hold distinct values are built from a sample of those, divided likewise: all of them where they are not more
// than that, so that nothing is guessed. They come in the order of the table, and their number is that of the column within
// 1.5 / sqrt(rows), one standard error.
absl::StatusOr<Report> PredictTable(const TableData& table, std::uint64_t rows, const MeasureOptions& options, Progress& progress);

}  // namespace thimble::tools
