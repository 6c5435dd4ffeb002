#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "column.h"

namespace thimble::tools {

using footprint::ColumnType;

// Finds the narrowest type that keeps every value of a column, one value at a time. A type counts only when its values can be
// written back as they stood: "007" and "+7" are text, so is a date that another follows in another form. Of decimals every
// digit that counts must come back, while "1.50" may become 1.5. An empty field is missing, and fits every type.
class TypeInference {
 public:
  void Add(std::string_view value);

  // Text when nothing narrower fits, or when every value is missing.
  ColumnType type() const;
  // For people: "int16", "uint8", "float64", "bool", "date" or "text".
  std::string name() const;
  std::uint64_t missing() const { return missing_; }
  // Bytes that one value needs on its own; 0 for text, whose length varies.
  unsigned value_bytes() const;

 private:
  std::uint64_t values_ = 0;
  std::uint64_t missing_ = 0;
  unsigned possible_ = footprint::kText | footprint::kInteger | footprint::kReal | footprint::kBoolean | footprint::kDate;
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t most_ = std::numeric_limits<std::int64_t>::min();
  std::size_t date_length_ = 0;
  char date_mark_ = 0;
  std::string_view boolean_words_;
};

// Values as the column's type holds them. Requires: the column's inference saw `value`, and it is not missing.
std::int64_t ParseInteger(std::string_view value);  // 0 and 1 for booleans too
double ParseReal(std::string_view value);
std::int64_t ParseDate(std::string_view value);  // seconds since 1970, or days when it has no time

}  // namespace thimble::tools
