#include "sample.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "status_macros.h"
#include "subsample.h"

namespace thimble::tools {
namespace {

using footprint::Measurement;

constexpr unsigned kParts[] = {4, 2, 0};     // the sample divided by 2 to this power, smallest first
constexpr std::uint64_t kLongestRun = 1024;  // of neighbours in a sample
constexpr std::uint64_t kFewestRuns = 512;
constexpr double kLeastDoubt = 0.005;        // half an interval's width, at least

struct Point {
  double stored, bytes;
};

struct Prediction {
  double bytes, low, high;
};

// Along the curve a + b n + c n log n through all three, which a table with a fixed part, an array, a tree, a sorted array
// whose gaps narrow and a dictionary whose neighbours grow alike all follow. How far it lies from the line through the last
// two is the doubt.
Prediction Extrapolate(const std::array<Point, 3>& p, double n) {
  const double least_doubt = kLeastDoubt * p[2].bytes * std::max(1.0, n / std::max(1.0, p[2].stored));
  if (n <= p[2].stored || p[2].stored <= p[1].stored || p[1].stored <= p[0].stored) {
    return {p[2].bytes, p[2].bytes - least_doubt, p[2].bytes + least_doubt};
  }
  const double more = n - p[2].stored;
  const double slope = (p[2].bytes - p[1].bytes) / (p[2].stored - p[1].stored);
  const double line = p[2].bytes + slope * more;
  const auto bend = [](double s) { return s * std::log(s); };
  const double first_slope = (p[1].bytes - p[0].bytes) / (p[1].stored - p[0].stored);
  const double bend_slope = (bend(p[2].stored) - bend(p[1].stored)) / (p[2].stored - p[1].stored);
  const double first_bend_slope = (bend(p[1].stored) - bend(p[0].stored)) / (p[1].stored - p[0].stored);
  const double c = (slope - first_slope) / (bend_slope - first_bend_slope);
  const double curve = p[2].bytes + (slope - c * bend_slope) * more + c * (bend(n) - bend(p[2].stored));
  const double middle = std::max(p[2].bytes, curve);  // more values never cost less
  const double doubt = std::max(least_doubt, std::fabs(curve - line) / 2);
  return {middle, middle - doubt, middle + doubt};
}

const Measurement* Find(const ColumnReport& column, const footprint::Structure* structure) {
  for (const StructureRow& row : column.structures) {
    if (row.structure == structure) return row.measured.ok() ? &row.measured : nullptr;
  }
  return nullptr;
}

// Makes of the largest sample's row what the row of all `total` values would be.
void PredictRow(StructureRow& row, const std::array<const ColumnReport*, 3>& samples, std::uint64_t total) {
  std::array<const Measurement*, 3> measured;
  for (std::size_t i = 0; i < measured.size(); ++i) measured[i] = Find(*samples[i], row.structure);
  if (std::find(measured.begin(), measured.end(), nullptr) != measured.end()) return;
  const bool holds_all = measured[2]->stored == samples[2]->elements;
  const auto n = static_cast<double>(holds_all ? total : measured[2]->stored);
  const auto predict = [&](auto figure) {
    std::array<Point, 3> points;
    for (std::size_t i = 0; i < 3; ++i) points[i] = {static_cast<double>(measured[i]->stored), static_cast<double>(measured[i]->*figure)};
    return Extrapolate(points, n);
  };
  Measurement& m = row.measured;
  const Prediction heap = predict(&Measurement::heap_bytes);
  m.mallinfo_bytes = std::llround(predict(&Measurement::mallinfo_bytes).bytes);
  m.peak_bytes = std::llround(predict(&Measurement::peak_bytes).bytes);
  m.pss_bytes = std::llround(predict(&Measurement::pss_bytes).bytes);
  m.build_seconds *= n / std::max(1.0, static_cast<double>(m.stored));
  m.heap_bytes = std::llround(heap.bytes);
  m.stored = static_cast<std::uint64_t>(std::llround(n));
  if (n > 0) row.predicted = Interval{heap.low / n, heap.high / n};
}

void PredictColumn(const std::array<const ColumnReport*, 3>& samples, Holds holding, std::uint64_t total, ColumnReport& out) {
  for (StructureRow row : samples[2]->structures) {
    if (WhatHolds(*row.structure) != holding) continue;
    PredictRow(row, samples, total);
    out.structures.push_back(row);
  }
}

// What holds distinct values was built from those alone; a row that is there already takes its time too.
void PredictBuildTimes(ColumnReport& column, const ColumnReport& rows) {
  for (StructureRow& row : column.structures) {
    const Measurement* m = Find(rows, row.structure);
    if (m == nullptr || WhatHolds(*row.structure) == Holds::kAll || rows.elements == 0) continue;
    row.measured.build_seconds = m->build_seconds * static_cast<double>(column.elements) / static_cast<double>(rows.elements);
  }
}

// Reports of three samples, the smallest first.
using Reports = std::array<Report, 3>;

std::array<const ColumnReport*, 3> ColumnsOf(const Reports& reports, std::size_t i) {
  return {&reports[0].columns[i], &reports[1].columns[i], &reports[2].columns[i]};
}

absl::StatusOr<Reports> MeasureRows(const TableData& table, std::uint64_t rows, MeasureOptions options, Progress& progress) {
  const std::uint64_t run = std::clamp<std::uint64_t>(rows / kFewestRuns, 1, kLongestRun);
  THIMBLE_ASSIGN_OR_RETURN(const TableData largest, SampleRows(table, rows, run));
  Reports reports;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const bool largest_part = kParts[i] == 0;  // builds the others too, for their time
    options.holding = largest_part ? std::nullopt : std::optional(Holds::kAll);
    THIMBLE_ASSIGN_OR_RETURN(const TableData part, SampleRows(largest, rows >> kParts[i], run));
    THIMBLE_ASSIGN_OR_RETURN(reports[i], MeasureTable(part, options, progress));
  }
  return reports;
}

absl::StatusOr<Reports> MeasureDistinct(const TableData& table, const std::vector<unsigned>& levels, MeasureOptions options, Progress& progress) {
  options.holding = Holds::kDistinct;
  THIMBLE_ASSIGN_OR_RETURN(const TableData largest, SampleDistinct(table, levels));
  Reports reports;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::vector<unsigned> deeper = levels;
    for (unsigned& level : deeper) level += kParts[i];
    THIMBLE_ASSIGN_OR_RETURN(const TableData part, SampleDistinct(largest, deeper));
    THIMBLE_ASSIGN_OR_RETURN(reports[i], MeasureTable(part, options, progress));
  }
  return reports;
}

