#include "testing.h"

#include <cmath>

#include "thimble/morris_counter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(morris_counter)

BOOST_AUTO_TEST_CASE(Scales) {
  const MorrisScale chapter = MorrisScale::PowersOfTwo();
  BOOST_TEST(chapter.Value(255) == 5.78960446e76, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(chapter.Value(1) == 1);
  BOOST_TEST(chapter.Value(4) == 15, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(chapter.StandardError() == std::sqrt(0.5));
  const MorrisScale better = *MorrisScale::ForLargest({.width = 8, .largest = 1e9});
  BOOST_TEST(better.Value(255) == 1e9, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(better.StandardError() < 0.2);
  const MorrisScale exact = *MorrisScale::ForLargest({.width = 8, .largest = 1e9, .exact = 100});
  for (std::uint32_t c = 0; c <= 101; ++c) BOOST_TEST(exact.Value(c) == c);
  BOOST_TEST(exact.ValueWithin(99, 2).upper == 99);
  const MorrisScale wanted = *MorrisScale::ForError(1e9, 0.1);
  BOOST_TEST(wanted.width() == 10u);
  BOOST_TEST(wanted.StandardError() == 0.1, boost::test_tools::tolerance(1e-9));
  CHECK_CODE(MorrisScale::Make(1, 2), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(MorrisScale::Make(17, 2), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(MorrisScale::Make(8, 1), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(MorrisScale::Make(4, 2, 15), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(MorrisScale::ForError(1e300, 1e-6), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(SingleCounterAndItsBounds) {
  const MorrisScale scale = *MorrisScale::ForLargest({.width = 8, .largest = 1e12, .exact = 10});
  int outside = 0;
  const int trials = testing::Trials(400, 20000);
  for (int trial = 0; trial < trials; ++trial) {
    MorrisCounter counter(scale, static_cast<std::uint64_t>(trial)), other(scale, static_cast<std::uint64_t>(trial + trials));
    for (int i = 0; i < 7; ++i) counter.Increment();
    BOOST_REQUIRE_EQUAL(counter.Estimate(), 7);
    counter.Add(1'000'000);
    other.Add(500'000);
    counter.Merge(other);
    outside += counter.LowerBound(2) > 1'500'007 || counter.UpperBound(2) < 1'500'007;
  }
  BOOST_TEST(outside <= trials * 0.055 + 4 * std::sqrt(trials * 0.055));
  // A full byte stays full.
  const MorrisScale powers = MorrisScale::PowersOfTwo();
  MorrisCounter full(powers, 1, 300);
  full.Increment();
  BOOST_TEST(full.state() == 255u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
