#include "subsample.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_set>

#include "run_selector.h"
#include "status_macros.h"
#include "thimble/hash.h"

namespace thimble::tools {
namespace {

TableData Like(const TableData& table) {
  TableData sample;
  sample.path = table.path;
  sample.format = table.format;
  sample.compression = table.compression;
  sample.has_header = table.has_header;
  sample.bytes = table.bytes;
  sample.ragged_rows = table.ragged_rows;
  sample.ragged_lines = table.ragged_lines;
  sample.invalid_rows = table.invalid_rows;
  sample.invalid_lines = table.invalid_lines;
  sample.field_specs = table.field_specs;
  return sample;
}

// The values that `chosen` says, as a column of the sample.
template <class Chosen>
absl::Status AddColumn(const ColumnData& column, std::size_t columns, bool all_distinct, Chosen chosen, TableData& sample) {
  THIMBLE_ASSIGN_OR_RETURN(TextSpool texts, TextSpool::Make(SpoolBuffer(columns)));
  std::optional<Spool> rows;
  if (all_distinct) {
    THIMBLE_ASSIGN_OR_RETURN(rows, Spool::Make(SpoolBuffer(columns)));
  }
  std::uint64_t missing = 0, next = 0;
  const auto add = [&](std::string_view value) -> absl::Status {
    std::uint64_t row = next++;
    if (!chosen(value)) return absl::OkStatus();
    missing += value.empty();
    if (column.rows) THIMBLE_RETURN_IF_ERROR(column.rows->ReadAt(row * sizeof row, {reinterpret_cast<char*>(&row), sizeof row}));
    if (rows) THIMBLE_RETURN_IF_ERROR(rows->AppendValue(row));
    return texts.Append(value);
  };
  THIMBLE_RETURN_IF_ERROR(column.texts.ForEach(add));
  THIMBLE_RETURN_IF_ERROR(texts.Flush());
  if (rows) THIMBLE_RETURN_IF_ERROR(rows->Flush());
  const std::uint64_t distinct = all_distinct ? texts.size() : 0;
  sample.columns.push_back({column.name, column.inference, std::move(texts), {}, {}, std::move(rows), distinct, 0, missing});
  return PrepareColumn(sample.columns.back(), columns);
}

std::uint64_t HashOf(std::string_view value, footprint::ColumnType type) {
  return type == footprint::kReal ? Hash64(std::bit_cast<std::uint64_t>(ParseReal(value))) : Hash64(value);
}

}  // namespace

absl::StatusOr<TableData> SampleRows(const TableData& table, std::uint64_t rows, std::uint64_t run) {
  TableData sample = Like(table);
  sample.rows = rows;
  for (const ColumnData& column : table.columns) {
    footprint::RunSelector selector(rows, table.rows, run);
    THIMBLE_RETURN_IF_ERROR(AddColumn(column, table.columns.size(), false, [&](std::string_view) { return selector.Next(); }, sample));
  }
  return sample;
}

absl::StatusOr<TableData> SampleDistinct(const TableData& table, const std::vector<unsigned>& levels) {
  TableData sample = Like(table);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnData& column = table.columns[i];
    const footprint::ColumnType type = column.inference.type();
    const std::uint64_t mask = (std::uint64_t{1} << levels[i]) - 1;
    std::unordered_set<std::uint64_t> seen;
    const auto is_new = [&](std::string_view value) {
      if (value.empty() && type != footprint::kText) return false;
      const std::uint64_t hash = HashOf(value, type);
      return (hash & mask) == 0 && seen.insert(hash).second;
    };
    THIMBLE_RETURN_IF_ERROR(AddColumn(column, table.columns.size(), true, is_new, sample));
  }
  return sample;
}

}  // namespace thimble::tools
