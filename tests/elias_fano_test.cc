#include "thimble/elias_fano.h"

#include "exercise/elias_fano.h"
#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(elias_fano)

using absl::StatusCode;

std::vector<std::uint64_t> Ascending(std::size_t n, std::uint64_t gap, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> values(n);
  std::uint64_t value = random() % gap;
  for (std::uint64_t& v : values) {
    v = value;
    value += random() % (2 * gap);
  }
  return values;
}

EliasFano Example() { return EliasFano::From(Ascending(200, 50, 1)).value(); }

void CheckAgainstModel(const std::vector<std::uint64_t>& model) {
  const absl::StatusOr<EliasFano> made = EliasFano::From(model);
  REQUIRE_OK(made);
  const EliasFanoView values = made->view();
  REQUIRE_OK(values.Verify());
  BOOST_REQUIRE_EQUAL(values.size(), model.size());
  BOOST_TEST(std::equal(values.begin(), values.end(), model.begin(), model.end()));
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < model.size(); ++i) {
    BOOST_REQUIRE_EQUAL(values[i], model[i]);
    if (i + 1 < model.size()) BOOST_REQUIRE((values.Pair(i) == std::pair(model[i], model[i + 1])));
    for (const std::uint64_t x : {model[i], model[i] + 1, model[i] - 1, random() & model.back()}) {
      BOOST_REQUIRE_EQUAL(values.LowerBound(x), std::lower_bound(model.begin(), model.end(), x) - model.begin());
    }
  }
  for (const std::size_t first : {std::size_t{0}, model.size() / 2, model.size()}) {
    std::vector<std::uint64_t> decoded(model.size() - first);
    values.Decode(first, decoded);
    BOOST_TEST(std::equal(decoded.begin(), decoded.end(), model.begin() + static_cast<std::ptrdiff_t>(first)));
  }
}

BOOST_AUTO_TEST_CASE(AgreesWithAVector) {
  for (const std::uint64_t gap : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{100}, std::uint64_t{1} << 40}) {
    CheckAgainstModel(Ascending(20'000, gap, gap));
  }
  for (std::size_t n = 0; n < 20; ++n) CheckAgainstModel(Ascending(n, 1000, n));
}

// Equal values, one crowded bucket, a far end: where a scan would take too long.
BOOST_AUTO_TEST_CASE(Clusters) {
  CheckAgainstModel(std::vector<std::uint64_t>(5000, 0));
  CheckAgainstModel(std::vector<std::uint64_t>(5000, 77));
  std::vector<std::uint64_t> values(20'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1'000'000 + i / 3;
  values.front() = 0;
  values.back() = std::uint64_t{1} << 50;
  CheckAgainstModel(values);
  CheckAgainstModel({~std::uint64_t{0}});
  CheckAgainstModel({0, ~std::uint64_t{0} - 1});
}

BOOST_AUTO_TEST_CASE(SpaceIsNearTheLimit) {
  const EliasFano values = EliasFano::From(Ascending(1'000'000, 100, 3)).value();
  BOOST_TEST(static_cast<double>(values.image().size()) * 8 / 1e6 <= 8.8);
  BOOST_TEST(values.image().size() == EliasFano::ImageBytes({.size = 1'000'000, .max = values.max()}));
  BOOST_TEST(EliasFano::ImageBytes({.size = 1, .max = 0}) == 64u + 8 + 56 + BitVector::ImageBytes(2) + 8);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("elias_fano", Example().image()); }

BOOST_AUTO_TEST_CASE(InPlaceAndBrokenRequirements) {
  const EliasFano::Options options{.size = 2, .max = 9};
  Buffer memory = Buffer::Heap(EliasFano::ImageBytes(options));
  const auto build = [&](std::initializer_list<std::uint64_t> values, Buffer buffer) {
    EliasFano::Builder builder(options, std::move(buffer));
    for (const std::uint64_t value : values) builder.Add(value);
    return std::move(builder).Finish();
  };
  const absl::StatusOr<EliasFano> values = build({3, 9}, Buffer::Borrow(memory.bytes()));
  REQUIRE_OK(values);
  BOOST_TEST(values->image().data() == memory.data());
  BOOST_TEST((*values)[1] == 9u);
  const std::size_t bytes = EliasFano::ImageBytes(options);
  CHECK_CODE(build({3, 2}, Buffer::Heap(bytes)), StatusCode::kInvalidArgument);
  CHECK_CODE(build({3, 10}, Buffer::Heap(bytes)), StatusCode::kInvalidArgument);
  CHECK_CODE(build({3}, Buffer::Heap(bytes)), StatusCode::kInvalidArgument);
  CHECK_CODE(build({3, 4, 5}, Buffer::Heap(bytes)), StatusCode::kInvalidArgument);
  CHECK_CODE(build({3, 9}, Buffer::Heap(bytes - 1)), StatusCode::kInvalidArgument);
  CHECK_CODE(EliasFano::Builder({.size = ~std::uint64_t{0}, .max = 5}).Finish(), StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(OneWithoutValuesIsSmallWhateverItsMaximum) {
  for (const std::uint64_t max : {std::uint64_t{0}, std::uint64_t{1} << 30, std::uint64_t{1} << 60}) {
    BOOST_TEST(EliasFano::ImageBytes({.size = 0, .max = max}) <= EliasFano::ImageBytes({.size = 1, .max = max}));
    BOOST_TEST(EliasFano::ImageBytes({.size = 0, .max = max}) < 400u);
  }
}

BOOST_AUTO_TEST_CASE(DamageHasItsCode) {
  const EliasFano example = Example();
  const auto open_after = [&](std::size_t at, int xor_with) {
    Buffer copy = Buffer::Copy(example.image());
    copy.data()[at] ^= static_cast<std::byte>(xor_with);
    return EliasFano::Open(std::move(copy)).status().code();
  };
  BOOST_CHECK_EQUAL(open_after(0, 0), StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_after(16, 1), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(55, 128), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(56, 64), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_after(example.image().size() - 30, 1), StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<EliasFanoView>(Example().image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
