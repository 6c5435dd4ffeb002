#include "thimble/record_fields.h"

#include <bit>
#include <random>

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(record_fields)

// Whether a field holds the value, and gives it back if so.
template <class F, class Value>
bool Holds(Value value) {
  std::uint64_t field = 0;
  if (!EncodeAs<F>(value, &field)) return false;
  BOOST_TEST((field & ~LowBits(F::kWidth)) == 0u);
  BOOST_TEST((F::Decode(field) == static_cast<typename F::value_type>(value)));
  return true;
}

BOOST_AUTO_TEST_CASE(FieldsHoldWhatTheyPromise) {
  BOOST_TEST((Holds<Field<"age", 7>>(0) && Holds<Field<"age", 7>>(127) && !Holds<Field<"age", 7>>(128)));
  BOOST_TEST((Holds<Field<"year", 8, 1900>>(1900) && Holds<Field<"year", 8, 1900>>(2155)));
  BOOST_TEST((!Holds<Field<"year", 8, 1900>>(1899) && !Holds<Field<"year", 8, 1900>>(2156)));
  BOOST_TEST((Holds<SignedField<"delta", 4>>(-8) && Holds<SignedField<"delta", 4>>(7) && !Holds<SignedField<"delta", 4>>(8)));
  BOOST_TEST((Holds<SignedField<"all", 64>>(std::numeric_limits<std::int64_t>::min())));
  BOOST_TEST((Holds<BoolField<"on">>(true) && Holds<BoolField<"on">>(false)));
}

// A value of another type than the field's is itself when it comes back, or does not fit.
BOOST_AUTO_TEST_CASE(NoValueTurnsIntoAnother) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  BOOST_TEST((!Holds<SignedField<"delta", 4>>(kMost) && Holds<SignedField<"delta", 4>>(std::int8_t{-1})));
  BOOST_TEST((!Holds<Field<"id", 64>>(-1) && Holds<Field<"id", 64>>(kMost)));
  BOOST_TEST((!Holds<BoolField<"on">>(2) && !Holds<BoolField<"on">>(-1) && Holds<BoolField<"on">>(1)));
  using Whole = DecimalField<"whole", 53, 0>;
  BOOST_TEST((Holds<Whole>(std::int64_t{1} << 52) && !Holds<Whole>((std::int64_t{1} << 53) + 1) && !Holds<Whole>(kMost)));
  enum class Small : std::uint8_t { kNone };
  BOOST_TEST((!Holds<EnumField<"small", Small, 8>>(256) && !Holds<EnumField<"small", Small, 8>>(-1) && Holds<EnumField<"small", Small, 8>>(255)));
}

BOOST_AUTO_TEST_CASE(DecimalsComeBackToTheBitOrNotAtAll) {
  using Price = DecimalField<"price", 20, 2, -1000>;
  for (const double value : {0.0, 0.01, 0.07, 123.45, -9.99, 1.1}) BOOST_TEST(Holds<Price>(value));
  for (const double value : {0.001, 0.1 + 0.2, -0.0, 1e9, -10.01, std::numeric_limits<double>::infinity(), std::nan("")}) BOOST_TEST(!Holds<Price>(value));
}

// Two products and their sum, where a field is short enough, are the quotient to the bit.
template <unsigned kDigits, std::int64_t kBase>
void CompareWithQuotients(double power) {
  using F = DecimalField<"x", 29, kDigits, kBase>;
  static_assert(F::kIsShort);
  std::mt19937_64 random(kDigits);
  const auto check = [&](std::uint64_t field) {
    const double quotient = static_cast<double>(static_cast<std::int64_t>(field) + kBase) / power;
    BOOST_REQUIRE_EQUAL(std::bit_cast<std::uint64_t>(F::Decode(field)), std::bit_cast<std::uint64_t>(quotient));
  };
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(testing::Steps(100'000)); ++i) {
    check(i);
    check(LowBits(29) - 1 - i);
    check(random() % LowBits(29));
  }
}

BOOST_AUTO_TEST_CASE(ShortDecimalsAreQuotients) {
  CompareWithQuotients<0, 0>(1);
  CompareWithQuotients<1, -(1 << 28)>(10);
  CompareWithQuotients<3, 0>(1e3);
  CompareWithQuotients<5, -(1 << 29) + 1>(1e5);
  CompareWithQuotients<6, 0>(1e6);
  CompareWithQuotients<6, -(1 << 28)>(1e6);
  static_assert(!DecimalField<"x", 30, 2>::kIsShort && !DecimalField<"x", 29, 7>::kIsShort && !DecimalField<"x", 20, 2, -(1 << 29)>::kIsShort);
}

BOOST_AUTO_TEST_CASE(ARecordKnowsWhereItsFieldsBegin) {
  using Person = Record<Field<"age", 7>, SignedField<"balance", 20>, TextField<"city", 15>>;
  static_assert(Person::kBits == 42 && Person::Index<"city">() == 2 && Person::BitsInFront(2) == 27);
  BOOST_TEST(Person::Specs().size() == 3u);
  BOOST_TEST(Person::Specs()[2].name == "city");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
