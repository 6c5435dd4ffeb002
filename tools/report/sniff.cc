#include "sniff.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "column_type.h"

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
  if (cut_short && records.size() > 1 && records.size() < kMaxRecords) records.pop_back();
  return records;
}

bool LooksLikeTable(const Records& records) {
  if (records.size() < 2 || records[0].size() < 2) return false;
  return std::all_of(records.begin(), records.end(), [&](const auto& record) { return record.size() == records[0].size(); });
}

std::string_view WithoutCompression(std::string_view path) {
  for (const std::string_view suffix : {".gz", ".zst", ".gzip", ".zstd"}) {
    if (path.ends_with(suffix)) path.remove_suffix(suffix.size());
  }
  return path;
}

Dialect FindDialect(std::string_view path, std::string_view start, std::string_view format, bool cut_short) {
  path = WithoutCompression(path);
  if (format == "csv" || (format == "auto" && path.ends_with(".csv"))) return {','};
  if (format == "tsv" || (format == "auto" && (path.ends_with(".tsv") || path.ends_with(".tab")))) return {'\t'};
  if (format == "lines" || path.ends_with(".txt") || path.ends_with(".lst")) return {};
  for (const char delimiter : {'\t', ','}) {
    if (LooksLikeTable(RecordsOf(start, {delimiter}, cut_short))) return {delimiter};
  }
  return {};
}

// A header's fields are there, differ, and are no numbers; and below at least one of them stands something else than text, or
// text that never looks like it: it has no digits at all, or its value does not come back.
bool LooksLikeHeader(const Records& records) {
  if (records.size() < 2) return false;
  const std::vector<std::string>& header = records[0];
  if (std::set<std::string>(header.begin(), header.end()).size() != header.size()) return false;
  for (const std::string& name : header) {
    TypeInference inference;
    inference.Add(name);
    if (name.empty() || inference.type() != footprint::kText) return false;
  }
  for (std::size_t c = 0; c < header.size(); ++c) {
    TypeInference inference;
    for (std::size_t r = 1; r < records.size(); ++r) {
      if (c < records[r].size()) inference.Add(records[r][c]);
    }
    if (inference.type() != footprint::kText) return true;
  }
  // All text: names are words, and a value that comes again is no name.
  for (std::size_t c = 0; c < header.size(); ++c) {
    const bool word = std::all_of(header[c].begin(), header[c].end(), [](char b) { return b == '_' || b == ' ' || (b | 32) >= 'a'; });
    const bool again = std::any_of(records.begin() + 1, records.end(), [&](const auto& r) { return c < r.size() && r[c] == header[c]; });
    if (!word || again) return false;
  }
  return header.size() > 1;
}

}  // namespace

Sniffed Sniff(std::string_view path, std::string_view start, std::string_view format, Choice header) {
  constexpr std::size_t kWhole = std::size_t{1} << 16;
  const bool cut_short = start.size() >= kWhole;
  Sniffed sniffed;
  sniffed.dialect = FindDialect(path, start, format, cut_short);
  if (header == Choice::kAuto) {
    sniffed.has_header = sniffed.dialect.delimiter != 0 && LooksLikeHeader(RecordsOf(start, sniffed.dialect, cut_short));
  } else {
    sniffed.has_header = header == Choice::kYes;
  }
  return sniffed;
}

}  // namespace thimble::tools
