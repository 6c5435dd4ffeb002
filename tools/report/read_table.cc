#include "read_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "byte_source.h"
#include "command.h"
#include "file_limit.h"
#include "json_record.h"
#include "record_reader.h"
#include "status_macros.h"
#include "thimble/hyperloglog.h"

namespace thimble::tools {
namespace {

constexpr std::size_t kNamedLines = 10;
constexpr std::size_t kMaxNames = 4096;  // of JSON members

class TableReader {
 public:
  TableReader(TableData& table, RecordReader& records) : table_(table), records_(records) {}

  absl::Status Read(Progress& progress) {
    const bool json = table_.format == "jsonl";
    while (true) {
      THIMBLE_ASSIGN_OR_RETURN(const bool more, records_.Next());
      if (!more) break;
      THIMBLE_RETURN_IF_ERROR(json ? AddLine() : AddRecord());
      if (table_.rows % 65536 == 0) progress.Show("reading", records_.bytes());
    }
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      ColumnData& column = table_.columns[i];
      THIMBLE_RETURN_IF_ERROR(column.texts.Flush());
      column.missing = column.inference.missing();
      column.distinct_estimate = static_cast<std::uint64_t>(std::llround(sketches_[i].Estimate()));
    }
    table_.bytes = records_.bytes();
    return absl::OkStatus();
  }

 private:
  absl::Status AddColumn(std::string name, std::size_t buffer) {
    if (name.empty()) name = "column " + std::to_string(table_.columns.size() + 1);
    std::string unique = name;
    for (int i = 2; !names_.insert(unique).second; ++i) unique = name + " " + std::to_string(i);
    THIMBLE_ASSIGN_OR_RETURN(TextSpool texts, TextSpool::Make(buffer));
    table_.columns.push_back({std::move(unique), {}, std::move(texts), {}, {}, {}, 0, 0, 0});
    sketches_.push_back(HyperLogLog({.precision = 12}));
    return absl::OkStatus();
  }

  absl::Status AddValue(std::size_t column, std::string_view value) {
    table_.columns[column].inference.Add(value);
    sketches_[column].Add(value);
    return table_.columns[column].texts.Append(value);
  }

  void NoteRagged() {
    if (table_.ragged_rows++ < kNamedLines) table_.ragged_lines.push_back(records_.line());
  }

  absl::Status AddRecord() {
    if (table_.columns.empty()) {
      for (std::size_t i = 0; i < records_.size(); ++i) {
        const std::string name = table_.format == "lines" ? "line" : table_.has_header ? std::string(records_.field(i)) : "";
        THIMBLE_RETURN_IF_ERROR(AddColumn(name, SpoolBuffer(records_.size())));
      }
      if (table_.has_header) return absl::OkStatus();
    }
    if (records_.size() != table_.columns.size()) NoteRagged();
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      THIMBLE_RETURN_IF_ERROR(AddValue(i, i < records_.size() ? records_.field(i) : std::string_view()));
    }
    ++table_.rows;
    return absl::OkStatus();
  }

  absl::Status AddLine() {
    const std::string_view line = records_.field(0);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return absl::OkStatus();
    if (!json_.Parse(line)) {
      if (table_.invalid_rows++ < kNamedLines) table_.invalid_lines.push_back(records_.line());
      return absl::OkStatus();
    }
    constexpr std::size_t kAbsent = ~std::size_t{0};
    const std::size_t known = table_.columns.size();
    member_of_.assign(known, kAbsent);
    for (std::size_t i = 0; i < json_.size(); ++i) {
      THIMBLE_ASSIGN_OR_RETURN(const std::size_t column, ColumnOf(json_.name(i)));
      member_of_.resize(table_.columns.size(), kAbsent);
      member_of_[column] = i;
    }
    const bool lacks = std::find(member_of_.begin(), member_of_.end(), kAbsent) != member_of_.end();
    if (lacks || (table_.columns.size() != known && table_.rows != 0)) NoteRagged();
    for (std::size_t c = 0; c < member_of_.size(); ++c) {
      THIMBLE_RETURN_IF_ERROR(AddValue(c, member_of_[c] == kAbsent ? std::string_view() : json_.value(member_of_[c])));
    }
    ++table_.rows;
    return absl::OkStatus();
  }

  // The column that a JSON member goes to; a new one lacks the values of all rows before.
  absl::StatusOr<std::size_t> ColumnOf(std::string_view name) {
    if (const auto found = column_of_.find(name); found != column_of_.end()) return found->second;
    if (table_.columns.size() == kMaxNames) {
      return absl::ResourceExhaustedError("line " + std::to_string(records_.line()) + ": more than " + std::to_string(kMaxNames) + " names of members");
    }
    const std::size_t column = table_.columns.size();
    THIMBLE_RETURN_IF_ERROR(AddColumn(std::string(name), SpoolBuffer(64)));
    for (std::uint64_t row = 0; row < table_.rows; ++row) THIMBLE_RETURN_IF_ERROR(AddValue(column, ""));
    column_of_.emplace(name, column);
    return column;
  }

  TableData& table_;
  RecordReader& records_;
  std::vector<HyperLogLog> sketches_;  // of the columns' values
  JsonRecord json_;
  std::set<std::string> names_;
  std::map<std::string, std::size_t, std::less<>> column_of_;
  std::vector<std::size_t> member_of_;
};

std::string FormatName(const Dialect& dialect) {
  if (dialect.json) return "jsonl";
  return dialect.delimiter == 0 ? "lines" : dialect.delimiter == '\t' ? "tsv" : "csv";
}

absl::StatusOr<TableData> Read(const ReadOptions& options, Progress& progress) {
  THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, ByteSource::Open(options.path));
  RecordReader records(*source, {});
  THIMBLE_ASSIGN_OR_RETURN(const std::string_view start, records.Preview(kPreviewBytes));
  const Sniffed sniffed = Sniff(options.path, start, options.format, options.header);
  records.set_dialect(sniffed.dialect);

  TableData table;
  table.path = options.path;
  table.compression = source->compression();
  table.format = FormatName(sniffed.dialect);
  table.has_header = sniffed.has_header;
  THIMBLE_RETURN_IF_ERROR(TableReader(table, records).Read(progress));
  return table;
}

}  // namespace

absl::StatusOr<TableData> ReadTable(const ReadOptions& options, Progress& progress) {
  RaiseFileLimit();  // every column takes a few
  absl::StatusOr<TableData> table = Read(options, progress);
  if (!table.ok()) return In(options.path, table.status());
  return table;
}

}  // namespace thimble::tools
