#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "byte_source.h"

namespace thimble::tools {

// Records of a table in text. Delimiter 0 means lines: a record is one field, and quotes mean nothing.
struct Dialect {
  char delimiter = 0;
  bool json = false;  // the lines are JSON
};

// Reads records one at a time, in memory that depends on the longest record only. With a delimiter the grammar is RFC 4180:
// a field in quotes may hold delimiters, line ends and doubled quotes. Line ends are LF or CRLF, the last may be missing; a
// byte-order mark is dropped; every other byte, NUL too, is data. An empty line is an empty record in a file of lines, and is
// skipped in a table of several columns.
class RecordReader {
 public:
  RecordReader(ByteSource& source, Dialect dialect);

  // False at the end. Returns kResourceExhausted for a record beyond kMaxRecordBytes, kDataLoss if a quote is never closed.
  absl::StatusOr<bool> Next();

  std::size_t size() const { return ends_.size(); }
  std::string_view field(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {record_.data() + begin, ends_[i] - begin};
  }
  // The line that the record began on, from 1.
  std::uint64_t line() const { return record_line_; }
  // Bytes read so far, decompressed.
  std::uint64_t bytes() const { return bytes_; }
  // Up to `size` bytes from the start, before any record is read: to see what kind of file it is.
  absl::StatusOr<std::string_view> Preview(std::size_t size);
  void set_dialect(Dialect dialect) { dialect_ = dialect; }

  static constexpr std::size_t kMaxRecordBytes = std::size_t{32} << 20;

 private:
  absl::Status Fill();
  absl::StatusOr<bool> NextLine();
  absl::StatusOr<bool> NextRow();
  absl::Status Append(const char* data, std::size_t size);
  void DropCarriageReturn(std::size_t unquoted_from);
  // Copies up to the closing quote; doubled ones become single.
  absl::Status AppendQuoted();

  ByteSource& source_;
  Dialect dialect_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool at_end_ = false;
  std::string record_;
  std::vector<std::size_t> ends_;
  std::uint64_t line_ = 1, record_line_ = 1, bytes_ = 0;
};

}  // namespace thimble::tools
