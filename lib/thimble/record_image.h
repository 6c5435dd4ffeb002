#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thimble/bits.h"
#include "thimble/buffer.h"
#include "thimble/image.h"

namespace thimble {

// What packed records are made of, whether their fields are known to the compiler (<thimble/packed_records.h>) or are read
// from a file (<thimble/record_table.h>): one image, which holds the names and types of its fields.

enum class FieldType : std::uint8_t {
  kInteger = 0,  // base + field, modulo 2^64; bools and enums too
  kDecimal = 1,  // (base + field) / 10^digits
  kText = 2,     // index in the field's own list of different strings
};

struct FieldSpec {
  std::string name;  // at most 255 bytes
  FieldType type = FieldType::kInteger;
  unsigned width = 64;   // bits in a record, 0 to 64
  unsigned digits = 0;   // of a decimal, behind the point; of an integer, to which its text is filled up with zeros
  bool padded = false;   // a decimal's text shows all its digits, also trailing zeros
  std::int64_t base = 0;

  bool operator==(const FieldSpec&) const = default;
};

enum class RecordLayout : std::uint8_t {
  kRows = 0,     // the fields of a record side by side, in whole bytes: a record is one cache line or two
  kColumns = 1,  // the values of a field side by side: a scan touches nothing else
};

// One field of all records: record i has the `width` bits at bit first + i * stride. Both layouts are that.
struct FieldRun {
  std::span<const std::byte> bytes;  // slack included
  std::uint64_t first = 0;
  std::uint64_t stride = 0;
  std::uint64_t size = 0;
  unsigned width = 0;

  // Requires: i < size.
  std::uint64_t operator[](std::uint64_t i) const {
    return ReadBits(bytes.data(), first + (i < size ? i : 0) * stride, width);
  }
  // Copies out.size() fields from record `from` on. Requires: from + out.size() <= size; what lies behind is left.
  void Decode(std::uint64_t from, std::span<std::uint64_t> out) const;
};

// The different strings of a text field, in the order in which they came.
struct TextPool {
  const std::byte* ends = nullptr;  // of each string, packed
  const char* bytes = nullptr;
  std::uint64_t byte_count = 0;
  std::uint64_t size = 0;
  unsigned end_width = 0;

  // Requires: code < size.
  std::string_view operator[](std::uint64_t code) const {
    if (code >= size) return {};
    const std::uint64_t end = std::min(ReadBits(ends, code * end_width, end_width), byte_count);
    const std::uint64_t begin = code == 0 ? 0 : std::min(ReadBits(ends, (code - 1) * end_width, end_width), end);
    return {bytes + begin, static_cast<std::size_t>(end - begin)};
  }
};

// An opened image, field by field.
struct RecordImage {
  std::span<const std::byte> image;
  RecordLayout layout = RecordLayout::kRows;
  std::uint64_t size = 0;
  std::vector<FieldSpec> specs;
  std::vector<FieldRun> runs;    // one a field
  std::vector<TextPool> pools;   // one a field; empty but for texts

  static absl::StatusOr<RecordImage> Open(std::span<const std::byte> image);
  // Returns kDataLoss if a pool's strings overlap, or a record names a string that there is not.
  absl::Status Verify() const;
};

// Writes records where they will stay; the strings follow behind the last of them.
class RecordImageBuilder {
 public:
  // An empty buffer is one on the heap; any other holds zeros.
  RecordImageBuilder(std::vector<FieldSpec> specs, RecordLayout layout, std::uint64_t size, Buffer buffer);
  RecordImageBuilder(RecordImageBuilder&&) noexcept;
  RecordImageBuilder& operator=(RecordImageBuilder&&) noexcept;
  ~RecordImageBuilder();

  const std::vector<FieldSpec>& specs() const { return specs_; }
  std::uint64_t size() const { return size_; }

  // A value that does not fit, or a record beyond the last, is what Finish reports.
  void Set(std::size_t field, std::uint64_t record, std::uint64_t value);
  void SetText(std::size_t field, std::uint64_t record, std::string_view text);
  void Fail(std::size_t field, std::uint64_t record, std::string_view why);

  // Bytes that Finish needs, with the strings so far.
  std::uint64_t ImageBytes() const;
  // Returns kInvalidArgument for impossible fields, values that did not fit, or a buffer that is too small and cannot grow.
  absl::StatusOr<Buffer> Finish() &&;

 private:
  struct Pool;
  struct Places;
  Places PlacesNow() const;

  std::vector<FieldSpec> specs_;
  RecordLayout layout_;
  std::uint64_t size_;
  Buffer buffer_;
  std::vector<FieldRun> runs_;  // where Set writes; their bytes are not used
  std::uint64_t records_at_ = 0;
  std::vector<Pool> pools_;
  std::string error_;
};

}  // namespace thimble