// Halved until no more than `rows` are left.
std::vector<unsigned> LevelsFor(const TableData& table, std::uint64_t rows) {
  std::vector<unsigned> levels;
  for (const ColumnData& column : table.columns) {
    unsigned level = 0;
    while (column.distinct_estimate >> level > rows) ++level;
    levels.push_back(level);
  }
  return levels;
}

}  // namespace

absl::StatusOr<Report> PredictTable(const TableData& table, std::uint64_t rows, const MeasureOptions& options, Progress& progress) {
  std::uint64_t sample_rows = table.rows;
  while (sample_rows > rows) sample_rows /= 2;
  progress.Show("sampling rows");
  THIMBLE_ASSIGN_OR_RETURN(const Reports by_rows, MeasureRows(table, sample_rows, options, progress));
  progress.Show("sampling values");
  const std::vector<unsigned> levels = LevelsFor(table, sample_rows);
  THIMBLE_ASSIGN_OR_RETURN(const Reports by_values, MeasureDistinct(table, levels, options, progress));

  Report report = by_rows[2];
  report.rows = table.rows;
  report.sample_rows = sample_rows;
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    ColumnReport& column = report.columns[i];
    const auto data = std::find_if(table.columns.begin(), table.columns.end(), [&](const ColumnData& c) { return c.name == column.name; });
    column.elements = data->elements();
    column.payload_bytes = data->payload_bytes();
    const std::uint64_t distinct = by_values[2].columns[i].elements << levels[static_cast<std::size_t>(data - table.columns.begin())];
    column.distinct = std::min(distinct, column.elements);
    column.structures.clear();
    PredictColumn(ColumnsOf(by_rows, i), Holds::kAll, column.elements, column);
    PredictColumn(ColumnsOf(by_values, i), Holds::kDistinct, column.distinct, column);
    PredictBuildTimes(column, by_rows[2].columns[i]);
    SortStructures(column);
    column.recommendation = Recommend(column);
  }
  report.whole_rows.elements = table.rows;
  report.whole_rows.structures.clear();
  PredictColumn({&by_rows[0].whole_rows, &by_rows[1].whole_rows, &by_rows[2].whole_rows}, Holds::kAll, table.rows, report.whole_rows);
  SortStructures(report.whole_rows);
  report.whole_rows.recommendation = Recommend(report.whole_rows);
  return report;
}

}  // namespace thimble::tools
