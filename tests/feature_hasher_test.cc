#include "testing.h"

#include <string>
#include <vector>

#include "thimble/feature_hasher.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(feature_hasher)

BOOST_AUTO_TEST_CASE(TokensOfARowAreSummed) {
  const FeatureHasher hasher({.columns = 1000});
  SparseMatrix::Builder builder({.rows = 2, .columns = hasher.columns(), .values = MatrixValues::kInteger});
  const std::vector<std::string_view> tokens = {"the", "cat", "the", "", "dog"};
  REQUIRE_OK(hasher.AddRow(1, tokens, builder));
  CHECK_CODE(hasher.AddRow(2, tokens, builder), absl::StatusCode::kOutOfRange);
  const SparseMatrix matrix = *builder.Finish();
  const FeatureHasher::Feature the = hasher.Of("the");
  BOOST_TEST(matrix.At(1, the.column) == 2 * the.sign);
  BOOST_TEST(matrix.Row(0).empty());
  BOOST_TEST(matrix.size() == 4u);
}

BOOST_AUTO_TEST_CASE(ColumnsStayInRangeAndSeedsDiffer) {
  int same = 0, negative = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::string token = std::to_string(i);
    const auto a = FeatureHasher({.columns = 37}).Of(token), b = FeatureHasher({.columns = 37, .seed = 1}).Of(token);
    BOOST_REQUIRE(a.column < 37u);
    same += a.column == b.column;
    negative += a.sign < 0;
    BOOST_REQUIRE(FeatureHasher({.columns = 37, .is_signed = false}).Of(token).sign == 1);
  }
  BOOST_TEST(same < 10000 / 37 * 13 / 10);
  BOOST_TEST(std::abs(negative - 5000) < 250);
}

BOOST_AUTO_TEST_CASE(InnerProductsAreUnbiased) {
  // Two documents of 60 tokens that share 20: the mean over seeds of the product of their hashed rows is 20, with a standard
  // error of sqrt((60 * 60 + 20 * 20) / 256 / 400), about 0.2.
  double sum = 0;
  constexpr int kSeeds = 400;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const FeatureHasher hasher({.columns = 256, .seed = static_cast<std::uint64_t>(seed)});
    std::vector<double> a(256), b(256);
    for (int i = 0; i < 60; ++i) {
      const auto x = hasher.Of(std::to_string(i)), y = hasher.Of(std::to_string(i + 40));
      a[x.column] += x.sign;
      b[y.column] += y.sign;
    }
    for (std::size_t c = 0; c < 256; ++c) sum += a[c] * b[c];
  }
  BOOST_TEST(std::abs(sum / kSeeds - 20) < 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
