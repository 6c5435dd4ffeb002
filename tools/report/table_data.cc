#include "table_data.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "byte_source.h"
#include "forked.h"
#include "measure.h"
#include "record_reader.h"
#include "status_macros.h"
#include "thimble/hyperloglog.h"

namespace thimble::tools {
namespace {

using footprint::Column;
using footprint::kDate;
using footprint::kReal;
using footprint::kRow;
using footprint::kText;

constexpr std::size_t kSpoolMemory = std::size_t{8} << 20;  // shared by all columns
constexpr std::size_t kRaggedLines = 10;

// Every column takes a few files.
void RaiseFileLimit() {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t SpoolBuffer(std::size_t columns) { return std::clamp<std::size_t>(kSpoolMemory / (columns * 2 + 1), 4096, 1 << 18); }

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

// Within 0.3 %, by hashes of the text.
absl::StatusOr<std::uint64_t> EstimateDistinct(const ColumnData& data) {
  HyperLogLog sketch({.precision = 17});
  const bool text = data.inference.type() == kText;
  THIMBLE_RETURN_IF_ERROR(data.texts.ForEach([&](std::string_view value) {
    if (text || !value.empty()) sketch.Add(value);
    return absl::OkStatus();
  }));
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(std::llround(sketch.Estimate())), data.elements());
}

std::string UniqueName(std::string name, std::size_t number, const std::vector<ColumnData>& taken) {
  if (name.empty()) name = "column " + std::to_string(number);
  const auto is_taken = [&](const std::string& n) {
    return std::any_of(taken.begin(), taken.end(), [&](const ColumnData& column) { return column.name == n; });
  };
  std::string unique = name;
  for (int i = 2; is_taken(unique); ++i) unique = name + " " + std::to_string(i);
  return unique;
}

class TableReader {
 public:
  TableReader(TableData& table, RecordReader& records, bool has_header) : table_(table), records_(records), header_(has_header) {}

  absl::Status Read(Progress& progress) {
    while (true) {
      THIMBLE_ASSIGN_OR_RETURN(const bool more, records_.Next());
      if (!more) break;
      if (table_.columns.empty()) {
        THIMBLE_RETURN_IF_ERROR(MakeColumns());
        if (header_) continue;
      }
      THIMBLE_RETURN_IF_ERROR(AddRow());
      if (table_.rows % 65536 == 0) progress.Show("reading", records_.bytes());
    }
    for (ColumnData& column : table_.columns) THIMBLE_RETURN_IF_ERROR(column.texts.Flush());
    table_.bytes = records_.bytes();
    return absl::OkStatus();
  }

 private:
  absl::Status MakeColumns() {
    const std::size_t buffer = SpoolBuffer(records_.size());
    for (std::size_t i = 0; i < records_.size(); ++i) {
      THIMBLE_ASSIGN_OR_RETURN(TextSpool texts, TextSpool::Make(buffer));
      const std::string name = table_.format == "lines" ? "line" : header_ ? std::string(records_.field(i)) : "";
      table_.columns.push_back({UniqueName(name, i + 1, table_.columns), {}, std::move(texts), {}, {}, 0, 0});
    }
    return absl::OkStatus();
  }

  absl::Status AddRow() {
    if (records_.size() != table_.columns.size()) {
      if (table_.ragged_rows++ < kRaggedLines) table_.ragged_lines.push_back(records_.line());
    }
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      const std::string_view value = i < records_.size() ? records_.field(i) : std::string_view();
      table_.columns[i].inference.Add(value);
      THIMBLE_RETURN_IF_ERROR(table_.columns[i].texts.Append(value));
    }
    ++table_.rows;
    return absl::OkStatus();
  }

  TableData& table_;
  RecordReader& records_;
  bool header_;
};

}  // namespace

absl::StatusOr<Column> ColumnData::Map() const {
  const footprint::ColumnType type = inference.type();
  if (type == kText) return MapTexts(texts, type, distinct);
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

absl::Status PrepareColumn(ColumnData& column, std::size_t columns) {
  THIMBLE_RETURN_IF_ERROR(SpoolValues(column, SpoolBuffer(columns)));
  THIMBLE_ASSIGN_OR_RETURN(column.distinct, CountDistinct(column));
  return absl::OkStatus();
}

absl::StatusOr<Column> TableData::MapRows() const {
  std::vector<Column> fields;
  for (const ColumnData& column : columns) {
    THIMBLE_ASSIGN_OR_RETURN(Column field, MapTexts(column.texts, kText, column.distinct));
    fields.push_back(std::move(field));
  }
  Column mapped(kRow, rows, 0);
  mapped.set_fields(std::move(fields));
  return mapped;
}

absl::StatusOr<TableData> ReadTable(const ReadOptions& options, Progress& progress) {
  RaiseFileLimit();
  THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, ByteSource::Open(options.path));
  RecordReader records(*source, {});
  THIMBLE_ASSIGN_OR_RETURN(const std::string_view start, records.Preview(std::size_t{1} << 16));
  const Sniffed sniffed = Sniff(options.path, start, options.format, options.header);
  records.set_dialect(sniffed.dialect);

  TableData table;
  table.path = options.path;
  table.compression = source->compression();
  table.format = sniffed.dialect.delimiter == 0 ? "lines" : sniffed.dialect.delimiter == ',' ? "csv" : "tsv";
  table.has_header = sniffed.has_header;
  absl::Status read = TableReader(table, records, sniffed.has_header).Read(progress);
  if (!read.ok()) return absl::Status(read.code(), options.path + ": " + std::string(read.message()));
  const bool sampled = options.sample != 0 && table.rows > options.sample;
  for (ColumnData& column : table.columns) {
    progress.Show("counting " + column.name);
    column.missing = column.inference.missing();
    if (sampled) {
      THIMBLE_ASSIGN_OR_RETURN(column.distinct, EstimateDistinct(column));
    } else {
      THIMBLE_RETURN_IF_ERROR(PrepareColumn(column, table.columns.size()));
    }
  }
  return table;
}

}  // namespace thimble::tools
