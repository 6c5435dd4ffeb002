#include "testing.h"

// A writer and eight readers, killed at random; and a disk that is full.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "small_disk.h"
#include "test_image.h"
#include "thimble/live_file.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(torture)

using namespace std::chrono_literals;
using testing::SmallDisk;
using testing::TemporaryFolder;
using testing::TestImage;
using testing::TestImageView;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kWords = 3000;

// What a child process says by its exit code.
enum Exit { kFine = 0, kWrongRead = 2, kStuckReader = 3, kStuckWriter = 4, kFailedCommit = 5 };

absl::Status MakeState(JournaledFile& file, std::uint64_t seed) {
  TestImage(kWords, seed, *file.Take("image"));
  Store(file.Take("seed")->data(), seed);
  return file.Commit();
}

[[noreturn]] void Write(const std::string& path) {
  const auto start = Clock::now();
  for (;;) {
    absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
    if (!file.ok()) {
      // The writer killed before us cannot keep its lock, and a reader that recovers has it for a moment.
      if (Clock::now() - start > 10s) _exit(kStuckWriter);
      continue;
    }
    for (std::uint64_t seed = file->epoch();; ++seed) {
      if (!MakeState(*file, seed).ok()) _exit(kFailedCommit);
    }
  }
}

[[noreturn]] void Read(const std::string& path) {
  auto last = Clock::now();
  for (;;) {
    absl::StatusOr<StoreReader> store = StoreReader::Open(path);
    for (int i = 0; i < 20 && store.ok(); ++i) {
      bool right = false;
      const absl::Status status = store->Read([&]() -> absl::Status {
        const absl::StatusOr<TestImageView> view = store->View<TestImageView>("image");
        if (!view.ok()) return view.status();
        const auto seed = Load<std::uint64_t>(store->Bytes("seed")->data());
        right = std::ranges::equal(view->image(), TestImage(kWords, seed).image());
        return absl::OkStatus();
      });
      if (!status.ok()) break;
      if (!right) _exit(kWrongRead);
      last = Clock::now();
      std::this_thread::sleep_for(1ms);  // or eight readers would leave the writer little of the machine
    }
    if (Clock::now() - last > 20s) _exit(kStuckReader);
  }
}

BOOST_AUTO_TEST_CASE(KillsStickNothingAndFakeNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.File("live");
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(
        path, {{"image", TestImageView::kKind, TestImage::ImageBytes(kWords)}, {"seed", Kind::kNone, 8}});
    REQUIRE_OK(file);
    REQUIRE_OK(MakeState(*file, 1));
  }
  std::mt19937_64 random(1);
  const auto spawn = [&](bool writer) {
    const pid_t child = fork();
    if (child == 0) writer ? Write(path) : Read(path);
    return child;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 9; ++i) children.push_back(spawn(i == 0));
  const auto end = Clock::now() + std::chrono::seconds(testing::Trials(30, 600));
  int kills = 0;
  while (Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 100));
    // Every other time the writer, whose death matters most.
    const std::size_t victim = random() % 2 == 0 ? 0 : random() % children.size();
    kill(children[victim], SIGKILL);
    int status = 0;
    waitpid(children[victim], &status, 0);
    BOOST_REQUIRE_MESSAGE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a child ended by itself: " << status);
    children[victim] = spawn(victim == 0);
    ++kills;
  }
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  }
  const absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
  REQUIRE_OK(file);
  BOOST_TEST_MESSAGE(kills << " kills, " << file->epoch() << " epochs");
  BOOST_TEST(file->epoch() > 10u);
}

BOOST_AUTO_TEST_CASE(TruncationUnderAReaderIsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a");
  for (int i = 0; i < testing::Trials(200, 2000); ++i) {
    {
      absl::StatusOr<StoreWriter> writer = StoreWriter::Create(path);
      REQUIRE_OK(writer);
      REQUIRE_OK(writer->Add("image", TestImage(20000, 1).image()));
      REQUIRE_OK(writer->Finish());
    }
    const absl::StatusOr<StoreReader> store = StoreReader::Open(path);
    REQUIRE_OK(store);
    const std::uint64_t cut = static_cast<std::uint64_t>(i) * 800 % store->file_bytes();
    std::thread cutter([&] { std::filesystem::resize_file(path, cut); });
    while (store->Verify(2).ok()) {
    }
    cutter.join();
    // A section in front of the cut is as good as it was.
    const SectionInfo section = *store->Find("image");
    const absl::StatusOr<Buffer> loaded = store->Load("image");
    BOOST_TEST((loaded.ok() ? cut >= section.offset + section.stored_bytes && std::ranges::equal(loaded->bytes(), TestImage(20000, 1).image())
                            : absl::IsDataLoss(loaded.status())));
    CHECK_CODE(StoreReader::Open(path), absl::StatusCode::kDataLoss);
  }
}

BOOST_AUTO_TEST_CASE(AFullDiskIsAnErrorAndTheOldFileStays) {
  const SmallDisk disk("4m");
  if (!disk.mounted()) {
    BOOST_TEST_MESSAGE("not run: mounting a small file system takes root");
    return;
  }
  const std::string sealed = disk.folder().File("sealed");
  const auto write = [&](std::uint64_t words) -> absl::Status {
    absl::StatusOr<StoreWriter> writer = StoreWriter::Create(sealed);
    if (!writer.ok()) return writer.status();
    if (absl::Status status = writer->Add("image", TestImage(words, 1).image()); !status.ok()) return status;
    return writer->Finish();
  };
  REQUIRE_OK(write(1000));
  CHECK_CODE(write(1000000), absl::StatusCode::kResourceExhausted);
  REQUIRE_OK(StoreReader::Open(sealed)->Verify());
  CHECK_CODE(MonotoneFile::Create(disk.folder().File("live"), {{"a", Kind::kNone, 8 << 20}}), absl::StatusCode::kResourceExhausted);
  BOOST_TEST(disk.folder().Names() == std::vector<std::string>{"sealed"});

  const std::string live = disk.folder().File("live");
  {
    absl::StatusOr<JournaledFile> file =
        JournaledFile::Create(live, {{"image", TestImageView::kKind, TestImage::ImageBytes(kWords), true}, {"seed", Kind::kNone, 8}});
    REQUIRE_OK(file);
    REQUIRE_OK(MakeState(*file, 1));
    Buffer image = *file->Take("image");
    CHECK_CODE(image.Grow(16 << 20), absl::StatusCode::kResourceExhausted);
    // Room for the file but not for the journal.
    REQUIRE_OK(image.Grow(3 << 20));
    std::ranges::fill(image.bytes(), std::byte{1});
    CHECK_CODE(file->Commit(), absl::StatusCode::kResourceExhausted);
  }
  absl::StatusOr<JournaledFile> file = JournaledFile::Open(live);
  REQUIRE_OK(file);
  const absl::StatusOr<StoreReader> store = StoreReader::Open(live);
  REQUIRE_OK(store);
  BOOST_TEST(std::ranges::equal(store->View<TestImageView>("image")->image(), TestImage(kWords, 1).image()));
  REQUIRE_OK(MakeState(*file, 2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
