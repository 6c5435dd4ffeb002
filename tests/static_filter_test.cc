#include "testing.h"

#include <cmath>
#include <memory>
#include <string>

#include "exercise/static_filter.h"
#include "sparse_file.h"
#include "thimble/static_filter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(static_filter)

static_assert(Filter<StaticFilter> && Filter<StaticFilterView>);

StaticFilter FilterOf(std::uint64_t n, StaticFilter::Options options = {.false_positive_rate = 1.0 / 256}) {
  StaticFilter::Builder builder(options);
  for (std::uint64_t key = 0; key < n; ++key) builder.Add(key);
  absl::StatusOr<StaticFilter> filter = std::move(builder).Finish();
  REQUIRE_OK(filter);
  return *std::move(filter);
}

std::uint64_t CountFound(const StaticFilterView& filter, std::uint64_t first, std::uint64_t n) {
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t i = 0; i < n; ++i) keys[i] = first + i;
  const auto found = std::make_unique<bool[]>(n);
  return filter.ContainsMany(keys, {found.get(), n});
}

BOOST_AUTO_TEST_CASE(EverySizeBuildsAndHoldsItsKeys) {
  const std::uint64_t step = testing::Slow() ? 1 : THIMBLE_SANITIZED ? 997 : 97;
  for (std::uint64_t n = 0; n <= 20'000; n += n < 300 ? 1 : step) {
    const StaticFilter filter = FilterOf(n);
    BOOST_REQUIRE_EQUAL(filter.size(), n);
    BOOST_REQUIRE_EQUAL(CountFound(filter, 0, n), n);
    REQUIRE_OK(filter.Verify());
  }
}

BOOST_AUTO_TEST_CASE(EmptyHoldsNothing) {
  const StaticFilter filter = FilterOf(0);
  BOOST_TEST(!filter.Contains(std::uint64_t{0}));
  BOOST_TEST(filter.image().size() == 136u);  // header, one record, a whole line, slack
  BOOST_TEST(filter.FalsePositiveRate() == 0);
}

