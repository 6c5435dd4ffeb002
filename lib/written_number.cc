#include "written_number.h"

#include <algorithm>
#include <bit>

namespace thimble::internal {
namespace {

std::int64_t IntegerPower(unsigned digits) {
  std::int64_t power = 1;
  for (; digits > 0; --digits) power *= 10;
  return power;
}

}  // namespace

std::int64_t WrittenNumber::Scaled(unsigned count) const { return mantissa * IntegerPower(count - digits); }

std::optional<WrittenNumber> ReadNumber(std::string_view text) {
  WrittenNumber written;
  written.negative = !text.empty() && text.front() == '-';
  if (written.negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view behind = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || whole.size() + behind.size() > kMaxNumberDigits || (point != std::string_view::npos && behind.empty())) {
    return std::nullopt;
  }
  for (const std::string_view part : {whole, behind}) {
    for (const char c : part) {
      if (c < '0' || c > '9') return std::nullopt;
      written.mantissa = written.mantissa * 10 + (c - '0');
    }
  }
  if (written.negative && written.mantissa == 0) return std::nullopt;  // "-0"
  if (written.negative) written.mantissa = -written.mantissa;
  written.digits = static_cast<unsigned>(behind.size());
  written.length = whole.size();
  written.zeros_in_front = whole.size() > 1 && whole.front() == '0';
  written.zeros_behind = !behind.empty() && behind.back() == '0';
  return written;
}

void NumberField::Add(std::string_view text) {
  const std::optional<WrittenNumber> written = possible() ? ReadNumber(text) : std::nullopt;
  if (!written) {
    plain_ = padded_ = trimmed_ = full_ = false;
    return;
  }
  if (first_) digits_ = written->digits, length_ = written->length;
  padded_ &= written->digits == 0 && !written->negative && written->length == length_;
  plain_ &= written->digits == 0 && !written->zeros_in_front;
  trimmed_ &= !written->zeros_in_front && !written->zeros_behind;
  full_ &= !written->zeros_in_front && (written->digits == digits_);
  if (written->digits > digits_) {
    const std::int64_t power = IntegerPower(written->digits - digits_);
    if (__builtin_mul_overflow(least_, power, &least_) || __builtin_mul_overflow(most_, power, &most_)) trimmed_ = false;
    digits_ = written->digits;
  }
  std::int64_t scaled = 0;
  if (__builtin_mul_overflow(written->mantissa, IntegerPower(digits_ - written->digits), &scaled)) trimmed_ = false;
  least_ = first_ ? scaled : std::min(least_, scaled);
  most_ = first_ ? scaled : std::max(most_, scaled);
  // Every value must be an exact double at the digits of all.
  if (std::max(most_, -least_) > std::int64_t{1} << 53) trimmed_ = full_ = false;
  first_ = false;
}

std::optional<FieldSpec> NumberField::Spec(std::string name) const {
  if (first_ || !possible()) return std::nullopt;
  FieldSpec spec{.name = std::move(name), .base = least_};
  spec.width = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(most_) - static_cast<std::uint64_t>(least_)));
  if (plain_) return spec;
  if (padded_) {
    spec.digits = static_cast<unsigned>(length_);
    return spec;
  }
  spec.type = FieldType::kDecimal;
  spec.digits = digits_;
  spec.padded = !trimmed_;
  return spec;
}

}  // namespace thimble::internal
