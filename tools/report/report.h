#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "measure.h"
#include "predict.h"
#include "progress.h"
#include "structure.h"
#include "table_data.h"

namespace thimble::tools {

struct StructureRow {
  const footprint::Structure* structure;
  footprint::Measurement measured;
  std::optional<footprint::Interval> predicted;  // of the bytes per element, where only a sample was built
};

// The smallest exact structure that does a job on a column.
struct Recommendation {
  footprint::Job job;
  const StructureRow* row;
  double saves_percent;  // of the heap of the smallest naive structure that does it
};

struct ColumnReport {
  std::string name, type;
  std::uint64_t elements = 0, distinct = 0, payload_bytes = 0;
  std::vector<StructureRow> structures;
  std::vector<Recommendation> recommendation;
};

struct Report {
  std::string path, format, compression;
  bool has_header = false;
  std::uint64_t bytes = 0, rows = 0, ragged_rows = 0;
  std::vector<std::uint64_t> ragged_lines;
  std::uint64_t invalid_rows = 0;
  std::vector<std::uint64_t> invalid_lines;
  std::uint64_t sample_rows = 0;  // 0: everything was built
  std::vector<ColumnReport> columns;
  ColumnReport whole_rows;  // no name; empty where a row is a single column
};

struct MeasureOptions {
  std::vector<std::string> columns;     // all when empty
  std::vector<std::string> structures;  // parts of names; all when empty
  std::uint64_t memory_limit = 0;       // bytes of heap for each structure
  unsigned jobs = 1;                    // structures measured at once
  std::optional<footprint::Holds> holding;  // only structures that hold these
};

bool IsMeasured(const ColumnData& column, const MeasureOptions& options);

// Measures every structure that fits, on every column that is measured. Returns kInvalidArgument if an option names what is not there.
absl::StatusOr<Report> MeasureTable(const TableData& table, const MeasureOptions& options, Progress& progress);

// Families in their order; within one the largest first, what failed at the end.
void SortStructures(ColumnReport& column);

std::vector<Recommendation> Recommend(const ColumnReport& column);

std::string_view JobName(footprint::Job job);
bool IsRecommended(const ColumnReport& column, const StructureRow& row);

// For people, 100 columns wide at most; `colour` marks the recommended structures.
std::string ToTable(const Report& report, bool colour);
// The schema is docs/report.md.
std::string ToJson(const Report& report);
// A line for each structure, after a line of names; RFC 4180.
std::string ToCsv(const Report& report);
std::string ToMarkdown(const Report& report);
// A page by itself, with charts.
std::string ToHtml(const Report& report);

}  // namespace thimble::tools
