#include "testing.h"

#include <cmath>
#include <memory>
#include <string>
#include <unordered_map>

#include "exercise/quotient_filter.h"
#include "sparse_file.h"
#include "thimble/quotient_filter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(quotient_filter)

static_assert(Filter<QuotientFilter> && Filter<QuotientFilterView>);

using Options = QuotientFilter::Options;

std::uint64_t CountFound(const QuotientFilterView& filter, std::uint64_t first, std::uint64_t n) {
  std::vector<std::uint64_t> keys(n);
  for (std::uint64_t i = 0; i < n; ++i) keys[i] = first + i;
  const auto found = std::make_unique<bool[]>(n);
  return filter.ContainsMany(keys, {found.get(), n});
}

void AddRange(QuotientFilter& filter, std::uint64_t first, std::uint64_t n) {
  for (std::uint64_t key = first; key < first + n; ++key) BOOST_REQUIRE(filter.Add(key).ok());
}

BOOST_AUTO_TEST_CASE(HoldsItsKeysAtItsSizeAndRate) {
  for (const std::uint64_t n : {0, 1, 500, 5000, 200'000}) {
    QuotientFilter filter({.capacity = n});
    BOOST_TEST(filter.image().size() == QuotientFilter::ImageBytes({.capacity = n}));
    AddRange(filter, 0, n);
    REQUIRE_OK(filter.Verify());
    BOOST_TEST(CountFound(filter, 0, n) == n);
    constexpr std::uint64_t kQueries = 400'000;
    const double rate = static_cast<double>(CountFound(filter, n, kQueries)) / kQueries;
    BOOST_TEST(rate <= 0.0044 + 4 * std::sqrt(0.0044 / kQueries));
    if (n >= 5000) BOOST_TEST(std::abs(filter.FalsePositiveRate() / rate - 1) < 0.15);
    if (n >= 200'000) BOOST_TEST(filter.bits_per_key() <= 11.2);
  }
  QuotientFilter with_epochs({.capacity = 200'000, .epoch_bits = 4});
  AddRange(with_epochs, 0, 200'000);
  BOOST_TEST(with_epochs.bits_per_key() <= 15.6);
}

// Blocks of every shape: from few long entries to many short ones, of which the kernels take those of about fifty bytes.
BOOST_AUTO_TEST_CASE(HoldsItsKeysAtEveryRate) {
  const double step = THIMBLE_SANITIZED ? 1.2 : 1.02;
  for (double rate = 0.0005; rate < 0.5; rate *= step) {
    BOOST_TEST_CONTEXT("rate " << rate) {
      for (const std::uint64_t capacity : {3000, 40}) {
        QuotientFilter filter({.capacity = capacity, .max_capacity = 3000, .false_positive_rate = rate});
        AddRange(filter, 0, 3000);
        BOOST_TEST(CountFound(filter, 0, 3000) == 3000u);
        REQUIRE_OK(filter.Verify());
        BOOST_TEST(static_cast<double>(CountFound(filter, 1 << 20, 3000)) <= 1.25 * 3000 * rate + 5 * std::sqrt(3000 * rate));
      }
    }
  }
}

// What the other filter saw long ago does not make a key of today older.
BOOST_AUTO_TEST_CASE(MergingRenewsAndNeverAges) {
  QuotientFilter fresh({.capacity = 100, .epoch_bits = 2}), old({.capacity = 100, .epoch_bits = 2});
  REQUIRE_OK(old.Add(42));
  for (QuotientFilter* filter : {&fresh, &old}) filter->Advance(), filter->Advance();
  REQUIRE_OK(fresh.Add(42));
  REQUIRE_OK(fresh.Merge(old));
  for (int i = 0; i < 3; ++i) fresh.Advance();
  BOOST_TEST(fresh.Contains(42));
  fresh.Advance();
  BOOST_TEST(!fresh.Contains(42));
}

BOOST_AUTO_TEST_CASE(MergesWithItself) {
  QuotientFilter filter({.capacity = 100, .max_capacity = 20'000, .count_duplicates = true});
  AddRange(filter, 0, 3000);
  REQUIRE_OK(filter.Merge(filter));
  BOOST_TEST(filter.size() == 6000u);
  for (std::uint64_t key = 0; key < 3000; ++key) BOOST_REQUIRE_GE(filter.Count(key), 2u);
  REQUIRE_OK(filter.Verify());
}

BOOST_AUTO_TEST_CASE(AddManyIsAddOfEach) {
  std::vector<std::uint64_t> keys(20'000);
  for (std::uint64_t i = 0; i < keys.size(); ++i) keys[i] = i;
  for (const Options& options : {Options{.capacity = 20'000}, Options{.capacity = 500, .max_capacity = 20'000}}) {
    QuotientFilter one(options), many(options);
    AddRange(one, 0, keys.size());
    REQUIRE_OK(many.AddMany(keys));
    REQUIRE_OK(many.Verify());
    BOOST_TEST(std::ranges::equal(one.image(), many.image()));
  }
  // Full blocks make room in the same way whatever the instruction set.
  QuotientFilter full({.capacity = 20'000});
  REQUIRE_OK(full.AddMany(keys));
  BOOST_TEST(Hash64(full.image()) == 2786135440545361429u);
  Buffer memory = Buffer::Heap(QuotientFilter::ImageBytes({.capacity = 500}));
  absl::StatusOr<QuotientFilter> small = QuotientFilter::Make({.capacity = 500}, Buffer::Borrow(memory.bytes()));
  REQUIRE_OK(small);
  CHECK_CODE(small->AddMany(keys), absl::StatusCode::kResourceExhausted);
}

BOOST_AUTO_TEST_CASE(GrowsAPageAtATimeAndKeepsTheRate) {
  const std::uint64_t most = testing::Trials(300'000, 100'000'000);
  QuotientFilter filter({.capacity = 1000, .max_capacity = most});
  std::uint64_t n = 0;
  std::uint64_t held = filter.stats().live_bytes;
  for (std::uint64_t next = 1000; next <= most; next = next * 3 / 2) {
    for (; n < next; ++n) {
      BOOST_REQUIRE(filter.Add(n).ok());
      const Stats stats = filter.stats();
      if (stats.live_bytes != held) BOOST_REQUIRE_LE(static_cast<double>(stats.peak_bytes), 1.15 * static_cast<double>(stats.live_bytes) + 4096);
      held = stats.live_bytes;
    }
    constexpr std::uint64_t kQueries = 100'000;
    const double rate = static_cast<double>(CountFound(filter, std::uint64_t{1} << 40, kQueries)) / kQueries;
    BOOST_TEST(rate <= 0.0044 + 4 * std::sqrt(0.0044 / kQueries));
    REQUIRE_OK(filter.Verify());
    BOOST_TEST(CountFound(filter, 0, n) == n);
  }
}

BOOST_AUTO_TEST_CASE(AnswersAsAMultisetDoes) {
  std::mt19937_64 random(7);
  QuotientFilter filter({.capacity = 500, .max_capacity = 20'000, .count_duplicates = true});
  std::unordered_map<std::uint64_t, std::uint64_t> model;
  std::uint64_t size = 0;
  const int operations = testing::Trials(300'000, 10'000'000);
  for (int i = 0; i < operations; ++i) {
    const std::uint64_t key = random() % 5000;
    if (random() % 5 < 3) {
      BOOST_REQUIRE(filter.Add(key).ok());
      ++model[key];
      ++size;
    } else if (const auto entry = model.find(key); entry != model.end()) {
      BOOST_REQUIRE(filter.Remove(key));
      if (--entry->second == 0) model.erase(entry);
      --size;
    }
    if (i % 64 == 0) {
      const std::uint64_t other = random() % 5000;
      const auto entry = model.find(other);
      BOOST_REQUIRE_GE(filter.Count(other), entry == model.end() ? 0 : entry->second);
    }
    // Hold the set at a size: now and then most keys are removed, so that none is there too often.
    const bool purge = size > 15'000;
    for (auto entry = model.begin(); purge && entry != model.end();) {
      if (random() % 4 == 0) {
        ++entry;
        continue;
      }
      for (std::uint64_t j = 0; j < entry->second; ++j) BOOST_REQUIRE(filter.Remove(entry->first));
      size -= entry->second;
      entry = model.erase(entry);
    }
    BOOST_REQUIRE_EQUAL(filter.size(), size);
  }
  REQUIRE_OK(filter.Verify());
  for (const auto& [key, count] : model) BOOST_REQUIRE_GE(filter.Count(key), count);
}

BOOST_AUTO_TEST_CASE(CountsAKeyAsOftenAsABlockHasSlots) {
  QuotientFilter filter({.capacity = 1000, .count_duplicates = true});
  for (std::uint64_t i = 1; i <= 49; ++i) {
    REQUIRE_OK(filter.Add("key"));
    BOOST_TEST(filter.Count("key") == i);
  }
  absl::Status status;
  for (int i = 0; i < 200 && status.ok(); ++i) status = filter.Add("key");
  BOOST_CHECK_EQUAL(status.code(), absl::StatusCode::kResourceExhausted);
  BOOST_TEST(filter.image().size() == QuotientFilter::ImageBytes({.capacity = 1000}));
  while (filter.Remove("key")) {}
  BOOST_TEST(filter.size() == 0u);
}

BOOST_AUTO_TEST_CASE(AddingAgainChangesNothingUnlessItCounts) {
  QuotientFilter filter({.capacity = 100});
  for (int i = 0; i < 5; ++i) REQUIRE_OK(filter.Add("key"));
  BOOST_TEST(filter.size() == 1u);
  BOOST_TEST(filter.Count("key") == 1u);
  BOOST_TEST(filter.Remove("key"));
  BOOST_TEST(!filter.Contains("key"));
  BOOST_TEST(!filter.Remove("key"));
}

BOOST_AUTO_TEST_CASE(EpochsPassAndKeysGo) {
  QuotientFilter filter({.capacity = 10'000, .epoch_bits = 2});
  // Each epoch adds a hundred keys; key 0 is added again in every one.
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    AddRange(filter, 1 + 100 * epoch, 100);
    REQUIRE_OK(filter.Add(std::uint64_t{0}));
    BOOST_TEST(filter.Contains(std::uint64_t{0}));
    const std::uint64_t oldest = epoch < 3 ? 0 : epoch - 3;
    BOOST_TEST(CountFound(filter, 1 + 100 * oldest, 100 * (epoch - oldest + 1)) == 100 * (epoch - oldest + 1));
    BOOST_TEST(CountFound(filter, 1, 100 * oldest) <= 20u);
    BOOST_TEST(filter.size() <= 401u);
    REQUIRE_OK(filter.Verify());
    filter.Advance();
  }
  for (int i = 0; i < 4; ++i) filter.Advance();
  BOOST_TEST(filter.size() == 0u);
}

BOOST_AUTO_TEST_CASE(MergeHoldsTheKeysOfBoth) {
  const Options options{.capacity = 1000, .max_capacity = 50'000};
  QuotientFilter a(options), b(options);
  AddRange(a, 0, 8000);
  AddRange(b, 6000, 20'000);
  REQUIRE_OK(a.Merge(b));
  REQUIRE_OK(a.Verify());
  BOOST_TEST(CountFound(a, 0, 26'000) == 26'000u);
  BOOST_TEST(a.size() <= 26'300u);  // guests of b that a has in their buckets are there twice
  BOOST_TEST(a.size() >= 25'900u);
  CHECK_CODE(a.Merge(QuotientFilter({.capacity = 1000})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(a.Merge(QuotientFilter({.capacity = 1000, .max_capacity = 50'000, .seed = 3})), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(AdversarialKeysKeepTheRate) {
  constexpr std::uint64_t kKeys = 100'000;
  const auto rate_with = [](auto key_of) {
    QuotientFilter filter({.capacity = kKeys, .seed = 0x5ec7e7});
    for (std::uint64_t i = 0; i < kKeys; ++i) BOOST_REQUIRE(filter.Add(key_of(i)).ok());
    std::uint64_t hits = 0;
    for (std::uint64_t i = kKeys; i < 6 * kKeys; ++i) hits += filter.Contains(key_of(i));
    return static_cast<double>(hits) / (5 * kKeys);
  };
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 32; }) <= 0.00484);
  BOOST_TEST(rate_with([](std::uint64_t i) { return i << 40 | 12345; }) <= 0.00484);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i); }) <= 0.00484);
  BOOST_TEST(rate_with([](std::uint64_t i) { return Hash64(i, 0x5ec7e7); }) <= 0.00484);
}

BOOST_AUTO_TEST_CASE(BorrowedBytesFillUp) {
  const Options options{.capacity = 500};
  Buffer memory = Buffer::Heap(QuotientFilter::ImageBytes(options));
  absl::StatusOr<QuotientFilter> filter = QuotientFilter::Make(options, Buffer::Borrow(memory.bytes()));
  REQUIRE_OK(filter);
  absl::Status status;
  std::uint64_t n = 0;
  for (; status.ok() && n < 5000; ++n) status = filter->Add(n);
  BOOST_CHECK_EQUAL(status.code(), absl::StatusCode::kResourceExhausted);
  BOOST_TEST(n > 500u);
  BOOST_TEST(CountFound(*filter, 0, n - 1) == n - 1);
}

#if !THIMBLE_SANITIZED  // whose shadow of so large a mapping takes long
BOOST_AUTO_TEST_CASE(IsRightInAFileOf8GiB) {
  testing::CheckBeyond8GiB<QuotientFilter>({.capacity = 6'300'000'000, .seed = 3}, [](QuotientFilter& filter) {
    for (std::uint64_t key = 0; key < 500; ++key) BOOST_TEST(filter.Remove(key));
    BOOST_TEST(filter.size() == 0u);
  });
}
#endif

BOOST_AUTO_TEST_CASE(OpensWhatItWroteAndRefusesTheRest) {
  QuotientFilter filter({.capacity = 100, .epoch_bits = 1});
  AddRange(filter, 0, 100);
  testing::CheckGolden("quotient_filter", filter.image());
  absl::StatusOr<QuotientFilter> again = QuotientFilter::Open(Buffer::Copy(filter.image()));
  REQUIRE_OK(again);
  REQUIRE_OK(again->Add(std::uint64_t{100}));
  BOOST_TEST(CountFound(*again, 0, 101) == 101u);
  Buffer damaged = Buffer::Copy(filter.image());
  damaged.data()[192 + 1] ^= std::byte{1};
  CHECK_CODE(QuotientFilter::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
  CHECK_CODE(QuotientFilter::Make({.capacity = 10, .false_positive_rate = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(QuotientFilter::Make({.capacity = 10, .epoch_bits = 9}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(QuotientFilter::Make({.capacity = ~std::uint64_t{0}}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(QuotientFilter::Make({.capacity = 1000}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  QuotientFilter filter({.capacity = 100, .max_capacity = 100'000});
  AddRange(filter, 0, 1500);
  testing::ExerciseMutations<QuotientFilterView>(filter.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
