#include "testing.h"

// Every way to damage a sealed file of 64 KiB is reported, and none raises a signal or asks for memory without bounds.

#include <atomic>
#include <new>

#include "one_file_system.h"
#include "store_format.h"
#include "test_image.h"
#include "thimble/store.h"
#include "thimble/store_writer.h"

#if !THIMBLE_SANITIZED
#define COUNTS_ALLOCATIONS 1
namespace {
std::atomic<std::size_t> allocated{0};
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  allocated += bytes;
  if (void* at = std::malloc(bytes)) return at;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* at) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete(void* at, std::size_t) noexcept { std::free(at); }
#else
#define COUNTS_ALLOCATIONS 0
#endif

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(damage)

using testing::OneFileSystem;
using testing::TestImage;
using testing::TestImageView;

// A sealed file of 64 KiB: two images, one of them in several blocks, and a compressed one.
Buffer SealedFile() {
  const testing::TemporaryFolder folder;
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(folder.File("a"));
  REQUIRE_OK(writer);
  REQUIRE_OK(writer->Add("small", TestImage(500, 1).image()));
  REQUIRE_OK(writer->Add("large", TestImage(6000, 2).image()));
  REQUIRE_OK(writer->Add("cold", TestImage(300, 3).image(), Codec::kZstd));
  REQUIRE_OK(writer->Finish());
  return Buffer::Copy(testing::ReadBytes(folder.File("a")));
}

class Sweep {
 public:
  Sweep() : file_(SealedFile()) {}

  std::span<std::byte> bytes() { return file_.bytes(); }
  format::Superblock superblock() { return Load<format::Superblock>(file_.data()); }

  bool Reported() { return Reported(file_.bytes()); }
  bool Reported(std::span<std::byte> bytes) {
    system_.Serve(bytes);
#if COUNTS_ALLOCATIONS
    const std::size_t before = allocated;
#endif
    const absl::StatusOr<StoreReader> store = StoreReader::Open("a", {.system = &system_});
    const bool reported = !store.ok() || !store->Verify().ok();
#if COUNTS_ALLOCATIONS
    BOOST_REQUIRE(allocated - before <= 2 * bytes.size() + (1u << 20));
#endif
    return reported;
  }

  // Flips bits one at a time; returns how many flips were not reported.
  int MissedFlips(std::uint64_t from, std::uint64_t bytes) {
    int missed = 0;
    for (std::uint64_t bit = from * 8; bit < (from + bytes) * 8; ++bit) missed += !ReportsFlip(bit);
    return missed;
  }
  bool ReportsFlip(std::uint64_t bit) {
    const auto mask = static_cast<std::byte>(1u << bit % 8);
    file_.data()[bit / 8] ^= mask;
    const bool reported = Reported();
    file_.data()[bit / 8] ^= mask;
    return reported;
  }

 private:
  Buffer file_;
  OneFileSystem system_;
};

BOOST_AUTO_TEST_CASE(TheWholeFileIsFine) {
  Sweep sweep;
  BOOST_TEST(sweep.bytes().size() > 60000u);
  BOOST_TEST(sweep.bytes().size() < 70000u);
  BOOST_TEST(!sweep.Reported());
}

BOOST_AUTO_TEST_CASE(EveryFlipOfSuperblocksAndDirectoryIsReported) {
  Sweep sweep;
  BOOST_TEST(sweep.MissedFlips(0, 512) == 0);
  BOOST_TEST(sweep.MissedFlips(4096, 512) == 0);
  BOOST_TEST(sweep.MissedFlips(sweep.superblock().directory_offset, sweep.superblock().directory_bytes) == 0);
}

BOOST_AUTO_TEST_CASE(RandomFlipsAreReported) {
  Sweep sweep;
  std::mt19937_64 random(1);
  int missed = 0;
  for (int i = 0; i < testing::Trials(100000, 1000000); ++i) missed += !sweep.ReportsFlip(random() % (sweep.bytes().size() * 8));
  BOOST_TEST(missed == 0);
}

