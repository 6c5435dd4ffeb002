#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thimble/owner.h"
#include "thimble/record_image.h"

namespace thimble {

// The read side of a RecordTable, and of any PackedRecords whose type the program does not know.
class RecordTableView {
 public:
  static constexpr Kind kKind = Kind::kPackedRecords;

  // Holds nothing: to be assigned to.
  RecordTableView() = default;
  static absl::StatusOr<RecordTableView> Open(std::span<const std::byte> image);
  absl::Status Verify() const { return records_.Verify(); }
  std::span<const std::byte> image() const { return records_.image; }

  std::uint64_t size() const { return records_.size; }
  bool empty() const { return size() == 0; }
  RecordLayout layout() const { return records_.layout; }
  const std::vector<FieldSpec>& fields() const { return records_.specs; }
  std::optional<std::size_t> FieldOf(std::string_view name) const;

  // Field `field` of record i, by its type; a field of another type gives 0 or nothing. Requires: field < fields().size(),
  // i < size().
  std::int64_t Integer(std::size_t field, std::uint64_t i) const;
  double Number(std::size_t field, std::uint64_t i) const;  // of integers too
  std::string_view Text(std::size_t field, std::uint64_t i) const;

  // Whatever its type, as the text that it was read from.
  std::string Format(std::size_t field, std::uint64_t i) const;

  // All of one field's bits: integers and decimals without their base, codes of texts. Requires: field < fields().size().
  const FieldRun& Run(std::size_t field) const { return records_.runs[field]; }

 private:
  // A field that there is, or the last.
  bool Has(std::size_t field) const { return field < records_.specs.size() && !empty(); }

  RecordImage records_;
};

// Records whose fields are known only at run time: what a tool makes of a file of text. Each value comes back as the text
// that it was.
//
//   std::vector<FieldSpec> fields;
//   fields.push_back(MeasureField("zip", n, [&](std::uint64_t i) { return zips[i]; }));
//   RecordTable::Builder builder(fields, n);
//   builder.Add(std::array<std::string_view, 1>{"00501"});
//   const RecordTable table = *std::move(builder).Finish();
//   table.Format(0, 0);
//
// Space    as PackedRecords: the same image
// Time     get O(1), through the field's description; Open O(fields)
// Threads  const methods are safe together
// Errors   Finish returns kInvalidArgument for a value that does not fit its field, or would come back as another text
class RecordTable : public Owner<RecordTableView> {
 public:
  class Builder;
  static absl::StatusOr<RecordTable> Open(Buffer buffer);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = buffer().size()}; }

 private:
  RecordTable(RecordTableView view, Buffer buffer) : Owner(std::move(view), std::move(buffer)) {}
};

class RecordTable::Builder {
 public:
  // For `size` records. A buffer given must hold zeros, and have room for the texts too.
  Builder(std::vector<FieldSpec> fields, std::uint64_t size, RecordLayout layout = RecordLayout::kColumns, Buffer buffer = {});

  // Requires: a value for each field.
  void Add(std::span<const std::string_view> values);
  absl::StatusOr<RecordTable> Finish() &&;

 private:
  RecordImageBuilder image_;
  std::uint64_t count_ = 0;
};

// The smallest field that gives every value back as it stood: an integer, plain ("7", "-7") or filled up with zeros to equal
// length ("00501"); a decimal, without needless zeros ("-90.74504") or with equally many digits ("1.50"); or a text.
// value(i) is asked for all i below `size`, in order, up to three times.
FieldSpec MeasureField(std::string name, std::uint64_t size, const std::function<std::string_view(std::uint64_t)>& value);

}  // namespace thimble
