#include <algorithm>
#include <tuple>

#include "report.h"
#include "status_macros.h"

namespace thimble::tools {
namespace {

using footprint::MeasureTask;
using footprint::Structure;
using footprint::Structures;

bool IsChosen(const std::vector<std::string>& chosen, const std::string& name) {
  return chosen.empty() || std::any_of(chosen.begin(), chosen.end(), [&](const std::string& part) { return name.find(part) != std::string::npos; });
}

std::vector<StructureRow> RowsFor(unsigned type, const MeasureOptions& options) {
  std::vector<StructureRow> rows;
  for (const Structure& structure : Structures()) {
    const bool held = !options.holding || WhatHolds(structure) == *options.holding;
    if (held && (structure.fits & type) && IsChosen(options.structures, structure.name)) rows.push_back({&structure, {}, {}});
  }
  return rows;
}

void AddTasks(ColumnReport& report, const footprint::ColumnSource& source, std::vector<MeasureTask>& tasks) {
  for (StructureRow& row : report.structures) tasks.push_back({row.structure, source, &row.measured});
}

absl::Status CheckNames(const TableData& table, const MeasureOptions& options) {
  for (const std::string& name : options.columns) {
    const auto is_name = [&](const ColumnData& column) { return column.name == name; };
    if (std::none_of(table.columns.begin(), table.columns.end(), is_name)) {
      return absl::InvalidArgumentError("there is no column " + name + (table.has_header || table.format == "jsonl" ? "" : "; the first row was not taken for names: --header yes"));
    }
  }
  for (const std::string& part : options.structures) {
    const auto has_part = [&](const Structure& structure) { return IsChosen({part}, structure.name); };
    if (std::none_of(Structures().begin(), Structures().end(), has_part)) return absl::InvalidArgumentError("there is no structure " + part);
  }
  return absl::OkStatus();
}

}  // namespace

bool IsMeasured(const ColumnData& column, const MeasureOptions& options) {
  return options.columns.empty() || std::find(options.columns.begin(), options.columns.end(), column.name) != options.columns.end();
}

void SortStructures(ColumnReport& report) {
  const auto key = [](const StructureRow& row) {
    return std::tuple(row.structure->family, !row.measured.ok(), -row.measured.heap_bytes);
  };
  std::stable_sort(report.structures.begin(), report.structures.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

absl::StatusOr<Report> MeasureTable(const TableData& table, const MeasureOptions& options, Progress& progress) {
  THIMBLE_RETURN_IF_ERROR(CheckNames(table, options));
  Report report{table.path, table.format, table.compression, table.has_header, table.bytes, table.rows, table.ragged_rows, table.ragged_lines,
                table.invalid_rows, table.invalid_lines, 0, {}, {}};
  std::vector<MeasureTask> tasks;
  report.columns.reserve(table.columns.size());  // tasks point into it
  for (const ColumnData& column : table.columns) {
    if (!IsMeasured(column, options)) continue;
    ColumnReport& out = report.columns.emplace_back();
    out.name = column.name;
    out.type = column.inference.name();
    out.elements = column.elements();
    out.distinct = column.distinct;
    out.payload_bytes = column.payload_bytes();
    out.structures = RowsFor(column.inference.type(), options);
    AddTasks(out, [&column] { return column.Map(); }, tasks);
  }
  if (options.columns.empty() && table.columns.size() > 1) {
    report.whole_rows.elements = table.rows;
    report.whole_rows.structures = RowsFor(footprint::kRow, options);
    AddTasks(report.whole_rows, [&table] { return table.MapRows(); }, tasks);
  }
  footprint::MeasureAll(tasks, {options.memory_limit, options.jobs}, [&](std::size_t i) {
    progress.Show("measuring " + std::to_string(i + 1) + " of " + std::to_string(tasks.size()) + ": " + tasks[i].structure->name);
  });
  for (ColumnReport& column : report.columns) {
    SortStructures(column);
    column.recommendation = Recommend(column);
  }
  SortStructures(report.whole_rows);
  report.whole_rows.recommendation = Recommend(report.whole_rows);
  return report;
}

}  // namespace thimble::tools
