#include "testing.h"

#include <cmath>
#include <string>

#include "exercise/scalable_bloom_filter.h"
#include "sparse_file.h"
#include "thimble/scalable_bloom_filter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(scalable_bloom_filter)

static_assert(Filter<ScalableBloomFilter> && Filter<ScalableBloomFilterView>);

BOOST_AUTO_TEST_CASE(GrowsAndKeepsItsKeysAndItsRate) {
  ScalableBloomFilter filter({.first_capacity = 100});
  std::uint64_t n = 0;
  for (std::uint64_t next : {1u, 100u, 101u, 1000u, 10'000u, 60'000u}) {
    for (; n < next; ++n) BOOST_REQUIRE(filter.Add(n).ok());
    for (std::uint64_t key = 0; key < n; ++key) BOOST_REQUIRE(filter.Contains(key));
    constexpr int kQueries = 50'000;
    int hits = 0;
    for (std::uint64_t key = 1'000'000; key < 1'000'000 + kQueries; ++key) hits += filter.Contains(key);
    BOOST_TEST(hits <= 0.01 * kQueries + 4 * std::sqrt(0.01 * kQueries));
    BOOST_TEST(filter.FalsePositiveRate() <= 0.0105);
    BOOST_TEST(filter.size() <= n);
    BOOST_TEST(filter.capacity() >= filter.size());
    REQUIRE_OK(filter.Verify());
  }
  BOOST_TEST(filter.stages() > 10u);
}

// The mean over a growth by equal factors, against one filter made for each size.
BOOST_AUTO_TEST_CASE(MeanSpaceIsTwiceThatOfAFilterMadeForTheSize) {
  double sum = 0;
  int points = 0;
  ScalableBloomFilter filter({.first_capacity = 1000});
  std::uint64_t n = 0;
  const std::uint64_t most = testing::Trials(200'000, 10'000'000);
  for (double next = 1000; next <= static_cast<double>(most); next *= 1.05) {
    for (; n < static_cast<std::uint64_t>(next); ++n) BOOST_REQUIRE(filter.Add(n).ok());
    sum += static_cast<double>(filter.image().size()) / static_cast<double>(BloomFilter::ImageBytes({.capacity = n}));
    ++points;
  }
  BOOST_TEST(sum / points <= 2.0);
}

BOOST_AUTO_TEST_CASE(OpensWhatItWroteAndGoesOn) {
  ScalableBloomFilter filter({.first_capacity = 20, .seed = 4});
  for (std::uint64_t key = 0; key < 60; ++key) REQUIRE_OK(filter.Add(key));
  testing::CheckGolden("scalable_bloom_filter", filter.image());
  absl::StatusOr<ScalableBloomFilter> again = ScalableBloomFilter::Open(Buffer::Copy(filter.image()));
  REQUIRE_OK(again);
  for (std::uint64_t key = 60; key < 500; ++key) REQUIRE_OK(again->Add(key));
  for (std::uint64_t key = 0; key < 500; ++key) BOOST_TEST(again->Contains(key));
}

// What lies behind the image in a longer run is not believed to be zero.
BOOST_AUTO_TEST_CASE(GrowsOverWhatLiesBehindTheImage) {
  ScalableBloomFilter small({.first_capacity = 100});
  for (std::uint64_t key = 0; key < 100; ++key) REQUIRE_OK(small.Add(key));
  Buffer run = Buffer::Heap(1 << 16);
  std::fill(run.data(), run.data() + run.size(), std::byte{0xFF});
  std::copy(small.image().begin(), small.image().end(), run.data());
  absl::StatusOr<ScalableBloomFilter> filter = ScalableBloomFilter::Open(std::move(run));
  REQUIRE_OK(filter);
  for (std::uint64_t key = 100; key < 1000; ++key) REQUIRE_OK(filter->Add(key));
  int found = 0;
  for (std::uint64_t key = 1'000'000; key < 1'010'000; ++key) found += filter->Contains(key);
  BOOST_TEST(found <= 200);
}

BOOST_AUTO_TEST_CASE(RefusesWhatCannotBe) {
  CHECK_CODE(ScalableBloomFilter::Make({.first_capacity = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ScalableBloomFilter::Make({.false_positive_rate = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ScalableBloomFilter::Make({.growth = 1}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ScalableBloomFilter::Make({.tightening = 1}), absl::StatusCode::kInvalidArgument);
  Buffer memory = Buffer::Heap(ScalableBloomFilter::ImageBytes({.first_capacity = 50}));
  absl::StatusOr<ScalableBloomFilter> filter = ScalableBloomFilter::Make({.first_capacity = 50}, Buffer::Borrow(memory.bytes()));
  REQUIRE_OK(filter);
  absl::Status status;
  for (std::uint64_t key = 0; key < 200 && status.ok(); ++key) status = filter->Add(key);
  BOOST_CHECK_EQUAL(status.code(), absl::StatusCode::kResourceExhausted);
}

#if !THIMBLE_SANITIZED  // whose shadow of so large a mapping takes long
BOOST_AUTO_TEST_CASE(IsRightInAFileOf8GiB) {
  testing::CheckBeyond8GiB<ScalableBloomFilter>({.first_capacity = 6'000'000'000},
                                                [](const ScalableBloomFilter& filter) { BOOST_TEST(filter.size() == 500u); });
}
#endif

BOOST_AUTO_TEST_CASE(AdversarialKeysKeepTheRate) {
  constexpr std::uint64_t kKeys = 30'000;
  const auto rate_with = [](auto key_of) {
    ScalableBloomFilter filter({.first_capacity = 1000, .seed = 0x5ec7e7});
    for (std::uint64_t i = 0; i < kKeys; ++i) REQUIRE_OK(filter.Add(key_of(i)));
    std::uint64_t hits = 0;
    for (std::uint64_t i = kKeys; i < 11 * kKeys; ++i) hits += filter.Contains(key_of(i));
    return static_cast<double>(hits) / (10 * kKeys);
  };
  BOOST_TEST(rate_with([](std::uint64_t i) { return i; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 32; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 40 | 12345; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i); }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i, 0x5ec7e7); }) <= 0.011);
}

BOOST_AUTO_TEST_CASE(ASecondStageIsNoLargerThanTheFirstAsksFor) {
  ScalableBloomFilter filter({.first_capacity = 10});
  Buffer damaged = Buffer::Copy(filter.image());
  Store(damaged.data() + 48 + 8 * 2, std::uint64_t{1} << 50);  // the first stage's capacity, as the header says it
  CHECK_CODE(ScalableBloomFilter::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  ScalableBloomFilter filter({.first_capacity = 10});
  for (std::uint64_t key = 0; key < 50; ++key) REQUIRE_OK(filter.Add(key));
  testing::ExerciseMutations<ScalableBloomFilterView>(filter.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
