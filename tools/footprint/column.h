#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "thimble/record_image.h"

namespace thimble::footprint {

// What the values of a column are; a structure says which of them it fits by or-ing them.
enum ColumnType : unsigned {
  kText = 1,
  kInteger = 2,
  kReal = 4,
  kBoolean = 8,  // integers 0 and 1
  kDate = 16,    // text, and integers: seconds since 1970, or days when it has no time
  kRow = 32,     // whole rows: several columns of text
};

// The values that a candidate is built from, in their order, duplicates included. A column owns nothing: its bytes are a
// mapped spool or somebody's live container, and are not counted as the candidate's.
class Column {
 public:
  struct Texts {  // value i is bytes[ends[i - 1], ends[i])
    const char* bytes = nullptr;
    const std::uint64_t* ends = nullptr;
  };

  Column() = default;
  Column(ColumnType type, std::uint64_t size, std::uint64_t distinct) : type_(type), size_(size), distinct_(distinct) {}

  ColumnType type() const { return type_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t distinct() const { return distinct_; }

  // kText and kDate. Requires: i < size().
  std::string_view text(std::uint64_t i) const {
    if (!views_.empty()) return views_[i];
    const std::uint64_t begin = i == 0 ? 0 : texts_.ends[i - 1];
    return {texts_.bytes + begin, texts_.ends[i] - begin};
  }
  // kInteger, kBoolean and kDate.
  std::int64_t integer(std::uint64_t i) const { return integers_[i]; }
  // kReal.
  double real(std::uint64_t i) const { return reals_[i]; }
  // kRow: each field of the rows, as a column of text of the same size; and its name, where it has one.
  std::span<const Column> fields() const { return fields_; }
  std::string_view name() const { return name_; }
  // What packed records of the rows have as fields, where the rows are a sample and that is known of the whole; else nothing.
  std::span<const FieldSpec> field_specs() const { return field_specs_; }

  // The row that value i first stands in.
  std::uint64_t row(std::uint64_t i) const { return rows_ == nullptr ? i : rows_[i]; }

  // The same by type: std::string_view for std::string, so that naive containers are written once.
  template <class T>
  auto value(std::uint64_t i) const {
    if constexpr (std::is_same_v<T, std::string>) {
      return text(i);
    } else if constexpr (std::is_same_v<T, double>) {
      return real(i);
    } else {
      return integer(i);
    }
  }

  void set_distinct(std::uint64_t distinct) { distinct_ = distinct; }
  void set_texts(Texts texts) { texts_ = texts; }
  void set_texts(std::span<const std::string_view> views) { views_ = views; }
  void set_rows(const std::uint64_t* rows) { rows_ = rows; }
  void set_integers(const std::int64_t* integers) { integers_ = integers; }
  void set_reals(const double* reals) { reals_ = reals; }
  void set_name(std::string_view name) { name_ = name; }
  void set_fields(std::vector<Column> fields) { fields_ = std::move(fields); }
  void set_field_specs(std::span<const FieldSpec> specs) { field_specs_ = specs; }

 private:
  ColumnType type_ = kText;
  std::uint64_t size_ = 0;
  std::uint64_t distinct_ = 0;
  Texts texts_;
  std::span<const std::string_view> views_;
  const std::uint64_t* rows_ = nullptr;
  const std::int64_t* integers_ = nullptr;
  const double* reals_ = nullptr;
  std::string_view name_;
  std::vector<Column> fields_;
  std::span<const FieldSpec> field_specs_;
};

}  // namespace thimble::footprint
