#include "testing.h"

#include <string>

#include "exercise/split_block_bloom_filter.h"
#include "thimble/split_block_bloom_filter.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(split_block_bloom_filter)

// A filter of one block that parquet-mr wrote for the strings "a0" ... "a9".
constexpr std::uint8_t kWrittenElsewhere[32] = {200, 1, 80, 20, 64, 68, 8, 109, 6,  37, 4,  67, 144, 80,  96, 32,
                                                8, 132, 43, 33, 0,  5,  99, 65, 2,  0,  224, 44, 64,  78,  96, 4};

std::string Name(int i) {
  std::string name = "a";
  name += std::to_string(i);
  return name;
}

BOOST_AUTO_TEST_CASE(HashesAsParquetDoes) {
  BOOST_TEST(ParquetHash(std::string_view("")) == 0xEF46DB3751D8E999u);  // XXH64's own test value
  BOOST_TEST(ParquetHash(std::int32_t{1}) == ParquetHash(std::string_view("\x01\0\0\0", 4)));
  BOOST_TEST(ParquetHash(std::int64_t{1}) == ParquetHash(std::string_view("\x01\0\0\0\0\0\0\0", 8)));
  BOOST_TEST(ParquetHash(1.0f) == ParquetHash(std::string_view("\0\0\x80\x3f", 4)));
}

BOOST_AUTO_TEST_CASE(ReadsWhatOthersWrite) {
  const auto filter = SplitBlockBloomFilter::FromBitset(std::as_bytes(std::span(kWrittenElsewhere)));
  REQUIRE_OK(filter);
  for (int i = 0; i < 10; ++i) BOOST_TEST(filter->Contains(Name(i)));
  int others = 0;
  for (int i = 10; i < 1000; ++i) others += filter->Contains(Name(i));
  BOOST_TEST(others < 20);
}

BOOST_AUTO_TEST_CASE(WritesWhatOthersWrite) {
  SplitBlockBloomFilter filter({.capacity = 10});
  BOOST_REQUIRE_EQUAL(filter.bitset().size(), 32u);
  for (int i = 0; i < 10; ++i) filter.Add(Name(i));
  BOOST_TEST(std::ranges::equal(filter.bitset(), std::as_bytes(std::span(kWrittenElsewhere))));
}

BOOST_AUTO_TEST_CASE(KeepsItsKeysAndItsRate) {
  for (const std::int64_t n : {0, 1, 1000, 50'000}) {
    SplitBlockBloomFilter filter({.capacity = static_cast<std::uint64_t>(n)});
    BOOST_TEST(std::has_single_bit(filter.bitset().size()));
    for (std::int64_t key = 0; key < n; ++key) filter.Add(key);
    for (std::int64_t key = 0; key < n; ++key) BOOST_TEST(filter.Contains(key));
    int hits = 0;
    for (std::int64_t key = n; key < n + 200'000; ++key) hits += filter.Contains(key);
    BOOST_TEST(hits / 200'000.0 <= 1.05 * filter.FalsePositiveRate() + 0.0005);
    BOOST_TEST(filter.FalsePositiveRate() <= 0.01);
  }
}

BOOST_AUTO_TEST_CASE(AdversarialKeysKeepTheRate) {
  constexpr std::int64_t kKeys = 100'000;
  const auto over_promise = [](auto key_of) {
    SplitBlockBloomFilter filter({.capacity = kKeys});
    for (std::int64_t i = 0; i < kKeys; ++i) filter.Add(key_of(i));
    std::int64_t hits = 0;
    for (std::int64_t i = kKeys; i < 6 * kKeys; ++i) hits += filter.Contains(key_of(i));
    return static_cast<double>(hits) / (5.0 * kKeys) / filter.FalsePositiveRate();
  };
  BOOST_TEST(over_promise([](std::int64_t i) { return i; }) <= 1.1);
  BOOST_TEST(over_promise([](std::int64_t i) { return i << 32; }) <= 1.1);
  BOOST_TEST(over_promise([](std::int64_t i) { return i << 40 | 12345; }) <= 1.1);
  BOOST_TEST(over_promise([](std::int64_t i) { return static_cast<std::int64_t>(ParquetHash(i)); }) <= 1.1);
}

BOOST_AUTO_TEST_CASE(MergeIsTheUnion) {
  const SplitBlockBloomFilter::Options options{.capacity = 200};
  SplitBlockBloomFilter a(options), b(options), both(options);
  for (std::int64_t key = 0; key < 200; ++key) {
    (key < 120 ? a : b).Add(key);
    both.Add(key);
  }
  REQUIRE_OK(a.Merge(b));
  BOOST_TEST(std::ranges::equal(a.image(), both.image()));
  CHECK_CODE(a.Merge(SplitBlockBloomFilter({.capacity = 5000})), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(RefusesWhatCannotBe) {
  CHECK_CODE(SplitBlockBloomFilter::Make({.capacity = 10, .false_positive_rate = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SplitBlockBloomFilter::Make({.capacity = std::uint64_t{1} << 40}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SplitBlockBloomFilter::FromBitset({}), absl::StatusCode::kDataLoss);
  CHECK_CODE(SplitBlockBloomFilter::FromBitset(std::as_bytes(std::span(kWrittenElsewhere)).first(31)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(OpensWhatItWrote) {
  SplitBlockBloomFilter filter({.capacity = 20});
  for (std::int64_t key = 0; key < 20; ++key) filter.Add(key);
  testing::CheckGolden("split_block_bloom_filter", filter.image());
  BOOST_TEST(filter.image().size() == SplitBlockBloomFilter::ImageBytes({.capacity = 20}));
  REQUIRE_OK(SplitBlockBloomFilter::Open(Buffer::Copy(filter.image())));
}

BOOST_AUTO_TEST_CASE(Mutations) {
  SplitBlockBloomFilter filter({.capacity = 20});
  for (std::int64_t key = 0; key < 20; ++key) filter.Add(key);
  testing::ExerciseMutations<SplitBlockBloomFilterView>(filter.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
