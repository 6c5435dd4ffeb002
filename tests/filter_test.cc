#include "testing.h"

#include "thimble/bloom_filter.h"
#include "thimble/filter.h"
#include "thimble/quotient_filter.h"
#include "thimble/scalable_bloom_filter.h"
#include "thimble/static_filter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(filter)

static_assert(HashableKey<int> && HashableKey<std::string> && HashableKey<std::string_view> && !HashableKey<double>);
static_assert(!Filter<int>);

constexpr std::uint64_t kKeys = 5000;

// Written once over all filters.
template <Filter F>
void HoldsItsKeysAndKnowsItsRate(const F& filter) {
  for (std::uint64_t key = 0; key < kKeys; ++key) BOOST_REQUIRE(filter.Contains(key));
  std::uint64_t found = 0;
  for (std::uint64_t key = kKeys; key < kKeys + 200'000; ++key) found += filter.Contains(key);
  const double rate = static_cast<double>(found) / 200'000;
  BOOST_TEST(rate <= 0.0115);
  BOOST_TEST(rate <= 1.3 * filter.FalsePositiveRate() + 0.0005);
  BOOST_TEST(filter.capacity() >= kKeys);
  BOOST_TEST(filter.bits_per_key() > 6.6);
}

BOOST_AUTO_TEST_CASE(CodeIsWrittenOnceOverAllFilters) {
  BloomFilter bloom({.capacity = kKeys});
  ConcurrentBloomFilter concurrent({.capacity = kKeys});
  ScalableBloomFilter scalable({.first_capacity = 100});
  QuotientFilter quotient({.capacity = kKeys});
  StaticFilter::Builder builder({.false_positive_rate = 0.01});
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    bloom.Add(key);
    concurrent.Add(key);
    REQUIRE_OK(scalable.Add(key));
    REQUIRE_OK(quotient.Add(key));
    builder.Add(key);
  }
  HoldsItsKeysAndKnowsItsRate(bloom);
  HoldsItsKeysAndKnowsItsRate(concurrent);
  HoldsItsKeysAndKnowsItsRate(scalable);
  HoldsItsKeysAndKnowsItsRate(quotient);
  const absl::StatusOr<StaticFilter> fixed = std::move(builder).Finish();
  REQUIRE_OK(fixed);
  HoldsItsKeysAndKnowsItsRate(*fixed);
}

BOOST_AUTO_TEST_CASE(BatchesAreAllKeysInTheirOrder) {
  for (const std::size_t n : {0, 1, 255, 256, 257, 1000}) {
    std::vector<std::uint64_t> keys(n), hashes;
    for (std::size_t i = 0; i < n; ++i) keys[i] = i;
    ForHashBatches(keys, 7, [&](std::span<const std::uint64_t> batch) {
      BOOST_TEST((batch.size() > 0 && batch.size() <= 256));
      hashes.insert(hashes.end(), batch.begin(), batch.end());
    });
    BOOST_REQUIRE(hashes.size() == n);
    for (std::size_t i = 0; i < n; ++i) BOOST_REQUIRE(hashes[i] == Hash64(keys[i], 7));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
