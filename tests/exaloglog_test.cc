#include "testing.h"

#include <cmath>

#include "exercise/exaloglog.h"
#include "sketches.h"
#include "statistics.h"
#include "thimble/exaloglog.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(exaloglog)

using testing::SameImage;
using Options = ExaLogLog::Options;
constexpr auto Sketch = testing::SketchOf<ExaLogLog>;

// The paper's memory-variance products times what the header adds.
double Promised(const Options& options) {
  return std::sqrt((options.history == 20 ? 3.672 / 28 : 3.778 / 32) / std::ldexp(1, static_cast<int>(options.precision)));
}

BOOST_AUTO_TEST_CASE(SizesAndEmpty) {
  for (unsigned p = 4; p <= 21; ++p) {
    const ExaLogLog small({.precision = p, .history = 20}), words({.precision = p, .history = 24});
    BOOST_TEST(small.image().size() == (std::size_t{7} << p) / 2 + 72);
    BOOST_TEST(words.image().size() == (std::size_t{4} << p) + 72);
    BOOST_TEST(small.Estimate() == 0);
    BOOST_TEST(words.StandardError() == Promised({.precision = p, .history = 24}), boost::test_tools::tolerance(1e-3));
    REQUIRE_OK(small.Verify());
  }
  ExaLogLog one({});
  one.Add("key");
  one.Add(std::string_view("key"));
  BOOST_TEST(one.Estimate() == 1, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(Golden) {
  testing::CheckGolden("exaloglog20", Sketch({.precision = 4}, 0, 1000).image());
  testing::CheckGolden("exaloglog24", Sketch({.precision = 4, .history = 24}, 0, 1000).image());
}

// The definition: of all update values that a register saw, the largest, and which of the d below it.
BOOST_AUTO_TEST_CASE(RegistersFollowTheDefinition) {
  for (unsigned d : {20u, 24u}) {
    std::mt19937_64 random(d);
    ExaLogLog sketch({.precision = 4, .history = d});
    std::vector<std::vector<bool>> seen(16, std::vector<bool>(300));
    for (int i = 0; i < 3000; ++i) {
      // Every number of trailing zeros is as likely as any.
      const std::uint64_t hash = i == 0 ? 0 : random() >> (random() % 64) << (random() % 64);
      const unsigned value = static_cast<unsigned>(std::countr_zero(hash | std::uint64_t{1} << 58)) * 4 + static_cast<unsigned>(hash >> 62) + 1;
      seen[hash >> 58 & 15][value] = true;
      sketch.AddHash(hash);
      if (i % 50 != 0) continue;
      for (std::size_t r = 0; r < 16; ++r) {
        unsigned largest = 299;
        while (largest > 0 && !seen[r][largest]) --largest;
        std::uint32_t expected = largest << d;
        for (unsigned back = 1; back <= d && back <= largest; ++back) {
          // Value 0 counts as seen.
          if (seen[r][largest - back] || back == largest) expected |= 1u << (d - back);
        }
        BOOST_REQUIRE_EQUAL(sketch[r], expected);
      }
      REQUIRE_OK(sketch.Verify());
    }
  }
}

BOOST_AUTO_TEST_CASE(ErrorIsAsPromised) {
  const std::vector<std::uint64_t> sizes = {10, 100, 1000, 3000, 10000, 30000, 100000, 1000000};
  for (unsigned d : {20u, 24u}) {
    const Options options = {.precision = 10, .history = d};
    std::vector<testing::RelativeErrors> errors(sizes.size());
    testing::RunTrials(testing::Trials(d == 20 ? 400 : 200, 20000), sizes, [&] { return ExaLogLog(options); },
                       [&](std::size_t s, const ExaLogLog& sketch) { errors[s].Add(sketch.Estimate(), static_cast<double>(sizes[s])); });
    for (std::size_t s = 0; s < sizes.size(); ++s) errors[s].Check(Promised(options), "ExaLogLog d=" + std::to_string(d) + " n=" + std::to_string(sizes[s]));
    const double product = 8 * static_cast<double>(ExaLogLog(options).image().size()) * Promised(options) * Promised(options);
    BOOST_TEST_MESSAGE("memory-variance product, header included: " << product);
    BOOST_TEST(product <= (d == 20 ? 3.8 : 3.9));
  }
}

BOOST_AUTO_TEST_CASE(SmallestSketchesCount) {
  for (unsigned p : {4u, 6u}) {
    const std::vector<std::uint64_t> sizes = {1u << p, 50u << p};
    std::vector<testing::RelativeErrors> errors(2);
    testing::RunTrials(testing::Trials(1000, 20000), sizes, [&] { return ExaLogLog({.precision = p}); },
                       [&](std::size_t s, const ExaLogLog& sketch) { errors[s].Add(sketch.Estimate(), static_cast<double>(sizes[s])); });
    for (std::size_t s = 0; s < 2; ++s) errors[s].Check(1.05 * Promised({.precision = p}), "p=" + std::to_string(p));
  }
}

BOOST_AUTO_TEST_CASE(MergeOfAnyPartitionIsTheWhole) {
  for (unsigned d : {20u, 24u}) testing::CheckAnyPartition<ExaLogLog>({.precision = 5, .history = d}, 2000);
}

BOOST_AUTO_TEST_CASE(ReducesAsIfBuiltSo) {
  ExaLogLog fine = Sketch({.precision = 12, .history = 24}, 0, 100000);
  ExaLogLog coarse = Sketch({.precision = 6, .history = 20}, 0, 100000);
  ExaLogLog middle = Sketch({.precision = 12, .history = 20}, 0, 100000);
  // Hashes whose zeros reach the index.
  for (std::uint64_t top = 0; top < 1 << 12; ++top) {
    for (const std::uint64_t hash : {top << 52, top << 52 | top % 7 << 40, top << 54}) {
      fine.AddHash(hash);
      coarse.AddHash(hash);
      middle.AddHash(hash);
    }
  }
  BOOST_TEST(SameImage(*ExaLogLog::Reduced(fine, 6, 20), coarse));
  BOOST_TEST(SameImage(*ExaLogLog::Reduced(fine, 12, 20), middle));
  BOOST_TEST(SameImage(*ExaLogLog::Reduced(middle, 6, 20), coarse));
  CHECK_CODE(ExaLogLog::Reduced(coarse, 7, 20), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ExaLogLog::Reduced(coarse, 6, 24), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(SchemesAndKeys) {
  for (HashScheme scheme : {HashScheme::kThimble, HashScheme::kMurmur3, HashScheme::kMurmur64A, HashScheme::kXxh64}) {
    const Options options = {.precision = 8, .hash_scheme = scheme};
    ExaLogLog a(options), b(options);
    std::vector<std::uint64_t> keys(1000);
    for (std::uint64_t i = 0; i < 1000; ++i) {
      a.Add(static_cast<std::int32_t>(keys[i] = i));
      a.Add(std::string_view("text"));
    }
    const std::string text = "text";
    b.AddMany(keys);
    b.Add(std::as_bytes(std::span(text)));
    BOOST_TEST(SameImage(a, b));
    BOOST_TEST(std::abs(a.Estimate() - 1001) < 1001 * 4 * a.StandardError());
  }
}

BOOST_AUTO_TEST_CASE(ErrorsAndReopening) {
  ExaLogLog sketch = Sketch({.precision = 6}, 0, 500);
  CHECK_CODE(sketch.Merge(ExaLogLog({.precision = 6, .seed = 2})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(sketch.Merge(ExaLogLog({.precision = 6, .hash_scheme = HashScheme::kXxh64})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(sketch.Merge(ExaLogLog({.precision = 5})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ExaLogLog::Make({.precision = 3}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ExaLogLog::Make({.history = 16}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ExaLogLog::Make({.hash_scheme = HashScheme::kNone}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ExaLogLog::Make({}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  absl::StatusOr<ExaLogLog> again = ExaLogLog::Open(Buffer::Copy(sketch.image()));
  REQUIRE_OK(again);
  for (std::uint64_t i = 500; i < 900; ++i) again->Add(i);
  BOOST_TEST(SameImage(*again, Sketch({.precision = 6}, 0, 900)));
  Buffer damaged = Buffer::Copy(sketch.image());
  std::memset(damaged.data() + 64, 0xff, 8);
  CHECK_CODE(ExaLogLog::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  for (const unsigned d : {20u, 24u}) testing::ExerciseMutations<ExaLogLogView>(Sketch({.precision = 5, .history = d}, 0, 1000).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
