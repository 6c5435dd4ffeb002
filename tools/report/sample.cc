#include "sample.h"

#include <algorithm>
#include <array>
#include <bit>

#include "run_selector.h"
#include "status_macros.h"
#include "subsample.h"
#include "written_number.h"

namespace thimble::tools {
namespace {

using footprint::Holds;
using footprint::kSampleParts;
using footprint::Measurement;
using footprint::Predict;
using footprint::RunSelector;

const Measurement* Find(const ColumnReport& column, const footprint::Structure* structure) {
  for (const StructureRow& row : column.structures) {
    if (row.structure == structure) return row.measured.ok() ? &row.measured : nullptr;
  }
  return nullptr;
}

void PredictColumn(const std::array<const ColumnReport*, 3>& samples, Holds holding, std::uint64_t total, ColumnReport& out) {
  for (StructureRow row : samples[2]->structures) {
    if (WhatHolds(*row.structure) != holding) continue;
    const auto measured = [&](std::size_t i) { return Find(*samples[i], row.structure); };
    row.predicted = Predict(row.structure->growth, {measured(0), measured(1), measured(2)}, samples[2]->elements, total, row.measured);
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

// How wide a field of packed records must be for all rows, which no sample tells: it may lack the extremes.
absl::StatusOr<FieldSpec> WholeField(const ColumnData& column) {
  internal::NumberField numbers;
  THIMBLE_RETURN_IF_ERROR(column.texts.ForEach([&](std::string_view text) {
    numbers.Add(text);
    return absl::OkStatus();
  }));
  if (const std::optional<FieldSpec> spec = numbers.Spec("")) return *spec;
  const std::uint64_t last_code = std::max<std::uint64_t>(column.distinct_estimate, 1) - 1;
  return FieldSpec{.name = "", .type = FieldType::kText, .width = static_cast<unsigned>(std::bit_width(last_code))};
}

// Reports of three samples, the smallest first.
using Reports = std::array<Report, 3>;

std::array<const ColumnReport*, 3> ColumnsOf(const Reports& reports, std::size_t i) {
  return {&reports[0].columns[i], &reports[1].columns[i], &reports[2].columns[i]};
}

absl::StatusOr<Reports> MeasureRows(const TableData& table, std::uint64_t rows, MeasureOptions options, Progress& progress) {
  const std::uint64_t run = RunSelector::RunFor(rows);
  THIMBLE_ASSIGN_OR_RETURN(TableData largest, SampleRows(table, rows, run));
  for (const ColumnData& column : table.columns) {
    THIMBLE_ASSIGN_OR_RETURN(const FieldSpec field, WholeField(column));
    largest.field_specs.push_back(field);
  }
  Reports reports;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const bool largest_part = kSampleParts[i] == 0;  // builds the others too, for their time
    options.holding = largest_part ? std::nullopt : std::optional(Holds::kAll);
    THIMBLE_ASSIGN_OR_RETURN(const TableData part, SampleRows(largest, rows >> kSampleParts[i], run));
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
    for (unsigned& level : deeper) level += kSampleParts[i];
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
