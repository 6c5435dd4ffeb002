#include "testing.h"

#include <unistd.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "test_image.h"
#include "thimble/mapped_file.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(mapped_file)

using testing::TemporaryFolder;

std::vector<std::byte> Ones(std::size_t size) { return std::vector<std::byte>(size, std::byte{1}); }

std::size_t Sum(std::span<const std::byte> bytes) {
  std::size_t sum = 0;
  for (std::byte b : bytes) sum += static_cast<std::size_t>(b);
  return sum;
}

BOOST_AUTO_TEST_CASE(BytesAreTheFile) {
  const TemporaryFolder folder;
  testing::WriteBytes(folder.File("a"), Ones(10000));
  for (MappedFile::Load load : {MappedFile::Load::kMap, MappedFile::Load::kCopy}) {
    const absl::StatusOr<MappedFile> file = MappedFile::Open(folder.File("a"), load);
    REQUIRE_OK(file);
    BOOST_TEST(file->bytes().size() == 10000u);
    BOOST_TEST(Sum(file->bytes()) == 10000u);
  }
  testing::WriteBytes(folder.File("empty"), {});
  BOOST_TEST(MappedFile::Open(folder.File("empty"))->bytes().size() == 0u);
  BOOST_TEST(MappedFile::Open(folder.File("empty"), MappedFile::Load::kCopy)->bytes().size() == 0u);
  CHECK_CODE(MappedFile::Open(folder.File("absent")), absl::StatusCode::kNotFound);
  CHECK_CODE(MappedFile::Open("/dev/null"), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(RefreshFollowsTheLength) {
  const TemporaryFolder folder;
  testing::WriteBytes(folder.File("a"), Ones(10000));
  absl::StatusOr<MappedFile> file = MappedFile::Open(folder.File("a"));
  REQUIRE_OK(file);
  std::filesystem::resize_file(folder.File("a"), 50000);
  BOOST_TEST(file->bytes().size() == 10000u);
  REQUIRE_OK(file->Refresh());
  BOOST_TEST(file->bytes().size() == 50000u);
  BOOST_TEST(Sum(file->bytes()) == 10000u);
}

BOOST_AUTO_TEST_CASE(TruncationIsAnErrorUnderAGuard) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a");
  for (int i = 0; i < testing::Trials(1000, 20000); ++i) {
    std::filesystem::remove(path);
    testing::WriteBytes(path, Ones(40000));
    const absl::StatusOr<MappedFile> mapped = MappedFile::Open(path);
    const absl::StatusOr<MappedFile> copied = MappedFile::Open(path, MappedFile::Load::kCopy);
    REQUIRE_OK(mapped);
    REQUIRE_OK(copied);
    BOOST_REQUIRE(truncate(path.c_str(), i % 9 * 4096) == 0);
    std::size_t sum = 0;
    BOOST_REQUIRE(mapped->Guard([&] { sum = Sum(mapped->bytes()); }).code() == absl::StatusCode::kDataLoss);
    REQUIRE_OK(copied->Guard([&] { sum = Sum(copied->bytes()); }));
    BOOST_REQUIRE(sum == 40000u);
  }
}

BOOST_AUTO_TEST_CASE(WhatIsGuardedMayThrow) {
  const TemporaryFolder folder;
  testing::WriteBytes(folder.File("a"), Ones(8192));
  const absl::StatusOr<MappedFile> file = MappedFile::Open(folder.File("a"));
  REQUIRE_OK(file);
  std::filesystem::resize_file(folder.File("a"), 0);
  std::size_t sum = 0;
  const absl::Status read = file->Guard([&] {
    BOOST_CHECK_THROW((void)file->Guard([] { throw std::bad_alloc(); }), std::bad_alloc);
    sum = Sum(file->bytes());
  });
  BOOST_TEST((read.code() == absl::StatusCode::kDataLoss));
}

BOOST_AUTO_TEST_CASE(GuardsNestAndAreThreadsOwn) {
  const TemporaryFolder folder;
  testing::WriteBytes(folder.File("short"), Ones(8192));
  testing::WriteBytes(folder.File("long"), Ones(8192));
  const absl::StatusOr<MappedFile> cut = MappedFile::Open(folder.File("short"));
  const absl::StatusOr<MappedFile> whole = MappedFile::Open(folder.File("long"));
  REQUIRE_OK(cut);
  REQUIRE_OK(whole);
  std::filesystem::resize_file(folder.File("short"), 0);
  std::atomic<int> caught{0};
  const auto work = [&] {
    for (int i = 0; i < 100; ++i) {
      std::size_t sum = 0;
      absl::Status inner;
      // The outer guard catches what the inner one is not for; the inner one catches its own and the outer goes on.
      if (!cut->Guard([&] { (void)whole->Guard([&] { sum = Sum(cut->bytes()); }); }).ok()) ++caught;
      if (whole->Guard([&] { inner = cut->Guard([&] { sum = Sum(cut->bytes()); }); }).ok() && !inner.ok()) ++caught;
      if (whole->Guard([&] { sum = Sum(whole->bytes()); }).ok() && sum == 8192) ++caught;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(caught == 1200);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
