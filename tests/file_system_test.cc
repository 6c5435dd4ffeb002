#include "testing.h"

#include "test_image.h"
#include "thimble/file_system.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(file_system)

using testing::TemporaryFolder;
using Mode = FileSystem::Mode;

constexpr std::size_t kPage = 4096;

FileSystem& System() { return FileSystem::Real(); }

std::unique_ptr<File> Created(const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = System().Open(path, Mode::kCreate);
  REQUIRE_OK(file);
  return *std::move(file);
}

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string ReadText(File& file, std::uint64_t offset, std::size_t bytes) {
  std::string text(bytes, '?');
  const absl::StatusOr<std::size_t> read = file.Read(offset, std::as_writable_bytes(std::span(text)));
  REQUIRE_OK(read);
  return text.substr(0, *read);
}

BOOST_AUTO_TEST_CASE(NamesAreOpenedAsTheModeSays) {
  const TemporaryFolder folder;
  CHECK_CODE(System().Open(folder.File("a"), Mode::kRead), absl::StatusCode::kNotFound);
  CHECK_CODE(System().Open(folder.File("a"), Mode::kUpdate), absl::StatusCode::kNotFound);
  REQUIRE_OK(Created(folder.File("a"))->Write(0, Bytes("one")));
  CHECK_CODE(System().Open(folder.File("a"), Mode::kCreate), absl::StatusCode::kAlreadyExists);
  const std::unique_ptr<File> reader = *System().Open(folder.File("a"), Mode::kRead);
  BOOST_TEST(ReadText(*reader, 0, 3) == "one");
  BOOST_TEST(!reader->Write(0, Bytes("two")).ok());
  const absl::StatusOr<std::unique_ptr<File>> absent = System().Open(folder.File("no/such"), Mode::kCreate);
  BOOST_TEST(absent.status().message().find(folder.File("no/such")) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  const std::unique_ptr<File> file = Created(folder.File("a"));
  REQUIRE_OK(file->Write(5, Bytes("there")));
  BOOST_TEST(*file->Size() == 10u);
  BOOST_TEST(ReadText(*file, 0, 100) == std::string(5, '\0') + "there");  // fewer than asked: the end
  BOOST_TEST(ReadText(*file, 10, 1) == "");
  REQUIRE_OK(file->Allocate(kPage));
  BOOST_TEST(*file->Size() == kPage);
  REQUIRE_OK(file->Allocate(1));  // never shorter
  BOOST_TEST(*file->Size() == kPage);
  REQUIRE_OK(file->Truncate(7));
  BOOST_TEST(*file->Size() == 7u);
  REQUIRE_OK(file->Sync());
}

BOOST_AUTO_TEST_CASE(TheLockHasOneHolder) {
  const TemporaryFolder folder;
  std::unique_ptr<File> first = Created(folder.File("a"));
  const std::unique_ptr<File> second = *System().Open(folder.File("a"), Mode::kUpdate);
  BOOST_TEST(*first->TryLock());
  BOOST_TEST(!*second->TryLock());
  first.reset();
  BOOST_TEST(*second->TryLock());
}

BOOST_AUTO_TEST_CASE(SharedMappingsAreTheFile) {
  const TemporaryFolder folder;
  const std::unique_ptr<File> file = Created(folder.File("a"));
  REQUIRE_OK(file->Allocate(2 * kPage));
  absl::StatusOr<std::span<std::byte>> run = file->Map(MapAccess::kShared, kPage, kPage);
  REQUIRE_OK(run);
  (*run)[0] = std::byte{'x'};
  BOOST_TEST(ReadText(*file, kPage, 1) == "x");
  REQUIRE_OK(file->Allocate(5 * kPage));
  run = file->Remap(*run, 4 * kPage);
  REQUIRE_OK(run);
  BOOST_TEST(run->size() == 4 * kPage);
  run->back() = std::byte{'y'};
  BOOST_TEST(ReadText(*file, 5 * kPage - 1, 1) == "y");
  file->Unmap(*run);
}

BOOST_AUTO_TEST_CASE(PrivateMappingsKeepTheirPages) {
  const TemporaryFolder folder;
  const std::unique_ptr<File> file = Created(folder.File("a"));
  REQUIRE_OK(file->Allocate(4 * kPage));
  const absl::StatusOr<std::span<std::byte>> run = file->Map(MapAccess::kPrivate, 0, 4 * kPage);
  REQUIRE_OK(run);
  BOOST_TEST(file->PrivatePages(*run)->empty());
  (*run)[kPage + 9] = std::byte{1};
  (*run)[3 * kPage] = std::byte{2};
  BOOST_TEST(*file->PrivatePages(*run) == (std::vector<std::uint64_t>{1, 3}), boost::test_tools::per_element());
  BOOST_TEST(ReadText(*file, kPage + 9, 1) == std::string(1, '\0'));
  REQUIRE_OK(file->DropPrivatePages(*run));
  BOOST_TEST(file->PrivatePages(*run)->empty());
  BOOST_TEST(((*run)[kPage + 9] == std::byte{0}));
  file->Unmap(*run);
}

BOOST_AUTO_TEST_CASE(NamesMoveAtomically) {
  const TemporaryFolder folder;
  REQUIRE_OK(Created(folder.File("a"))->Write(0, Bytes("a")));
  REQUIRE_OK(Created(folder.File("b"))->Write(0, Bytes("b")));
  CHECK_CODE(System().Rename(folder.File("a"), folder.File("b"), false), absl::StatusCode::kAlreadyExists);
  REQUIRE_OK(System().Rename(folder.File("a"), folder.File("b"), true));
  REQUIRE_OK(System().SyncParent(folder.File("b")));
  BOOST_TEST(ReadText(**System().Open(folder.File("b"), Mode::kRead), 0, 1) == "a");
  CHECK_CODE(System().Open(folder.File("a"), Mode::kRead), absl::StatusCode::kNotFound);
  REQUIRE_OK(System().Remove(folder.File("b")));
  CHECK_CODE(System().Remove(folder.File("b")), absl::StatusCode::kNotFound);
  BOOST_TEST(*System().Random() != *System().Random());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
