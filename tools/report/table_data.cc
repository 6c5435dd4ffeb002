#include "table_data.h"

#include <unistd.h>

#include <algorithm>

#include "forked.h"
#include "measure.h"
#include "status_macros.h"

namespace thimble::tools {
namespace {

using footprint::Column;
using footprint::kDate;
using footprint::kReal;
using footprint::kRow;
using footprint::kText;

constexpr std::size_t kSpoolMemory = std::size_t{8} << 20;  // shared by all columns

absl::StatusOr<Column> MapTexts(const TextSpool& spool, footprint::ColumnType type, std::uint64_t distinct) {
  THIMBLE_ASSIGN_OR_RETURN(const std::span<const char> bytes, spool.bytes().Map());
  THIMBLE_ASSIGN_OR_RETURN(const std::span<const char> ends, spool.ends().Map());
  Column column(type, spool.size(), distinct);
  column.set_texts({bytes.data(), reinterpret_cast<const std::uint64_t*>(ends.data())});
  return column;
}

// The numbers of a column that holds nothing else.
absl::Status SpoolValues(ColumnData& column, std::size_t buffer) {
  const footprint::ColumnType type = column.inference.type();
  if (type == kText) return absl::OkStatus();
  THIMBLE_ASSIGN_OR_RETURN(Spool values, Spool::Make(buffer));
  if (type == kDate && column.missing != 0) {
    THIMBLE_ASSIGN_OR_RETURN(column.present, TextSpool::Make(buffer));
  }
  THIMBLE_RETURN_IF_ERROR(column.texts.ForEach([&](std::string_view text) {
    if (text.empty()) return absl::OkStatus();
    if (column.present) {
      if (absl::Status kept = column.present->Append(text); !kept.ok()) return kept;
    }
    if (type == kReal) return values.AppendValue(ParseReal(text));
    return values.AppendValue(type == kDate ? ParseDate(text) : ParseInteger(text));
  }));
  THIMBLE_RETURN_IF_ERROR(values.Flush());
  if (column.present) THIMBLE_RETURN_IF_ERROR(column.present->Flush());
  column.values = std::move(values);
  return absl::OkStatus();
}

// In a child, which takes the memory that it needs along when it ends.
absl::StatusOr<std::uint64_t> CountDistinct(const ColumnData& data) {
  footprint::Forked child([&](int out) {
    const absl::StatusOr<Column> column = data.Map();
    if (!column.ok()) return false;
    const std::uint64_t distinct = footprint::CountDistinct(*column);
    return write(out, &distinct, sizeof distinct) == sizeof distinct;
  });
  std::uint64_t distinct = 0;
  THIMBLE_RETURN_IF_ERROR(child.Wait(&distinct, sizeof distinct));
  return distinct;
}

}  // namespace

absl::StatusOr<Column> ColumnData::Map() const {
  const footprint::ColumnType type = inference.type();
  if (type == kText) {
    THIMBLE_ASSIGN_OR_RETURN(Column column, MapTexts(texts, type, distinct));
    if (rows) {
      THIMBLE_ASSIGN_OR_RETURN(const std::span<const char> mapped, rows->Map());
      column.set_rows(reinterpret_cast<const std::uint64_t*>(mapped.data()));
    }
    return column;
  }
  Column column(type, elements(), distinct);
  if (type == kDate) {
    THIMBLE_ASSIGN_OR_RETURN(column, MapTexts(present ? *present : texts, type, distinct));
  }
  THIMBLE_ASSIGN_OR_RETURN(const std::span<const char> mapped, values->Map());
  if (type == kReal) {
    column.set_reals(reinterpret_cast<const double*>(mapped.data()));
  } else {
    column.set_integers(reinterpret_cast<const std::int64_t*>(mapped.data()));
  }
  return column;
}

std::size_t SpoolBuffer(std::size_t columns) { return std::clamp<std::size_t>(kSpoolMemory / (columns * 2 + 1), 4096, 1 << 18); }

absl::Status PrepareColumn(ColumnData& column, std::size_t columns) {
  THIMBLE_RETURN_IF_ERROR(SpoolValues(column, SpoolBuffer(columns)));
  if (column.distinct != 0) return absl::OkStatus();
  THIMBLE_ASSIGN_OR_RETURN(column.distinct, CountDistinct(column));
  return absl::OkStatus();
}

absl::StatusOr<Column> TableData::MapRows() const {
  std::vector<Column> fields;
  for (const ColumnData& column : columns) {
    THIMBLE_ASSIGN_OR_RETURN(Column field, MapTexts(column.texts, kText, column.distinct));
    field.set_name(column.name);
    fields.push_back(std::move(field));
  }
  Column mapped(kRow, rows, 0);
  mapped.set_fields(std::move(fields));
  mapped.set_field_specs(field_specs);
  return mapped;
}

}  // namespace thimble::tools
