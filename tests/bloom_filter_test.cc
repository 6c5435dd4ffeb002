#include "testing.h"

#include <cmath>
#include <memory>
#include <string>
#include <thread>

#include "exercise/bloom_filter.h"
#include "sparse_file.h"
#include "thimble/bloom_filter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(bloom_filter)

static_assert(Filter<BloomFilter> && Filter<BloomFilterView>);

using Options = BloomFilter::Options;

// The share of `queries` keys, none of them added, that a filter of keys first, first + 1, ... finds.
double MeasuredRate(const BloomFilterView& filter, std::uint64_t first, std::uint64_t queries) {
  std::vector<std::uint64_t> keys(4096);
  const auto found = std::make_unique<bool[]>(keys.size());
  std::uint64_t hits = 0, done = 0;
  for (; done < queries; done += keys.size()) {
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = first + done + i;
    hits += filter.ContainsMany(keys, {found.get(), keys.size()});
  }
  return static_cast<double>(hits) / static_cast<double>(done);
}

template <class Filter>
void AddRange(Filter& filter, std::uint64_t first, std::uint64_t n, std::uint64_t step = 1) {
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t i = 0; i < n; ++i) keys[i] = first + i * step;
  filter.AddMany(keys);
}

BOOST_AUTO_TEST_CASE(NeverForgetsAKey) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    for (const std::uint64_t n : {0, 1, 2, 100, 5000}) {
      BloomFilter filter({.capacity = n, .layout = layout});
      BOOST_TEST(!filter.Contains(std::uint64_t{7}));
      for (std::uint64_t key = 0; key < n; ++key) filter.Add(key);
      for (std::uint64_t key = 0; key < n; ++key) BOOST_TEST(filter.Contains(key));
    }
  }
}

BOOST_AUTO_TEST_CASE(TakesStringsBytesAndHashes) {
  BloomFilter filter({.capacity = 100});
  filter.Add("literal");
  filter.Add(std::string("string"));
  filter.Add(std::as_bytes(std::span("bytes", 5)));
  filter.Add(-3);
  filter.AddHash(0x0123456789ABCDEF);
  BOOST_TEST(filter.Contains(std::string_view("literal")));
  BOOST_TEST(filter.Contains("string"));
  BOOST_TEST(filter.Contains("bytes"));
  BOOST_TEST(filter.Contains(std::int64_t{-3}));
  BOOST_TEST(filter.ContainsHash(0x0123456789ABCDEF));
  BOOST_TEST(!filter.Contains("other"));
}

BOOST_AUTO_TEST_CASE(BatchesAnswerAsSingleCallsDo) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    BloomFilter one({.capacity = 1000, .seed = 5, .layout = layout}), many({.capacity = 1000, .seed = 5, .layout = layout});
    for (std::uint64_t key = 0; key < 1000; ++key) one.Add(key);
    AddRange(many, 0, 1000);
    BOOST_TEST(std::ranges::equal(one.image(), many.image()));
    for (const std::size_t n : {0, 1, 63, 64, 65, 3000}) {
      std::vector<std::uint64_t> keys(n);
      for (std::size_t i = 0; i < n; ++i) keys[i] = 500 + i;
      const auto found = std::make_unique<bool[]>(n);
      std::size_t expected = 0;
      for (std::uint64_t key : keys) expected += one.Contains(key);
      BOOST_TEST(many.ContainsMany(keys, {found.get(), n}) == expected);
      for (std::size_t i = 0; i < n; ++i) BOOST_TEST(found[i] == one.Contains(keys[i]));
    }
  }
}

BOOST_AUTO_TEST_CASE(SizeIsWhatThePromiseSays) {
  const auto bits = [](double rate, BloomLayout layout) {
    return 8.0 * static_cast<double>(BloomFilter::ImageBytes({.capacity = 10'000'000, .false_positive_rate = rate, .layout = layout})) / 1e7;
  };
  BOOST_TEST(bits(0.01, BloomLayout::kBlocked) <= 10.15);
  BOOST_TEST(bits(0.001, BloomLayout::kBlocked) <= 16.0);
  BOOST_TEST(bits(0.1, BloomLayout::kBlocked) <= 5.0);
  BOOST_TEST(bits(0.01, BloomLayout::kClassic) <= 9.6);
  BOOST_TEST(bits(0.001, BloomLayout::kClassic) <= 14.4);
  BOOST_TEST(BloomFilter({.capacity = 1000}).image().size() == BloomFilter::ImageBytes({.capacity = 1000}));
  // Header, 1280 positions (10.1 bits for each of 1000 keys, in units of 64 bytes), what the last block reaches past them, slack.
  BOOST_TEST(BloomFilter::ImageBytes({.capacity = 1000}) == 128u + 1280u + 32u + 8u);
}

