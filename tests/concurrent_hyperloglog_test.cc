#include "testing.h"

#include <string>
#include <thread>
#include <vector>

#include "sketches.h"
#include "thimble/concurrent_hyperloglog.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(concurrent_hyperloglog)

using testing::SameImage;
using Options = HyperLogLog::Options;
constexpr auto Sketch = testing::SketchOf<HyperLogLog>;

BOOST_AUTO_TEST_CASE(ThreadsAddAtOnce) {
  ConcurrentHyperLogLog sketch({.precision = 8});
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&sketch, t] {
      for (std::uint64_t i = 0; i < 20000; ++i) sketch.Add(i * 2 + t % 2);
      (void)sketch.Estimate();
      (void)sketch.Merge(Sketch({.precision = 9}, 50000, 60000));
    });
  }
  for (std::thread& thread : threads) thread.join();
  HyperLogLog expected = Sketch({.precision = 8}, 0, 40000);
  REQUIRE_OK(expected.Merge(Sketch({.precision = 8}, 50000, 60000)));
  BOOST_TEST(SameImage(sketch, expected));
}

BOOST_AUTO_TEST_CASE(OneThreadGivesWhatAHyperLogLogDoes) {
  for (const Options& options : {Options{.precision = 8}, Options{.precision = 8, .hash_scheme = HashScheme::kXxh64},
                                 Options{.precision = 8, .hash_scheme = HashScheme::kMurmur3, .rule = RegisterRule::kDataSketches, .seed = 9001},
                                 Options::PostgreSql(8), Options::Redis()}) {
    HyperLogLog plain(options);
    ConcurrentHyperLogLog shared(options);
    for (int i = 0; i < 500; ++i) {
      const std::string text = std::to_string(i);
      plain.Add(i * i);
      shared.Add(i * i);
      plain.Add(text);
      shared.Add(text);
    }
    BOOST_TEST(SameImage(plain, shared));
    BOOST_TEST(shared.Estimate() == plain.Estimate());
  }
}

BOOST_AUTO_TEST_CASE(OpensDenseSketchesOnly) {
  const HyperLogLog plain = Sketch({.precision = 7}, 0, 500);
  absl::StatusOr<ConcurrentHyperLogLog> shared = ConcurrentHyperLogLog::Open(Buffer::Copy(plain.image()));
  REQUIRE_OK(shared);
  BOOST_TEST(SameImage(plain, *shared));
  for (const Options& options : {Options{.sparse = true}, Options{.hip = true}, Options::DataSketches(12)}) {
    CHECK_CODE(ConcurrentHyperLogLog::Make(options), absl::StatusCode::kInvalidArgument);
    CHECK_CODE(ConcurrentHyperLogLog::Open(Buffer::Copy(Sketch(options, 0, 10).image())), absl::StatusCode::kInvalidArgument);
  }
  CHECK_CODE(ConcurrentHyperLogLog::Make({.precision = 3}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ConcurrentHyperLogLog::Make({}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
