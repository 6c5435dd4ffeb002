#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "column.h"
#include "column_type.h"
#include "progress.h"
#include "sniff.h"
#include "spool.h"

namespace thimble::tools {

// One column of the input, on disk.
struct ColumnData {
  std::string name;
  TypeInference inference;
  TextSpool texts;                  // every row's value as it stood, missing ones as empty
  std::optional<TextSpool> present; // the same without missing values; dates that lack some only
  std::optional<Spool> values;      // int64 or double, missing values left out; other types than text only
  std::uint64_t distinct = 0;
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
  std::vector<ColumnData> columns;

  // Every column as text, in a child.
  absl::StatusOr<footprint::Column> MapRows() const;
};

struct ReadOptions {
  std::string path;
  std::string format = "auto";
  Choice header = Choice::kAuto;
  std::uint64_t sample = 0;  // of a table with more rows, distinct values are only estimated, in constant memory
};

// Spools the numbers of a column whose text is there, and counts its distinct values.
absl::Status PrepareColumn(ColumnData& column, std::size_t columns);

// Reads the input once, in memory that depends on the number of columns and the longest record only. A row with too few
// fields is filled up with missing ones; of one with too many the rest is left out; both are counted as ragged.
absl::StatusOr<TableData> ReadTable(const ReadOptions& options, Progress& progress);

}  // namespace thimble::tools
