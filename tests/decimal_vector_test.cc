#include "thimble/decimal_vector.h"

#include <bit>
#include <cmath>
#include <limits>

#include "exercise/decimal_vector.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(decimal_vector)

using absl::StatusCode;

// Parsed from text, as a file's column would be.
std::vector<double> Prices(std::size_t n, unsigned digits, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> values(n);
  for (double& value : values) {
    std::string text = std::to_string(static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000);
    const bool negative = text[0] == '-';
    const std::string number = std::string(digits + 1, '0') + text.substr(negative);
    text = number.substr(0, number.size() - digits) + "." + number.substr(number.size() - digits);
    value = std::stod(text) * (negative ? -1 : 1);
  }
  return values;
}

DecimalVector Example() { return DecimalVector::From(Prices(300, 2, 1)).value(); }

BOOST_AUTO_TEST_CASE(DecimalsComeBackBitForBit) {
  for (const unsigned digits : {0u, 1u, 2u, 6u, 9u}) {
    const std::vector<double> values = Prices(5000, digits, digits);
    const absl::StatusOr<DecimalVector> packed = DecimalVector::From(values);
    REQUIRE_OK(packed);
    BOOST_TEST(packed->digits() == digits);
    BOOST_TEST(static_cast<double>(packed->image().size()) * 8 / 5000 <= 21.6);
    std::vector<double> decoded(values.size());
    packed->Decode(0, decoded);
    for (std::size_t i = 0; i < values.size(); ++i) {
      BOOST_REQUIRE_EQUAL(std::bit_cast<std::uint64_t>((*packed)[i]), std::bit_cast<std::uint64_t>(values[i]));
      BOOST_REQUIRE_EQUAL(std::bit_cast<std::uint64_t>(decoded[i]), std::bit_cast<std::uint64_t>(values[i]));
    }
  }
}

BOOST_AUTO_TEST_CASE(LosslessOrNotAtAll) {
  const auto code = [](std::vector<double> values) { return DecimalVector::From(values).status().code(); };
  BOOST_CHECK_EQUAL(code({}), StatusCode::kOk);
  BOOST_CHECK_EQUAL(code({0.1, 0.2, 1e15}), StatusCode::kInvalidArgument);  // 1e16 is beyond 2^53
  BOOST_CHECK_EQUAL(code({0.1, 0.2, 1e14}), StatusCode::kOk);
  BOOST_CHECK_EQUAL(code({0.1, 0.1 + 0.2}), StatusCode::kInvalidArgument);  // 0.30000000000000004
  BOOST_CHECK_EQUAL(code({3.141592653589793}), StatusCode::kOk);            // 16 digits, below 2^53
  BOOST_CHECK_EQUAL(code({1.0 / 3, 1e9}), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(code({-0.0}), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(code({std::nan("")}), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(code({std::numeric_limits<double>::infinity()}), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(code({1e300}), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(code({5e-324}), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(code({1e-22}), StatusCode::kOk);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("decimal_vector", Example().image()); }

// From 2^51 on the product with the power of ten is rounded to a half or to the integer beside.
BOOST_AUTO_TEST_CASE(TheLargestDecimalsAreFound) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto integer = static_cast<std::int64_t>(random() % (std::uint64_t{1} << 53));
    const auto digits = static_cast<unsigned>(random() % 10);
    std::int64_t scaled = 0;
    const double value = static_cast<double>(integer) / PowerOfTen(digits);
    BOOST_REQUIRE(ScaleExactly(value, digits, &scaled));
    BOOST_REQUIRE_EQUAL(static_cast<double>(scaled) / PowerOfTen(digits), value);
  }
}

BOOST_AUTO_TEST_CASE(DamageHasItsCode) {
  const DecimalVector example = Example();
  const auto open_after = [&](std::size_t at, int xor_with) {
    Buffer copy = Buffer::Copy(example.image());
    copy.data()[at] ^= static_cast<std::byte>(xor_with);
    return DecimalVector::Open(std::move(copy)).status().code();
  };
  BOOST_CHECK_EQUAL(open_after(0, 0), StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_after(16, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(48, 64), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(64, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(64 + 4, 4), StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<DecimalVectorView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