BOOST_AUTO_TEST_CASE(MeasuredRateMeetsTheAskedOne) {
  // The mean over trials with their own seeds. That of all seeds is what is promised; that of a few may be 3 sigma from it.
  constexpr int kQueries = 500'000;
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    for (const double rate : {0.001, 0.01, 0.03, 0.1}) {
      for (const std::uint64_t n : {10'000, 200'000}) {
        const int trials = testing::Trials(n == 10'000 ? 10 : 2, 200);
        double sum = 0, sum_of_known = 0;
        for (int trial = 0; trial < trials; ++trial) {
          BloomFilter filter({.capacity = n, .false_positive_rate = rate, .seed = static_cast<std::uint64_t>(trial), .layout = layout});
          AddRange(filter, 0, n);
          sum += MeasuredRate(filter, n, kQueries);
          sum_of_known += filter.FalsePositiveRate();
        }
        BOOST_TEST_CONTEXT("rate " << rate << ", " << n << " keys, layout " << static_cast<int>(layout)) {
          const double chance = testing::Slow() ? 0 : 3 / std::sqrt(rate * kQueries * trials);
          BOOST_TEST(sum / trials / rate <= 1.05 + chance);
          BOOST_TEST(sum / trials / rate >= 0.93 - chance);
          BOOST_TEST(std::abs(sum_of_known / sum - 1) < 0.05 + chance);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(AdversarialKeysKeepTheRate) {
  constexpr std::uint64_t kKeys = 200'000;
  const auto rate_with = [](auto key_of) {
    BloomFilter filter({.capacity = kKeys, .seed = 0x5ec7e7});
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < kKeys; ++i) filter.Add(key_of(i));
    for (std::uint64_t i = kKeys; i < 6 * kKeys; ++i) hits += filter.Contains(key_of(i));
    return static_cast<double>(hits) / (5 * kKeys);
  };
  BOOST_TEST(rate_with([](std::uint64_t i) { return i; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 32; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 40 | 12345; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i); }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i, 0x5ec7e7); }) <= 0.011);
}

BOOST_AUTO_TEST_CASE(MergeIsTheUnion) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    const Options options{.capacity = 2000, .layout = layout};
    BloomFilter a(options), b(options), both(options);
    AddRange(a, 0, 1000);
    AddRange(b, 500, 1500);
    AddRange(both, 0, 2000);
    REQUIRE_OK(a.Merge(b));
    BOOST_TEST(std::ranges::equal(a.image(), both.image()));
    CHECK_CODE(a.Merge(BloomFilter({.capacity = 4000, .layout = layout})), absl::StatusCode::kInvalidArgument);
    CHECK_CODE(a.Merge(BloomFilter({.capacity = 2000, .seed = 1, .layout = layout})), absl::StatusCode::kInvalidArgument);
  }
  BloomFilter blocked({.capacity = 64});
  CHECK_CODE(blocked.Merge(BloomFilter({.capacity = 64, .layout = BloomLayout::kClassic})), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(IntersectKeepsTheCommonKeys) {
  const Options options{.capacity = 20'000};
  BloomFilter a(options), b(options);
  AddRange(a, 0, 15'000);
  AddRange(b, 10'000, 10'000);
  REQUIRE_OK(a.Intersect(b));
  for (std::uint64_t key = 10'000; key < 15'000; ++key) BOOST_TEST(a.Contains(key));
  std::uint64_t others = 0;
  for (std::uint64_t key = 0; key < 10'000; ++key) others += a.Contains(key);
  BOOST_TEST(others < 200u);
  CHECK_CODE(a.Intersect(BloomFilter({.capacity = 10})), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(EstimateIsWithinItsError) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    for (const std::uint64_t n : {1000, 100'000}) {
      const int trials = testing::Trials(100, 5000);
      double sum_of_squares = 0;
      for (int trial = 0; trial < trials; ++trial) {
        BloomFilter filter({.capacity = n, .seed = static_cast<std::uint64_t>(trial), .layout = layout});
        AddRange(filter, 0, n);
        const double error = filter.EstimateCount() / static_cast<double>(n) - 1;
        sum_of_squares += error * error;
      }
      const double bound = 0.5 / std::sqrt(static_cast<double>(n));
      BOOST_TEST(std::sqrt(sum_of_squares / trials) <= bound * (1 + 4 / std::sqrt(2.0 * trials)));
    }
  }
  BOOST_TEST(BloomFilter({.capacity = 10}).EstimateCount() == 0);
}

BOOST_AUTO_TEST_CASE(FoldingKeepsTheKeys) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    absl::StatusOr<BloomFilter> filter = BloomFilter::Make({.capacity = 64'000, .layout = layout});
    AddRange(*filter, 0, 1000);
    for (int folds = 1; folds <= 6; ++folds) {
      const std::size_t before = filter->image().size();
      absl::StatusOr<BloomFilter> half = filter->Folded();
      REQUIRE_OK(half);
      BOOST_TEST(half->image().size() <= before / 2 + 160);
      // What the smaller one would be with the same keys added to it, not only a superset.
      absl::StatusOr<BloomFilter> again = BloomFilter::Open(Buffer::Copy(half->image()));
      REQUIRE_OK(again);
      AddRange(*again, 0, 1000);
      BOOST_TEST(std::ranges::equal(again->image(), half->image()));
      BOOST_TEST(MeasuredRate(*half, 1000, 100'000) <= 1.05 * half->FalsePositiveRate() + 0.001);
      BOOST_TEST(std::abs(half->EstimateCount() - 1000) < 60);
      filter = std::move(half);
    }
  }
  BloomFilter smallest({.capacity = 1});
  absl::StatusOr<BloomFilter> folded = smallest.Folded();
  for (int i = 1; i < 6; ++i) folded = folded->Folded();
  REQUIRE_OK(folded);
  CHECK_CODE(folded->Folded(), absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  BloomFilter filter({.capacity = 50, .seed = 9});
  AddRange(filter, 0, 50);
  testing::CheckGolden("bloom_filter", filter.image());
  const absl::StatusOr<BloomFilterView> view = BloomFilterView::Open(filter.image());
  REQUIRE_OK(view);
  BOOST_TEST(view->Contains(std::uint64_t{49}));
  BOOST_TEST(view->seed() == 9u);
  BOOST_TEST(view->capacity() == 50u);
  REQUIRE_OK(BloomFilter::Open(Buffer::Copy(filter.image())));
  Buffer damaged = Buffer::Copy(filter.image());
  damaged.data()[damaged.size() - kImageSlack - 2] = std::byte{1};
  CHECK_CODE(BloomFilter::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(RefusesWhatCannotBe) {
  for (const double rate : {0.0, -1.0, 1.0, 1e-30, std::nan("")}) {
    CHECK_CODE(BloomFilter::Make({.capacity = 10, .false_positive_rate = rate}), absl::StatusCode::kInvalidArgument);
  }
  CHECK_CODE(BloomFilter::Make({.capacity = ~std::uint64_t{0}}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(BloomFilter::Make({.capacity = 1000}, Buffer::Heap(1000)), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(BloomFilterView::Open({}), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(BuildsInGivenBytes) {
  const Options options{.capacity = 1000};
  Buffer memory = Buffer::Heap(BloomFilter::ImageBytes(options));
  absl::StatusOr<BloomFilter> filter = BloomFilter::Make(options, Buffer::Borrow(memory.bytes()));
  REQUIRE_OK(filter);
  filter->Add(1);
  BOOST_TEST(BloomFilterView::Open(memory.bytes())->Contains(1));
}

#if !THIMBLE_SANITIZED  // whose shadow of so large a mapping takes long
// 10^10 keys: positions beyond 2^32 bytes, in a mapped file of 12 GiB that holds only the pages that were written.
BOOST_AUTO_TEST_CASE(IsRightBeyond32Bits) {
  testing::CheckBeyond8GiB<BloomFilter>({.capacity = 10'000'000'000, .seed = 3}, [](const BloomFilter& filter) {
    if (testing::Slow()) REQUIRE_OK(filter.Verify());  // reads it all
  });
}
#endif

BOOST_AUTO_TEST_CASE(ConcurrentWritersLoseNothing) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    constexpr std::uint64_t kEach = 5000;
    ConcurrentBloomFilter filter({.capacity = 4 * kEach, .layout = layout});
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&filter, t] {
        for (std::uint64_t key = t * kEach; key < (t + 1) * kEach; ++key) {
          filter.Add(key);
          if (!filter.Contains(key)) std::abort();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    BloomFilter alone({.capacity = 4 * kEach, .layout = layout});
    AddRange(alone, 0, 4 * kEach);
    BOOST_TEST(std::ranges::equal(alone.image(), filter.image()));
  }
}

BOOST_AUTO_TEST_CASE(Mutations) {
  for (const BloomLayout layout : {BloomLayout::kBlocked, BloomLayout::kClassic}) {
    BloomFilter filter({.capacity = 20, .layout = layout});
    AddRange(filter, 0, 20);
    testing::ExerciseMutations<BloomFilterView>(filter.image());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
