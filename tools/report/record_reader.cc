#include "record_reader.h"

#include <algorithm>
#include <cstring>

#include "status_macros.h"

namespace thimble::tools {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

RecordReader::RecordReader(ByteSource& source, Dialect dialect) : source_(source), dialect_(dialect), buffer_(kBufferBytes) {}

absl::StatusOr<std::string_view> RecordReader::Preview(std::size_t size) {
  if (end_ == 0) {
    THIMBLE_RETURN_IF_ERROR(Fill());
    if (std::string_view(buffer_.data(), end_).starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
  }
  return std::string_view(buffer_.data() + begin_, std::min(size, end_ - begin_));
}

// Refills the buffer once everything in it was used.
absl::Status RecordReader::Fill() {
  absl::StatusOr<std::size_t> read = source_.Read(buffer_);
  if (!read.ok()) return read.status();
  begin_ = 0;
  end_ = *read;
  bytes_ += *read;
  at_end_ = *read == 0;
  return absl::OkStatus();
}

absl::Status RecordReader::Append(const char* data, std::size_t size) {
  if (record_.size() + ends_.size() * sizeof ends_[0] + size > kMaxRecordBytes) {
    return absl::ResourceExhaustedError("line " + std::to_string(record_line_) + ": the record is longer than 32 MiB");
  }
  record_.append(data, size);
  return absl::OkStatus();
}

absl::StatusOr<bool> RecordReader::Next() {
  if (bytes_ == 0) {
    absl::StatusOr<std::string_view> start = Preview(0);
    if (!start.ok()) return start.status();
  }
  return dialect_.delimiter == 0 ? NextLine() : NextRow();
}

absl::StatusOr<bool> RecordReader::NextLine() {
  record_.clear();
  ends_.clear();
  record_line_ = line_;
  bool any = false;
  while (true) {
    if (begin_ == end_) {
      THIMBLE_RETURN_IF_ERROR(Fill());
      if (at_end_) break;
    }
    any = true;
    const char* from = buffer_.data() + begin_;
    const auto* newline = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
    const std::size_t length = newline == nullptr ? end_ - begin_ : static_cast<std::size_t>(newline - from);
    THIMBLE_RETURN_IF_ERROR(Append(from, length));
    begin_ += length;
    if (newline != nullptr) {
      ++begin_;
      ++line_;
      break;
    }
  }
  if (!any) return false;
  DropCarriageReturn(0);
  ends_.push_back(record_.size());
  return true;
}

absl::Status RecordReader::AppendQuoted() {
  while (true) {
    if (begin_ == end_) {
      THIMBLE_RETURN_IF_ERROR(Fill());
      if (at_end_) return absl::DataLossError("line " + std::to_string(record_line_) + ": a quote is never closed");
    }
    const char* from = buffer_.data() + begin_;
    const auto* quote = static_cast<const char*>(std::memchr(from, '"', end_ - begin_));
    const std::size_t length = quote == nullptr ? end_ - begin_ : static_cast<std::size_t>(quote - from);
    line_ += static_cast<std::uint64_t>(std::count(from, from + length, '\n'));
    THIMBLE_RETURN_IF_ERROR(Append(from, length));
    begin_ += length;
    if (quote == nullptr) continue;
    ++begin_;
    if (begin_ == end_) {
      THIMBLE_RETURN_IF_ERROR(Fill());
      if (at_end_) return absl::OkStatus();
    }
    if (buffer_[begin_] != '"') return absl::OkStatus();
    THIMBLE_RETURN_IF_ERROR(Append("\"", 1));
    ++begin_;
  }
}

// A carriage return before the line end belongs to it, unless it stood in quotes.
void RecordReader::DropCarriageReturn(std::size_t unquoted_from) {
  if (record_.size() > unquoted_from && record_.back() == '\r') record_.pop_back();
}

absl::StatusOr<bool> RecordReader::NextRow() {
  record_.clear();
  ends_.clear();
  record_line_ = line_;
  bool field_begins = true;       // a quote opens a quoted field only here
  bool quoted = false;            // "" alone on a line is an empty value, and not an empty line
  std::size_t unquoted_from = 0;  // where the field, or what follows its quotes, begins
  while (true) {
    if (begin_ == end_) {
      THIMBLE_RETURN_IF_ERROR(Fill());
      if (at_end_) {
        DropCarriageReturn(unquoted_from);
        if (record_.empty() && ends_.empty() && !quoted) return false;
        break;
      }
    }
    if (field_begins && buffer_[begin_] == '"') {
      ++begin_;
      field_begins = false;
      quoted = true;
      THIMBLE_RETURN_IF_ERROR(AppendQuoted());
      unquoted_from = record_.size();
      continue;
    }
    const char* from = buffer_.data() + begin_;
    const char* to = buffer_.data() + end_;
    const char* stop = std::find_if(from, to, [this](char c) { return c == dialect_.delimiter || c == '\n'; });
    if (stop != from) field_begins = false;
    THIMBLE_RETURN_IF_ERROR(Append(from, static_cast<std::size_t>(stop - from)));
    begin_ += static_cast<std::size_t>(stop - from);
    if (stop == to) continue;
    ++begin_;
    if (*stop == dialect_.delimiter) {
      field_begins = true;
      unquoted_from = record_.size();
      ends_.push_back(record_.size());
      continue;
    }
    ++line_;
    DropCarriageReturn(unquoted_from);
    if (!record_.empty() || !ends_.empty() || quoted) break;
    field_begins = true;  // an empty line
    record_line_ = line_;
  }
  ends_.push_back(record_.size());
  return true;
}

}  // namespace thimble::tools
