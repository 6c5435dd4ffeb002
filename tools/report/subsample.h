#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>

#include "table_data.h"

namespace thimble::tools {

// `rows` of the table's, in their order: runs of `run` neighbours, picked at random, so that what depends on the order, such as
// the gaps of a sorted column, is as in the whole. The same rows of every column, and the same every time.
absl::StatusOr<TableData> SampleRows(const TableData& table, std::uint64_t rows, std::uint64_t run);

// Distinct values of every column in the order in which they first come: those whose hash ends in so many zeros, one level a
// column. Its rows mean nothing.
absl::StatusOr<TableData> SampleDistinct(const TableData& table, const std::vector<unsigned>& levels);

}  // namespace thimble::tools