BOOST_AUTO_TEST_CASE(SpaceIsWhatThePromiseSays) {
  const auto over_limit = [](std::uint64_t n, double rate) { return FilterOf(n, {.false_positive_rate = rate}).bits_per_key() / -std::log2(rate); };
  BOOST_TEST(over_limit(1'000'000, 0x1p-8) <= 1.006);
  BOOST_TEST(over_limit(1'000'000, 0x1p-16) <= 1.006);
  BOOST_TEST(over_limit(1'000'000, 0.01) <= 1.02);
  for (const double rate : {0x1p-8, 0x1p-16}) BOOST_TEST(over_limit(10'000, rate) <= 1.04);
}

BOOST_AUTO_TEST_CASE(MeasuredRateIsTheAskedOne) {
  for (const double rate : {0.3, 0.1, 0.01, 1.0 / 256, 0.001}) {
    double sum = 0;
    const int trials = testing::Trials(4, 100);
    constexpr std::uint64_t kQueries = 500'000;
    for (int trial = 0; trial < trials; ++trial) {
      const StaticFilter filter = FilterOf(60'000, {.false_positive_rate = rate, .seed = static_cast<std::uint64_t>(trial)});
      BOOST_TEST(std::abs(filter.FalsePositiveRate() / rate - 1) < 1e-6);
      sum += static_cast<double>(CountFound(filter, 60'000, kQueries)) / kQueries;
    }
    // Four standard deviations of the number of hits, and what the rounding of narrow blocks takes away.
    const double sigma = std::sqrt(rate / (kQueries * trials));
    BOOST_TEST(sum / trials <= rate + 4 * sigma);
    BOOST_TEST(sum / trials >= rate * 0.99 - 4 * sigma);
  }
}

// From values of no bit to some of 48, with all blocks of a width and without.
// The last block of a small filter takes hardly a key: it is no measure for the others.
BOOST_AUTO_TEST_CASE(SmallOnesKeepTheRateToo) {
  constexpr std::uint64_t kQueries = 100'000;
  for (const std::uint64_t n : {64, 200}) {
    for (const double rate : {0.003, 0.1, 0.4, 0.75}) {
      double found = 0;
      constexpr int kSeeds = 10;
      for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        found += static_cast<double>(CountFound(FilterOf(n, {.false_positive_rate = rate, .seed = seed}), 1 << 20, kQueries));
      }
      constexpr double kAll = kSeeds * kQueries;
      BOOST_TEST(found <= kAll * rate * 1.02 + 4 * std::sqrt(kAll * rate), n << " keys, rate " << rate << ": " << found / kAll);
    }
  }
}

BOOST_AUTO_TEST_CASE(HoldsItsKeysAtEveryRate) {
  for (const double rate : {0.7, 0.5, 0.05, 1e-3, 0x1p-16, 1e-6, 0x1p-24, 1e-14, 0x1p-48}) {
    const StaticFilter filter = FilterOf(10'000, {.false_positive_rate = rate});
    BOOST_TEST(CountFound(filter, 0, 10'000) == 10'000u);
    for (std::uint64_t key = 0; key < 10'000; ++key) BOOST_REQUIRE(filter.Contains(key));
    BOOST_TEST(static_cast<double>(CountFound(filter, 10'000, 10'000)) <= 10'000 * rate + 4 * std::sqrt(10'000 * rate));
  }
}

BOOST_AUTO_TEST_CASE(SeveralShardsSeveralThreadsAndReplayAgree) {
  constexpr std::uint64_t kKeys = 600'000;
  const StaticFilter one = FilterOf(kKeys, {.false_positive_rate = 0.01});
  BOOST_TEST(CountFound(one, 0, kKeys) == kKeys);
  const StaticFilter two = FilterOf(kKeys, {.false_positive_rate = 0.01, .threads = 3});
  BOOST_TEST(std::ranges::equal(one.image(), two.image()));
  int passes = 0;
  const absl::StatusOr<StaticFilter> replayed = StaticFilter::Replay({.false_positive_rate = 0.01}, kKeys, 20 << 20, [&](auto add) {
    ++passes;
    for (std::uint64_t key = 0; key < kKeys; ++key) add(key);
  });
  REQUIRE_OK(replayed);
  BOOST_TEST(passes > 1);
  BOOST_TEST(replayed->stats().peak_bytes <= std::uint64_t{20} << 20);
  BOOST_TEST(std::ranges::equal(one.image(), replayed->image()));
}

BOOST_AUTO_TEST_CASE(RepeatedKeysAreOneKey) {
  StaticFilter::Builder builder({.false_positive_rate = 1.0 / 256});
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t key = 0; key < 3000; ++key) builder.Add(key);
  }
  const absl::StatusOr<StaticFilter> filter = std::move(builder).Finish();
  REQUIRE_OK(filter);
  BOOST_TEST(std::ranges::equal(filter->image(), FilterOf(3000).image()));
}

BOOST_AUTO_TEST_CASE(TakesABillionKeysWithin4GiB) {
  const std::uint64_t keys = testing::Slow() ? 1'000'000'000 : 300'000, scratch = std::uint64_t{testing::Slow() ? 64u : 20u} << 20;
  const absl::StatusOr<StaticFilter> filter = StaticFilter::Replay({.false_positive_rate = 0x1p-8}, keys, scratch, [&](auto add) {
    for (std::uint64_t key = 0; key < keys; ++key) add(key);
  });
  REQUIRE_OK(filter);
  BOOST_TEST(filter->size() == keys);
  BOOST_TEST(filter->stats().peak_bytes <= std::max<std::uint64_t>(scratch, filter->image().size()));
  if (testing::Slow()) BOOST_TEST(filter->image().size() + scratch <= std::uint64_t{4} << 30);
  BOOST_TEST(filter->bits_per_key() <= 8 * 1.01);
  for (std::uint64_t first = 0; first < keys; first += keys / 10) BOOST_TEST(CountFound(*filter, first, 10'000) == 10'000u);
  BOOST_TEST(static_cast<double>(CountFound(*filter, keys, 1'000'000)) <= 1e6 / 256 * 1.1);
}

// The shards stand behind a hole of 8 GiB: a view goes where the records say.
BOOST_AUTO_TEST_CASE(IsRightInAFileOf8GiB) {
  constexpr std::uint64_t kKeys = 600'000, kHole = std::uint64_t{8} << 30;
  const StaticFilter filter = FilterOf(kKeys);
  const std::span<const std::byte> image = filter.image();
  const testing::SparseFile file(image.size() + kHole);
  absl::StatusOr<ImageHeader> header = ImageHeader::Read(image, StaticFilterView::kKind);
  REQUIRE_OK(header);
  const std::uint64_t shards = header->parameters[0], records = 64, record_bytes = 32, first = RoundUp(records + shards * record_bytes, 64);
  BOOST_TEST(shards > 1u);
  header->image_bytes = header->used_bytes = file.bytes().size();
  header->Write(file.bytes());
  std::ranges::copy(image.subspan(records, first - records), file.bytes().begin() + records);
  for (std::uint64_t shard = 0; shard < shards; ++shard) {
    std::byte* word = file.bytes().data() + records + shard * record_bytes;
    Store(word, Load<std::uint64_t>(word) + kHole / 8);
  }
  std::ranges::copy(image.subspan(first), file.bytes().subspan(first + kHole).begin());
  const absl::StatusOr<StaticFilterView> view = StaticFilterView::Open(file.bytes());
  REQUIRE_OK(view);
  BOOST_TEST(CountFound(*view, 0, kKeys) == kKeys);
  BOOST_TEST(CountFound(*view, kKeys, kKeys) == CountFound(filter, kKeys, kKeys));
}

BOOST_AUTO_TEST_CASE(AdversarialKeysKeepTheRate) {
  constexpr std::uint64_t kKeys = 100'000;
  const auto rate_with = [](auto key_of) {
    StaticFilter::Builder builder({.false_positive_rate = 0.01, .seed = 0x5ec7e7});
    for (std::uint64_t i = 0; i < kKeys; ++i) builder.Add(key_of(i));
    const absl::StatusOr<StaticFilter> filter = std::move(builder).Finish();
    REQUIRE_OK(filter);
    std::uint64_t hits = 0;
    for (std::uint64_t i = kKeys; i < 6 * kKeys; ++i) hits += filter->Contains(key_of(i));
    return static_cast<double>(hits) / (5 * kKeys);
  };
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 32; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 40 | 12345; }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i); }) <= 0.011);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i, 0x5ec7e7); }) <= 0.011);
}

