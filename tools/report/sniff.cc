#include "sniff.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "column_type.h"
#include "json_record.h"

namespace thimble::tools {
namespace {

using Records = std::vector<std::vector<std::string>>;

constexpr std::size_t kMaxRecords = 200;

// Bytes that are at hand already.
class StartSource final : public ByteSource {
 public:
  explicit StartSource(std::string_view start) : start_(start) {}
  std::string_view compression() const override { return "plain"; }
  absl::StatusOr<std::size_t> Read(std::span<char> to) override {
    const std::size_t bytes = std::min(to.size(), start_.size());
    std::memcpy(to.data(), start_.data(), bytes);
    start_.remove_prefix(bytes);
    return bytes;
  }

 private:
  std::string_view start_;
};

// The records that lie in `start` whole, as far as they can be told.
Records RecordsOf(std::string_view start, Dialect dialect, bool cut_short) {
  StartSource source(start);
  RecordReader reader(source, dialect);
  Records records;
  while (records.size() < kMaxRecords) {
    const absl::StatusOr<bool> next = reader.Next();
    if (!next.ok() || !*next) break;
    std::vector<std::string>& record = records.emplace_back();
    for (std::size_t i = 0; i < reader.size(); ++i) record.emplace_back(reader.field(i));
  }
  if (cut_short && records.size() > 2 && records.size() < kMaxRecords) records.pop_back();
  return records;
}

bool LooksLikeTable(const Records& records) {
  if (records.size() < 2 || records[0].size() < 2) return false;
  return std::all_of(records.begin(), records.end(), [&](const auto& record) { return record.size() == records[0].size(); });
}

bool LooksLikeJson(const Records& lines) {
  JsonRecord json;
  bool any = false;
  for (const std::vector<std::string>& line : lines) {
    if (line[0].empty()) continue;
    if (!line[0].starts_with('{') || !json.Parse(line[0])) return false;
    any = true;
  }
  return any;
}

// Where the decimal point is a comma, spreadsheets write semicolons between fields.
char CsvDelimiter(std::string_view start, bool cut_short) {
  const bool semicolons = LooksLikeTable(RecordsOf(start, {';'}, cut_short)) && !LooksLikeTable(RecordsOf(start, {','}, cut_short));
  return semicolons ? ';' : ',';
}

std::string_view WithoutCompression(std::string_view path) {
  for (const std::string_view suffix : {".gz", ".zst", ".gzip", ".zstd"}) {
    if (path.ends_with(suffix)) path.remove_suffix(suffix.size());
  }
  return path;
}

Dialect FindDialect(std::string_view path, std::string_view start, std::string_view format, bool cut_short) {
  path = WithoutCompression(path);
  if (format == "csv" || (format == "auto" && path.ends_with(".csv"))) return {CsvDelimiter(start, cut_short)};
  if (format == "tsv" || (format == "auto" && (path.ends_with(".tsv") || path.ends_with(".tab")))) return {'\t'};
  if (format == "jsonl" || (format == "auto" && (path.ends_with(".jsonl") || path.ends_with(".ndjson")))) return {.json = true};
  if (format == "lines" || path.ends_with(".txt") || path.ends_with(".lst")) return {};
  if (LooksLikeJson(RecordsOf(start, {}, cut_short))) return {.json = true};
  for (const char delimiter : {'\t', ',', ';'}) {
    if (LooksLikeTable(RecordsOf(start, {delimiter}, cut_short))) return {delimiter};
  }
  return {};
}

footprint::ColumnType TypeOf(std::string_view value) {
  TypeInference inference;
  inference.Add(value);
  return inference.type();
}

footprint::ColumnType TypeBelow(const Records& records, std::size_t column) {
  TypeInference inference;
  for (std::size_t r = 1; r < records.size(); ++r) {
    if (column < records[r].size()) inference.Add(records[r][column]);
  }
  return inference.type();
}

// A value that comes again below, or holds anything but letters, is no name.
bool LooksLikeName(const Records& records, std::size_t column) {
  const std::string& name = records[0][column];
  const bool word = std::all_of(name.begin(), name.end(), [](char c) { return c == '_' || c == ' ' || (c >= 'A' && c <= 'z') || c < 0; });
  const auto repeats = [&](const auto& record) { return column < record.size() && record[column] == name; };
  return word && std::none_of(records.begin() + 1, records.end(), repeats);
}

// A column may go without a name if it is the first, as the index of a data frame is, or has no values either.
bool MayLackName(const Records& records, std::size_t column) {
  const auto is_empty = [&](const auto& record) { return column >= record.size() || record[column].empty(); };
  return column == 0 || std::all_of(records.begin() + 1, records.end(), is_empty);
}

// Names are there, differ, and are no numbers. Below at least one of them stands something else than text; or, where all is
// text, they look like names.
bool LooksLikeHeader(const Records& records) {
  if (records.size() < 2) return false;
  const std::vector<std::string>& header = records[0];
  std::set<std::string> names;
  bool differs = false, words = true;
  for (std::size_t c = 0; c < header.size(); ++c) {
    if (header[c].empty() && MayLackName(records, c)) continue;
    if (!names.insert(header[c]).second) return false;
    const footprint::ColumnType name = TypeOf(header[c]);
    const footprint::ColumnType below = TypeBelow(records, c);
    // "n" and "y" may be names, but not above a column of them.
    if (header[c].empty() || (name != footprint::kText && (name != footprint::kBoolean || below == footprint::kBoolean))) return false;
    differs |= below != footprint::kText;
    words = words && LooksLikeName(records, c);
  }
  return !names.empty() && (differs || (words && header.size() > 1));
}

}  // namespace

Sniffed Sniff(std::string_view path, std::string_view start, std::string_view format, Choice header) {
  const bool cut_short = start.size() >= kPreviewBytes;
  Sniffed sniffed;
  sniffed.dialect = FindDialect(path, start, format, cut_short);
  if (sniffed.dialect.json) {
    sniffed.has_header = false;
  } else if (header == Choice::kAuto) {
    sniffed.has_header = sniffed.dialect.delimiter != 0 && LooksLikeHeader(RecordsOf(start, sniffed.dialect, cut_short));
  } else {
    sniffed.has_header = header == Choice::kYes;
  }
  return sniffed;
}

}  // namespace thimble::tools
