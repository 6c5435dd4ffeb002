#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "column.h"
#include "column_type.h"
#include "spool.h"

namespace thimble::tools {

// One column of the input, on disk.
struct ColumnData {
  std::string name;
  TypeInference inference;
  TextSpool texts;                  // every row's value as it stood, missing ones as empty
  std::optional<TextSpool> present; // the same without missing values; dates that lack some only
  std::optional<Spool> values;      // int64 or double, missing values left out; other types than text only
  std::optional<Spool> rows;        // the row of each value, where only different ones were picked out
  std::uint64_t distinct = 0;           // 0 until they are counted
  std::uint64_t distinct_estimate = 0;  // within a few percent
  std::uint64_t missing = 0;

  std::uint64_t elements() const { return inference.type() == footprint::kText ? texts.size() : texts.size() - missing; }
  std::uint64_t payload_bytes() const {
    return inference.value_bytes() == 0 ? texts.text_bytes() : elements() * inference.value_bytes();
  }
  // Maps the values, in a child.
  absl::StatusOr<footprint::Column> Map() const;
};

// The whole input, on disk, a column at a time.
struct TableData {
  std::string path, format, compression;
  bool has_header = false;
  std::uint64_t bytes = 0;  // decompressed
  std::uint64_t rows = 0;
  std::uint64_t ragged_rows = 0;
  std::vector<std::uint64_t> ragged_lines;  // of the first few
  std::uint64_t invalid_rows = 0;           // lines that are no JSON
  std::vector<std::uint64_t> invalid_lines;
  std::vector<ColumnData> columns;
  std::vector<FieldSpec> field_specs;  // of packed records of the whole, if this is a sample of its rows

  // Every column as text, in a child.
  absl::StatusOr<footprint::Column> MapRows() const;
};

// Spools the numbers of a column whose text is there, and counts its distinct values unless that is done.
absl::Status PrepareColumn(ColumnData& column, std::size_t columns);

// Bytes that each of a table's spools holds in memory.
std::size_t SpoolBuffer(std::size_t columns);

}  // namespace thimble::tools
