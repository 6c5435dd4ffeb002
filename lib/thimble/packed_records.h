#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "thimble/indexed_iterator.h"
#include "thimble/owner.h"
#include "thimble/record_fields.h"
#include "thimble/record_image.h"

namespace thimble {

// The values of one field of all records.
template <class FieldType_>
class RecordColumn {
 public:
  using value_type = typename FieldType_::value_type;

  RecordColumn() = default;
  RecordColumn(const FieldRun& run, const TextPool& pool) : run_(run), pool_(pool) {}

  std::uint64_t size() const { return run_.size; }
  // Requires: i < size().
  value_type operator[](std::uint64_t i) const { return ValueOf(run_[i]); }

  // Calls visit(value) for every record, in order: decodes a block at a time.
  template <class Visit>
  void ForEach(Visit visit) const {
    ForEachDecoded(run_.size, [this](std::uint64_t i, std::span<std::uint64_t> out) { run_.Decode(i, out); },
                   [&](std::uint64_t field) { visit(ValueOf(field)); });
  }

  IndexedIterator<RecordColumn> begin() const { return {*this, 0}; }
  IndexedIterator<RecordColumn> end() const { return {*this, size()}; }

 private:
  value_type ValueOf(std::uint64_t field) const {
    if constexpr (FieldType_::kType == FieldType::kText) {
      return pool_[field];
    } else {
      return FieldType_::Decode(field);
    }
  }

  FieldRun run_;
  TextPool pool_;
};

// The read side of PackedRecords.
template <class R, RecordLayout kLayout = RecordLayout::kRows>
class PackedRecordsView {
 public:
  static constexpr Kind kKind = Kind::kPackedRecords;

  // Holds nothing: to be assigned to.
  PackedRecordsView() = default;
  // Returns kInvalidArgument if the image holds records of other fields or in the other layout, else what RecordImage does.
  static absl::StatusOr<PackedRecordsView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The field of this name of record i; a name that there is not does not compile. Requires: i < size().
  template <FieldName kName>
  auto Get(std::uint64_t i) const {
    constexpr std::size_t kField = R::template Index<kName>();
    using F = typename R::template At<kField>;
    i = std::min(i, last_);
    std::uint64_t field;
    if constexpr (kLayout == RecordLayout::kRows) {  // the shift, too, is known to the compiler
      field = ReadBits(runs_[kField] + i * (Stride<kField>() / 8), First<kField>(), F::kWidth);
    } else {
      field = ReadBits(runs_[kField], i * Stride<kField>(), F::kWidth);
    }
    if constexpr (F::kType == FieldType::kText) {
      return pools_[kField][field];
    } else {
      return F::Decode(field);
    }
  }

  // All values of the field; fastest where the layout is kColumns.
  template <FieldName kName>
  auto Column() const {
    constexpr std::size_t kField = R::template Index<kName>();
    const std::byte* from = runs_[kField];
    return RecordColumn<typename R::template At<kField>>(
        {.bytes = {from, static_cast<std::size_t>(image_.data() + image_.size() - from)},
         .first = First<kField>(),
         .stride = Stride<kField>(),
         .size = size_,
         .width = R::kWidths[kField]},
        pools_[kField]);
  }

 protected:
  // Where a field begins in its run, and how far apart two are: known to the compiler.
  template <std::size_t kField>
  static constexpr std::uint64_t First() {
    return kLayout == RecordLayout::kRows ? R::BitsInFront(kField) : 0;
  }
  template <std::size_t kField>
  static constexpr std::uint64_t Stride() {
    return kLayout == RecordLayout::kRows ? RoundUp(R::kBits, 8) : R::kWidths[kField];
  }
  const std::byte* run(std::size_t field) const { return runs_[field]; }

 private:
  std::span<const std::byte> image_;
  std::array<const std::byte*, R::kFields> runs_{};
  std::array<TextPool, R::kFields> pools_{};
  std::uint64_t size_ = 0;
  std::uint64_t last_ = 0;  // index of the last record, or 0
};

// A vector of structs whose members take the bits that they need: __slots__ for C++.
//
//   using Person = Record<Field<"age", 7>, SignedField<"balance", 20>, TextField<"city", 15>>;
//   PackedRecords<Person>::Builder builder(2);
//   builder.Add(42, -100, "Oslo");
//   builder.Add(17, 0, "Bergen");
//   const PackedRecords<Person> people = *std::move(builder).Finish();
//   people.Get<"age">(0);
//   people.Column<"balance">().ForEach([&](std::int64_t balance) { ... });
//
// Space    the sum of the fields' bits a record, in whole bytes by rows, + every different text once, + header and names
// Time     Get O(1): a load, a shift and a mask, all known to the compiler; texts two loads more. A column of
//          RecordLayout::kColumns decodes as PackedVector does
// Threads  const methods are safe together; Set needs exclusion
// Errors   Finish returns kInvalidArgument for a value that does not fit its field
template <class R, RecordLayout kLayout = RecordLayout::kRows>
class PackedRecords : public Owner<PackedRecordsView<R, kLayout>> {
  using View = PackedRecordsView<R, kLayout>;

