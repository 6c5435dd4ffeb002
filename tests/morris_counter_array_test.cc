#include "testing.h"

#include <cmath>
#include <numeric>
#include <thread>

#include "exercise/morris_counter_array.h"
#include "statistics.h"
#include "thimble/morris_counter_array.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(morris_counter_array)

using Options = MorrisCounterArray::Options;

Options Narrow(unsigned width, std::uint64_t counters, double largest = 1e6, unsigned exact = 0) {
  return {.counters = counters, .scale = *MorrisScale::ForLargest({.width = width, .largest = largest, .exact = exact})};
}

BOOST_AUTO_TEST_CASE(SizesAndGolden) {
  BOOST_TEST(MorrisCounterArray::ImageBytes(Narrow(6, 100'000'000)) == 75'000'136u);
  BOOST_TEST(MorrisCounterArray(Narrow(8, 1)).image().size() == 144u);
  const MorrisCounterArray empty(Narrow(8, 0));
  REQUIRE_OK(empty.Verify());
  MorrisCounterArray counters(Narrow(6, 40));
  for (std::size_t i = 0; i < 40; ++i) counters.Add(i, i * i * i);
  testing::CheckGolden("morris_counter_array", counters.image());
}

// Neighbours are left alone, whatever the width.
BOOST_AUTO_TEST_CASE(CountersAreApart) {
  for (unsigned width = 2; width <= 16; ++width) {
    const unsigned exact = (1u << width) - 2;
    MorrisCounterArray counters({.counters = 37, .scale = *MorrisScale::Make(width, 2, exact)});
    std::vector<std::uint64_t> model(37), indices;
    std::mt19937_64 random(width);
    for (int i = 0; i < 2000; ++i) {
      const std::size_t at = random() % 37;
      if (model[at] == exact) continue;
      indices.push_back(at);
      ++model[at];
    }
    counters.IncrementMany(indices);
    for (std::size_t i = 0; i < 37; ++i) BOOST_REQUIRE_EQUAL(counters.Estimate(i), static_cast<double>(model[i]));
    REQUIRE_OK(counters.Verify());
  }
}

// The error is the theory's for every width: this also prints bits against error.
BOOST_AUTO_TEST_CASE(ErrorIsAsPromised) {
  for (unsigned width : {4u, 6u, 8u, 12u, 16u}) {
    // Few bits make errors of many standard errors likely: their mean square takes more trials to settle.
    const auto trials = static_cast<std::size_t>(testing::Trials(width <= 6 ? 40000 : 400, width <= 6 ? 200000 : 20000));
    MorrisCounterArray counters(Narrow(width, trials));
    const double promised = counters.scale().StandardError();
    std::uint64_t before = 0;
    for (std::uint64_t n : {1000u, 10000u, 100000u}) {
      testing::RelativeErrors errors;
      for (std::size_t i = 0; i < trials; ++i) {
        counters.Add(i, n - before);
        errors.Add(counters.Estimate(i), static_cast<double>(n));
      }
      errors.Check(promised, "Morris, " + std::to_string(width) + " bits to 10^6, n=" + std::to_string(n));
      before = n;
    }
  }
}

// Adding n at once is distributed as n increments.
BOOST_AUTO_TEST_CASE(AddIsManyIncrements) {
  const auto trials = static_cast<std::size_t>(testing::Trials(2000, 50000));
  MorrisCounterArray at_once(Narrow(6, trials)), singly({.counters = trials, .scale = at_once.scale(), .seed = 2});
  std::vector<double> a(64), b(64);
  for (std::size_t i = 0; i < trials; ++i) {
    at_once.Add(i, 700);
    for (int n = 0; n < 700; ++n) singly.Increment(i);
    ++a[at_once.State(i)];
    ++b[singly.State(i)];
  }
  double chi_square = 0;
  int cells = 0;
  for (std::size_t state = 0; state < 64; ++state) {
    if (a[state] + b[state] < 10) continue;
    chi_square += (a[state] - b[state]) * (a[state] - b[state]) / (a[state] + b[state]);
    ++cells;
  }
  BOOST_TEST(cells > 5);
  BOOST_TEST(chi_square < cells + 4 * std::sqrt(2 * cells));
}

BOOST_AUTO_TEST_CASE(MergeIsUnbiasedAndAsPrecise) {
  const auto trials = static_cast<std::size_t>(testing::Trials(2000, 50000));
  MorrisCounterArray a(Narrow(6, trials)), b({.counters = trials, .scale = a.scale(), .seed = 2});
  for (std::size_t i = 0; i < trials; ++i) {
    a.Add(i, 3000);
    b.Add(i, 2000);
  }
  REQUIRE_OK(a.Merge(b));
  testing::RelativeErrors errors;
  for (std::size_t i = 0; i < trials; ++i) errors.Add(a.Estimate(i), 5000);
  errors.Check(a.scale().StandardError(), "merged");
  CHECK_CODE(a.Merge(MorrisCounterArray(Narrow(6, trials + 1))), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(a.Merge(MorrisCounterArray(Narrow(8, trials))), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(SameSeedSameStates) {
  MorrisCounterArray a(Narrow(6, 10)), b(Narrow(6, 10));
  for (int i = 0; i < 10000; ++i) {
    a.Increment(static_cast<std::size_t>(i % 10));
    b.Increment(static_cast<std::size_t>(i % 10));
  }
  BOOST_TEST(std::ranges::equal(a.image(), b.image()));
  absl::StatusOr<MorrisCounterArray> again = MorrisCounterArray::Open(Buffer::Copy(a.image()));
  REQUIRE_OK(again);
  again->Add(3, 100000);
  BOOST_TEST(again->Estimate(3) > a.Estimate(3));
  Buffer damaged = Buffer::Copy(a.image());
  damaged.data()[135] = std::byte{0xf0};
  CHECK_CODE(MorrisCounterArray::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(ThreadsCountAtOnce) {
  for (unsigned width : {2u, 4u, 8u, 16u}) {
    const std::uint64_t largest = width == 2 ? 50 : 1'000'000;
    ConcurrentMorrisCounterArray counters(Narrow(width, 64, static_cast<double>(largest)));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < 64 * (width == 2 ? 5u : 500u); ++i) counters.Increment(i % 64);
      });
    }
    for (std::thread& thread : threads) thread.join();
    const double n = width == 2 ? 20 : 2000;
    double sum = 0;
    for (std::size_t i = 0; i < 64; ++i) sum += counters.Estimate(i);
    // The mean of 64 counters has an eighth of their error; the two bits saturate beyond their largest count.
    if (width > 2) BOOST_TEST(std::abs(sum / 64 / n - 1) < 4 * counters.scale().StandardError() / 8);
    REQUIRE_OK(counters.Verify());
    REQUIRE_OK(ConcurrentMorrisCounterArray::Open(Buffer::Copy(counters.image())));
  }
  CHECK_CODE(ConcurrentMorrisCounterArray::Make(Narrow(6, 10)), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  MorrisCounterArray counters(Narrow(6, 100));
  for (std::size_t i = 0; i < 100; ++i) counters.Add(i, i * i);
  testing::ExerciseMutations<MorrisCounterArrayView>(counters.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