BOOST_AUTO_TEST_CASE(EveryTruncationIsReported) {
  Sweep sweep;
  int missed = 0;
  for (std::size_t size = 0; size < sweep.bytes().size(); ++size) {
    // A block of its own now and then, where a sanitizer sees the first byte read past it.
    if (size % 64 < 2) missed += !sweep.Reported(Buffer::Copy(sweep.bytes().first(size)).bytes());
    else missed += !sweep.Reported(sweep.bytes().first(size));
  }
  BOOST_TEST(missed == 0);
}

BOOST_AUTO_TEST_CASE(EveryZeroedPageIsReported) {
  Sweep sweep;
  const Buffer whole = Buffer::Copy(sweep.bytes());
  int missed = 0;
  for (std::size_t at = 0; at < sweep.bytes().size(); at += 4096) {
    const std::span<std::byte> page = sweep.bytes().subspan(at, std::min<std::size_t>(4096, sweep.bytes().size() - at));
    if (std::ranges::all_of(page, [](std::byte b) { return b == std::byte{0}; })) continue;
    std::ranges::fill(page, std::byte{0});
    missed += !sweep.Reported();
    std::ranges::copy(whole.bytes().subspan(at, page.size()), page.begin());
  }
  BOOST_TEST(missed == 0);
}

// Reads everything that a file offers, and ignores the answers.
void Exercise(StoreReader& store) {
  (void)store.Verify(2);
  for (std::size_t i = 0; i < std::min<std::size_t>(store.size(), 100); ++i) {
    const std::string name = store.Section(i).name;
    (void)store.Find(name);
    (void)store.Bytes(name, StoreReader::Check::kFirst);
    if (const auto view = store.View<TestImageView>(name); view.ok()) (void)view->Verify();
    (void)store.Load(name);
  }
}

BOOST_AUTO_TEST_CASE(HostileDirectoriesAreSafe) {
  // Damage behind valid checksums: what an enemy would write.
  Sweep sweep;
  OneFileSystem system;
  std::mt19937_64 random(1);
  int opened = 0;
  for (int i = 0; i < testing::Trials(20000, 1000000); ++i) {
    Buffer copy = Buffer::Copy(sweep.bytes());
    format::Superblock superblock = sweep.superblock();
    const std::span<std::byte> directory = copy.bytes().subspan(superblock.directory_offset, superblock.directory_bytes);
    for (std::uint64_t hits = 1 + random() % 3; hits > 0; --hits) {
      constexpr std::uint64_t kNasty[] = {0, 1, 63, 64, 4096, 8192, 65535, 65536, 0xffffffff, std::uint64_t{1} << 40, ~std::uint64_t{0}};
      const std::uint64_t word = random() % 2 == 0 ? kNasty[random() % std::size(kNasty)] : random() % copy.size();
      if (random() % 4 == 0) {
        // One of the superblock's fields from `sections` to `directory_bytes`, in whole words.
        Store(reinterpret_cast<std::byte*>(&superblock) + 8 + random() % 9 * 8, word);
      } else if (random() % 2 == 0) {
        Store(directory.data() + random() % (directory.size() / 8) * 8, word);
      } else {
        directory[random() % directory.size()] ^= static_cast<std::byte>(1u << random() % 8);
      }
    }
    superblock.directory_checksum = Hash64(std::span<const std::byte>(directory));
    superblock.Seal();
    Store(copy.data(), superblock);
    Store(copy.data() + 4096, superblock);
    system.Serve(copy.bytes());
    absl::StatusOr<StoreReader> store = StoreReader::Open("a", {.max_load_bytes = 1 << 20, .system = &system});
    if (!store.ok()) continue;
    ++opened;
    Exercise(*store);
  }
  BOOST_TEST(opened > 100);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
