#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "progress.h"
#include "sniff.h"
#include "table_data.h"

namespace thimble::tools {

struct ReadOptions {
  std::string path;
  std::string format = "auto";
  Choice header = Choice::kAuto;
};

// Reads the input once, in memory that depends on the number of columns and the longest record only. A row with too few
// fields is filled up with missing ones; of one with too many the rest is left out; both are counted as ragged. JSON Lines
// have a column for each name that comes up; a line is ragged that lacks one, or brings a new one. Lines that are no JSON are
// left out, and counted.
//
// The columns' values are not prepared yet, and their distinct ones only estimated: by a sketch, within 3 %.
absl::StatusOr<TableData> ReadTable(const ReadOptions& options, Progress& progress);

}  // namespace thimble::tools
