#define BOOST_TEST_MODULE race
#include "testing.h"

// Built with ThreadSanitizer, library and all: four writers beside four readers race for nothing, and lose nothing.

#include <atomic>
#include <thread>

#include "test_image.h"
#include "thimble/bloom_filter.h"
#include "thimble/concurrent_hyperloglog.h"
#include "thimble/live_file.h"

namespace thimble {
namespace {

constexpr std::uint64_t kKeys = 40000;
constexpr std::uint64_t kWriters = 4;

// Each writer adds its quarter of the keys; readers read until all are done.
template <class Add, class Read>
void Race(Add add, Read read) {
  std::atomic<std::uint64_t> writing{kWriters};
  std::vector<std::thread> threads;
  for (std::uint64_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (std::uint64_t key = writer; key < kKeys; key += kWriters) add(key);
      --writing;
    });
  }
  for (int reader = 0; reader < 4; ++reader) {
    threads.emplace_back([&] {
      while (writing > 0) read();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The sections lie in a live file, which another thread syncs and seals meanwhile.
class LiveSketches {
 public:
  LiveSketches()
      : file(MonotoneFile::Create(folder.File("live"), {LiveSection::For<ConcurrentBloomFilter>("filter", kFilter),
                                                        LiveSection::For<ConcurrentHyperLogLog>("users", kUsers)})) {}

  static inline const BloomFilterOptions kFilter{.capacity = kKeys};
  static inline const ConcurrentHyperLogLog::Options kUsers{.precision = 10};

  testing::TemporaryFolder folder;
  absl::StatusOr<MonotoneFile> file;
};

BOOST_AUTO_TEST_CASE(BloomFilterBesideReaders) {
  LiveSketches live;
  absl::StatusOr<ConcurrentBloomFilter> filter = ConcurrentBloomFilter::Make(LiveSketches::kFilter, *live.file->Take("filter"));
  REQUIRE_OK(filter);
  Race([&](std::uint64_t key) { filter->Add(key); }, [&] { (void)filter->Contains(kKeys / 2); });
  BloomFilter alone(LiveSketches::kFilter);
  for (std::uint64_t key = 0; key < kKeys; ++key) alone.Add(key);
  BOOST_TEST(std::ranges::equal(filter->image(), alone.image()));
  REQUIRE_OK(live.file->Sync());
}

BOOST_AUTO_TEST_CASE(HyperLogLogBesideReaders) {
  LiveSketches live;
  absl::StatusOr<ConcurrentHyperLogLog> users = ConcurrentHyperLogLog::Make(LiveSketches::kUsers, *live.file->Take("users"));
  REQUIRE_OK(users);
  Race([&](std::uint64_t key) { users->Add(key); }, [&] { (void)users->Estimate(); });
  HyperLogLog alone(LiveSketches::kUsers);
  for (std::uint64_t key = 0; key < kKeys; ++key) alone.Add(key);
  BOOST_TEST(std::ranges::equal(users->image(), alone.image()));
}

}  // namespace
}  // namespace thimble