BOOST_AUTO_TEST_CASE(TakesStringsAndAnswersBatchesAsSingleCalls) {
  StaticFilter::Builder builder({.false_positive_rate = 0.05});
  std::vector<std::string> words;
  for (int i = 0; i < 3000; ++i) words.push_back("word" + std::to_string(i));
  for (int i = 0; i < 1000; ++i) builder.Add(words[static_cast<std::size_t>(i)]);
  const absl::StatusOr<StaticFilter> filter = std::move(builder).Finish();
  REQUIRE_OK(filter);
  const auto found = std::make_unique<bool[]>(words.size());
  std::size_t hits = 0;
  const std::size_t many = filter->ContainsMany(words, {found.get(), words.size()});
  for (std::size_t i = 0; i < words.size(); ++i) {
    hits += filter->Contains(words[i]);
    BOOST_TEST(found[i] == filter->Contains(words[i]));
    if (i < 1000) BOOST_TEST(found[i]);
  }
  BOOST_TEST(many == hits);
}

BOOST_AUTO_TEST_CASE(BuildsInGivenBytes) {
  Buffer memory = Buffer::Heap(40'000);
  StaticFilter::Builder builder({.false_positive_rate = 1.0 / 256});
  for (std::uint64_t key = 0; key < 10'000; ++key) builder.Add(key);
  REQUIRE_OK(std::move(builder).Finish(Buffer::Borrow(memory.bytes())));
  BOOST_TEST(CountFound(*StaticFilterView::Open(memory.bytes()), 0, 10'000) == 10'000u);
  StaticFilter::Builder large({.false_positive_rate = 1.0 / 256});
  for (std::uint64_t key = 0; key < 100'000; ++key) large.Add(key);
  CHECK_CODE(std::move(large).Finish(Buffer::Borrow(memory.bytes())), absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_CASE(OpensWhatItWroteAndRefusesTheRest) {
  const StaticFilter filter = FilterOf(200);
  testing::CheckGolden("static_filter", filter.image());
  REQUIRE_OK(StaticFilter::Open(Buffer::Copy(filter.image())));
  Buffer damaged = Buffer::Copy(filter.image());
  damaged.data()[64] ^= std::byte{8};
  CHECK_CODE(StaticFilter::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
  CHECK_CODE(StaticFilterView::Open({}), absl::StatusCode::kDataLoss);
  for (const double rate : {0.0, 1.0, -1.0, 1e-20, std::nan("")}) {
    CHECK_CODE(StaticFilter::Builder({.false_positive_rate = rate}).Finish(), absl::StatusCode::kInvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(Mutations) {
  for (const double rate : {1.0 / 256, 0.01, 1e-6}) {
    testing::ExerciseMutations<StaticFilterView>(FilterOf(500, {.false_positive_rate = rate}).image());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