 public:
  class Builder;

  static absl::StatusOr<PackedRecords> Open(Buffer buffer) {
    absl::StatusOr<View> view = View::Open(buffer.bytes());
    if (!view.ok()) return view.status();
    if (absl::Status status = view->Verify(); !status.ok()) return status;
    return PackedRecords(*std::move(view), std::move(buffer));
  }

  // Texts are set by the builder only. Requires: i < size(), and a value that fits; otherwise nothing changes.
  template <FieldName kName, class Value>
  void Set(std::uint64_t i, Value value) {
    constexpr std::size_t kField = R::template Index<kName>();
    using F = typename R::template At<kField>;
    static_assert(F::kType != FieldType::kText);
    std::uint64_t field = 0;
    if (i >= this->size() || !EncodeAs<F>(value, &field)) return;
    std::byte* run = this->data() + (this->run(kField) - this->image().data());
    WriteBits(run, i * View::template Stride<kField>() + View::template First<kField>(), F::kWidth, field);
  }

  Stats stats() const { return {.live_bytes = this->image().size(), .peak_bytes = this->buffer().size()}; }

 private:
  PackedRecords(View view, Buffer buffer) : Owner<View>(std::move(view), std::move(buffer)) {}
};

// Takes the records one by one, and writes them where they will stay.
template <class R, RecordLayout kLayout>
class PackedRecords<R, kLayout>::Builder {
 public:
  // For `size` records. A buffer given must hold zeros, and have room for the texts too.
  explicit Builder(std::uint64_t size, Buffer buffer = {}) : image_(R::Specs(), kLayout, size, std::move(buffer)) {}

  // A value for each field, in the record's order.
  template <class... Values>
    requires(sizeof...(Values) == R::kFields)
  void Add(const Values&... values) {
    AddAt(std::make_index_sequence<R::kFields>(), values...);
    ++count_;
  }

  // Returns kInvalidArgument if a value did not fit its field, records are missing, or the buffer is too small.
  absl::StatusOr<PackedRecords> Finish() && {
    if (count_ < image_.size()) return absl::InvalidArgumentError("PackedRecords: records are missing");
    absl::StatusOr<Buffer> buffer = std::move(image_).Finish();
    if (!buffer.ok()) return buffer.status();
    absl::StatusOr<View> view = View::Open(buffer->bytes());
    if (!view.ok()) return view.status();
    return PackedRecords(*std::move(view), *std::move(buffer));
  }

 private:
  template <std::size_t... kFields, class... Values>
  void AddAt(std::index_sequence<kFields...>, const Values&... values) {
    (Put<kFields>(values), ...);
  }
  template <std::size_t kField, class Value>
  void Put(const Value& value) {
    using F = typename R::template At<kField>;
    if constexpr (F::kType == FieldType::kText) {
      image_.SetText(kField, count_, value);
    } else if (std::uint64_t field = 0; EncodeAs<F>(value, &field)) {
      image_.Set(kField, count_, field);
    } else {
      image_.Fail(kField, count_, "does not fit its field");
    }
  }

  RecordImageBuilder image_;
  std::uint64_t count_ = 0;
};

template <class R, RecordLayout kLayout>
absl::StatusOr<PackedRecordsView<R, kLayout>> PackedRecordsView<R, kLayout>::Open(std::span<const std::byte> image) {
  absl::StatusOr<RecordImage> opened = RecordImage::Open(image);
  if (!opened.ok()) return opened.status();
  if (opened->specs != R::Specs() || opened->layout != kLayout) {
    return absl::InvalidArgumentError("PackedRecords: records of other fields, or in the other layout");
  }
  PackedRecordsView view;
  view.image_ = opened->image;
  view.size_ = opened->size;
  view.last_ = opened->size == 0 ? 0 : opened->size - 1;
  for (std::size_t i = 0; i < R::kFields; ++i) {
    const FieldRun& run = opened->runs[i];
    view.runs_[i] = run.bytes.data() + (kLayout == RecordLayout::kColumns ? run.first / 8 : 0);
    view.pools_[i] = opened->pools[i];
  }
  return view;
}

template <class R, RecordLayout kLayout>
absl::Status PackedRecordsView<R, kLayout>::Verify() const {
  absl::StatusOr<RecordImage> opened = RecordImage::Open(image_);
  return opened.ok() ? opened->Verify() : opened.status();
}

}  // namespace thimble
