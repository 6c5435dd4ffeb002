#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "thimble/bytes.h"
#include "thimble/record_image.h"

namespace thimble {

// The fields that a Record is made of. Each is a type, and says how many bits it takes and what it is outside of them.

// A name as a template argument: Field<"age", 7>.
template <std::size_t kSize>
struct FieldName {
  char text[kSize]{};

  consteval FieldName(const char (&literal)[kSize]) { std::copy_n(literal, kSize, text); }  // NOLINT: "age" is a name
  constexpr std::string_view view() const { return {text, kSize - 1}; }
};

// An integer from kBase to kBase + 2^kWidth - 1; signed if kBase is negative.
template <FieldName kFieldName, unsigned kFieldWidth, std::int64_t kBase = 0>
struct Field {
  static_assert(kFieldWidth <= 64);
  using value_type = std::conditional_t<(kBase < 0), std::int64_t, std::uint64_t>;
  static constexpr std::string_view kName = kFieldName.view();
  static constexpr unsigned kWidth = kFieldWidth;
  static constexpr FieldType kType = FieldType::kInteger;

  static FieldSpec Spec() { return {.name = std::string(kName), .width = kWidth, .base = kBase}; }
  static constexpr value_type Decode(std::uint64_t field) { return static_cast<value_type>(field + static_cast<std::uint64_t>(kBase)); }
  // False if the value does not fit.
  static constexpr bool Encode(value_type value, std::uint64_t* field) {
    *field = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(kBase);
    return *field <= LowBits(kWidth);
  }
};

// An integer from -2^(kWidth - 1) to 2^(kWidth - 1) - 1.
template <FieldName kFieldName, unsigned kFieldWidth>
struct SignedField : Field<kFieldName, kFieldWidth, static_cast<std::int64_t>(~std::uint64_t{0} << (kFieldWidth - 1))> {};

template <FieldName kFieldName>
struct BoolField : Field<kFieldName, 1> {
  using value_type = bool;
  static constexpr bool Decode(std::uint64_t field) { return field != 0; }
  static constexpr bool Encode(bool value, std::uint64_t* field) {
    *field = value;
    return true;
  }
};

// An enum whose values are 0 to 2^kWidth - 1.
template <FieldName kFieldName, class Enum, unsigned kFieldWidth>
struct EnumField : Field<kFieldName, kFieldWidth> {
  using value_type = Enum;
  static constexpr Enum Decode(std::uint64_t field) { return static_cast<Enum>(field); }
  static constexpr bool Encode(Enum value, std::uint64_t* field) {
    *field = static_cast<std::uint64_t>(value);
    return *field <= LowBits(kFieldWidth);
  }
};

// A number with kDigits digits behind the point, kept as an integer from kBase on: exactly the double that its text reads as.
template <FieldName kFieldName, unsigned kFieldWidth, unsigned kDigits, std::int64_t kBase = 0>
struct DecimalField {
  static_assert(kFieldWidth <= 53 && kDigits <= 22);
  using value_type = double;
  static constexpr std::string_view kName = kFieldName.view();
  static constexpr unsigned kWidth = kFieldWidth;
  static constexpr FieldType kType = FieldType::kDecimal;
  static constexpr double kPower = [] {
    double power = 1;
    for (unsigned i = 0; i < kDigits; ++i) power *= 10;
    return power;
  }();

  static constexpr bool kIsShort =
      kDigits <= 6 && kFieldWidth <= 29 && kBase > -(1 << 29) && kBase < (1 << 29) - static_cast<std::int64_t>(LowBits(kFieldWidth));
  static constexpr double kUnit = static_cast<double>(std::int64_t{1} << (24 + std::bit_width(static_cast<std::uint64_t>(kIsShort ? kPower : 1)) - 1));
  static constexpr double kHigh = static_cast<double>(static_cast<std::int64_t>(kUnit / (kIsShort ? kPower : 1))) / kUnit;
  static constexpr double kLow = (1 - kHigh * kPower) / kPower;

