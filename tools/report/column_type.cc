#include "column_type.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace thimble::tools {
namespace {

using footprint::kBoolean;
using footprint::kDate;
using footprint::kInteger;
using footprint::kReal;
using footprint::kText;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::int64_t> CanonicalInteger(std::string_view value) {
  const bool negative = value.starts_with('-');
  const std::string_view digits = value.substr(negative ? 1 : 0);
  if (digits.empty() || !IsDigit(digits[0]) || (digits[0] == '0' && (digits.size() > 1 || negative))) return std::nullopt;
  std::int64_t number;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

// The digits from the first that is not zero, without the exponent.
std::string SignificantDigits(std::string_view number) {
  std::string digits;
  for (const char c : number.substr(0, number.find_first_of("eE"))) {
    if (IsDigit(c) && (c != '0' || !digits.empty())) digits += c;
  }
  return digits;
}

// Whether the double still has these digits of the number that it was read from: it has any 15, and of 16 and 17 some.
bool Keeps(double number, const std::string& digits) {
  if (digits.size() <= 15) return true;
  if (digits.size() > 17) return false;
  char text[32];
  const auto comes_back = [&](std::to_chars_result written) {
    return SignificantDigits({text, static_cast<std::size_t>(written.ptr - text)}) == digits;
  };
  return comes_back(std::to_chars(text, text + sizeof text, number, std::chars_format::scientific)) ||
         comes_back(std::to_chars(text, text + sizeof text, number, std::chars_format::scientific, static_cast<int>(digits.size()) - 1));
}

std::optional<double> DecimalNumber(std::string_view value) {
  const std::string_view digits = value.substr(value.starts_with('-') ? 1 : 0);
  if (digits.empty() || !(IsDigit(digits[0]) || digits[0] == '.')) return std::nullopt;  // no "nan", no "inf"
  // A number with more digits than a double keeps is an identifier, and so is one with leading zeros.
  if (digits.size() > 1 && digits[0] == '0' && IsDigit(digits[1])) return std::nullopt;
  double number;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || !Keeps(number, SignificantDigits(digits))) return std::nullopt;
  return number;
}

// "true" and "false", or "yes" and "no", in one spelling. Returns the pair that the value belongs to.
std::string_view BooleanWords(std::string_view value) {
  for (const std::string_view pair :
       {"false true", "False True", "FALSE TRUE", "no yes", "No Yes", "NO YES", "f t", "F T", "n y", "N Y"}) {
    const std::size_t space = pair.find(' ');
    if (value == pair.substr(0, space) || value == pair.substr(space + 1)) return pair;
  }
  return {};
}

// Two digits, or -1.
int TwoDigits(std::string_view value, std::size_t at) {
  return IsDigit(value[at]) && IsDigit(value[at + 1]) ? (value[at] - '0') * 10 + (value[at + 1] - '0') : -1;
}

// YYYY-MM-DD, with " HH:MM:SS" or "THH:MM:SS" behind it, and perhaps a Z.
std::optional<std::int64_t> CanonicalDate(std::string_view value) {
  const bool has_time = value.size() == 19 || (value.size() == 20 && value[19] == 'Z');
  if (value.size() != 10 && !has_time) return std::nullopt;
  if (value[4] != '-' || value[7] != '-' || !IsDigit(value[0]) || !IsDigit(value[1])) return std::nullopt;
  const int century = TwoDigits(value, 0), year = TwoDigits(value, 2), month = TwoDigits(value, 5), day = TwoDigits(value, 8);
  if (century < 0 || year < 0 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{century * 100 + year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  if (!has_time) return days;
  if ((value[10] != ' ' && value[10] != 'T') || value[13] != ':' || value[16] != ':') return std::nullopt;
  const int hour = TwoDigits(value, 11), minute = TwoDigits(value, 14), second = TwoDigits(value, 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

struct Width {
  const char* name;
  unsigned bytes;
};

Width WidthOf(std::int64_t least, std::int64_t most) {
  if (least >= 0) {
    if (most <= 0xff) return {"uint8", 1};
    if (most <= 0xffff) return {"uint16", 2};
    if (most <= 0xffffffff) return {"uint32", 4};
    return {"int64", 8};
  }
  const auto fits = [&](std::int64_t half) { return least >= -half && most < half; };
  if (fits(1 << 7)) return {"int8", 1};
  if (fits(1 << 15)) return {"int16", 2};
  if (fits(std::int64_t{1} << 31)) return {"int32", 4};
  return {"int64", 8};
}

}  // namespace

void TypeInference::Add(std::string_view value) {
  if (value.empty()) {
    ++missing_;
    return;
  }
  ++values_;
  if (possible_ == kText) return;
  if (possible_ & kInteger) {
    if (const auto number = CanonicalInteger(value)) {
      least_ = std::min(least_, *number);
      most_ = std::max(most_, *number);
      // Should real numbers follow, this one must be one too: beyond 2^53 few integers are.
      constexpr std::int64_t kExact = std::int64_t{1} << 53;
      if ((*number > kExact || *number < -kExact) && !DecimalNumber(value)) possible_ &= ~unsigned{kReal};
    } else {
      possible_ &= ~unsigned{kInteger};
    }
  }
  if ((possible_ & (kInteger | kReal)) == kReal && !DecimalNumber(value)) possible_ &= ~unsigned{kReal};
  if (possible_ & kBoolean) {
    const std::string_view words = BooleanWords(value);
    if (words.empty() || (!boolean_words_.empty() && words != boolean_words_)) possible_ &= ~unsigned{kBoolean};
    boolean_words_ = words;
  }
  if (possible_ & kDate) {
    const char mark = value.size() > 10 ? value[10] : ' ';
    if (date_length_ == 0) date_length_ = value.size(), date_mark_ = mark;
    if (value.size() != date_length_ || mark != date_mark_ || !CanonicalDate(value)) possible_ &= ~unsigned{kDate};
  }
}

ColumnType TypeInference::type() const {
  if (values_ == 0) return kText;
  for (const ColumnType type : {kBoolean, kInteger, kDate, kReal}) {
    if (possible_ & type) return type;
  }
  return kText;
}

std::string TypeInference::name() const {
  switch (type()) {
    case kBoolean: return "bool";
    case kInteger: return WidthOf(least_, most_).name;
    case kReal: return "float64";
    case kDate: return "date";
    default: return "text";
  }
}

unsigned TypeInference::value_bytes() const {
  switch (type()) {
    case kBoolean: return 1;
    case kInteger: return WidthOf(least_, most_).bytes;
    case kReal: return 8;
    case kDate: return date_length_ == 10 ? 4 : 8;
    default: return 0;
  }
}

std::int64_t ParseInteger(std::string_view value) {
  if (const auto number = CanonicalInteger(value)) return *number;
  return value.front() == 't' || value.front() == 'T' || value.front() == 'y' || value.front() == 'Y';
}

double ParseReal(std::string_view value) { return DecimalNumber(value).value_or(0); }

std::int64_t ParseDate(std::string_view value) { return CanonicalDate(value).value_or(0); }

}  // namespace thimble::tools
