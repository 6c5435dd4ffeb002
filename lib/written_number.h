#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "thimble/record_image.h"

namespace thimble::internal {

// A number as it is written: sign, digits, and how many of them stand behind the point.
struct WrittenNumber {
  std::int64_t mantissa = 0;
  unsigned digits = 0;
  std::size_t length = 0;  // of the digits in front of the point
  bool negative = false;
  bool zeros_in_front = false;
  bool zeros_behind = false;

  // The mantissa with `count` digits behind the point. Requires: digits <= count.
  std::int64_t Scaled(unsigned count) const;
};

// At most so many digits: then the double that the text reads as is the quotient of two exact integers.
inline constexpr std::size_t kMaxNumberDigits = 15;

std::optional<WrittenNumber> ReadNumber(std::string_view text);

// Finds the number field that gives all of a column's values back as they stood, one value at a time.
class NumberField {
 public:
  void Add(std::string_view text);
  bool possible() const { return plain_ || padded_ || trimmed_ || full_; }
  // Nothing if no such field holds them, or there were none.
  std::optional<FieldSpec> Spec(std::string name) const;

 private:
  bool first_ = true;
  bool plain_ = true, padded_ = true, trimmed_ = true, full_ = true;
  unsigned digits_ = 0;
  std::size_t length_ = 0;
  std::int64_t least_ = 0, most_ = 0;  // at digits_
};

}  // namespace thimble::internal