  static FieldSpec Spec() {
    return {.name = std::string(kName), .type = kType, .width = kWidth, .digits = kDigits, .base = kBase};
  }
  static constexpr double Decode(std::uint64_t field) {
    const auto scaled = static_cast<double>(static_cast<std::int64_t>(field + static_cast<std::uint64_t>(kBase)));
    // x / 10^d = x * high + x * low, where high is 1 / 10^d cut to 24 bits. With 29 bits of x the first product is exact, and
    // the second errs by 2^-76 of the sum. No quotient lies within 2^-54 / 10^d > 2^-76 of the middle between two doubles, so
    // the sum rounds as the quotient does, in less than half its time.
    if constexpr (kIsShort) return scaled * kHigh + scaled * kLow;
    return scaled / kPower;
  }
  // False too if another number would come back.
  static bool Encode(double value, std::uint64_t* field) {
    const double scaled = std::nearbyint(value * kPower);
    if (!(std::abs(scaled) <= 9007199254740992.0)) return false;
    if (value == 0 && std::signbit(value)) return false;
    // The product was rounded itself, from 2^51 on by as much as to a half: the integer may be the one beside.
    for (const int beside : {0, -1, 1}) {
      *field = static_cast<std::uint64_t>(static_cast<std::int64_t>(scaled) + beside) - static_cast<std::uint64_t>(kBase);
      if (*field <= LowBits(kWidth) && Decode(*field) == value) return true;
    }
    return false;
  }
};

// One of at most 2^kWidth different strings, each of which is kept once.
template <FieldName kFieldName, unsigned kFieldWidth>
struct TextField {
  static_assert(kFieldWidth <= 64);
  using value_type = std::string_view;
  static constexpr std::string_view kName = kFieldName.view();
  static constexpr unsigned kWidth = kFieldWidth;
  static constexpr FieldType kType = FieldType::kText;

  static FieldSpec Spec() { return {.name = std::string(kName), .type = kType, .width = kWidth}; }
};

// What field F keeps of a value of any type. False if it would give another value back.
template <class F, class Value>
constexpr bool EncodeAs(const Value& value, std::uint64_t* field) {
  using T = typename F::value_type;
  const T kept = static_cast<T>(value);
  if constexpr (std::is_integral_v<T>) static_assert(!std::is_floating_point_v<Value>, "an integer field: round the value first");
  if constexpr (std::is_integral_v<Value> && std::is_floating_point_v<T>) {
    // A field keeps whole numbers up to 2^53, of which all are integers' too.
    return F::Encode(kept, field) && static_cast<Value>(kept) == value;
  } else if constexpr (std::is_integral_v<Value>) {
    return static_cast<Value>(kept) == value && (kept < T{}) == (value < Value{}) && F::Encode(kept, field);
  }
  return F::Encode(kept, field);
}

// A record type: what the fields are, and in which order.
template <class... Fields>
struct Record {
  static constexpr std::size_t kFields = sizeof...(Fields);
  static constexpr std::array<std::string_view, kFields> kNames = {Fields::kName...};
  static constexpr std::array<unsigned, kFields> kWidths = {Fields::kWidth...};
  static constexpr unsigned kBits = (0 + ... + Fields::kWidth);

  // Does not compile for a name that is not there.
  template <FieldName kName>
  static consteval std::size_t Index() {
    constexpr auto kIndex = static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), kName.view()) - kNames.begin());
    static_assert(kIndex < kFields, "the record has no field of this name");
    return kIndex;
  }
  static constexpr unsigned BitsInFront(std::size_t field) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < field; ++i) bits += kWidths[i];
    return bits;
  }
  static std::vector<FieldSpec> Specs() { return {Fields::Spec()...}; }

  template <std::size_t kIndex>
  using At = std::tuple_element_t<kIndex, std::tuple<Fields...>>;
};

}  // namespace thimble
