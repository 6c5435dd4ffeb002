#include "testing.h"

#include "test_image.h"
#include "thimble/live_file.h"
#include "thimble/repair.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(repair)

using testing::TemporaryFolder;
using testing::TestImage;
using testing::TestImageView;

std::vector<std::byte> WriteSealed(const std::string& path) {
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(path);
  REQUIRE_OK(writer);
  REQUIRE_OK(writer->Add("image", TestImage(100, 1).image()));
  REQUIRE_OK(writer->Finish());
  return testing::ReadBytes(path);
}

BOOST_AUTO_TEST_CASE(ADamagedSuperblockIsRewritten) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a");
  const std::vector<std::byte> whole = WriteSealed(path);
  for (const std::size_t at : {0u, 11u, 70u, 511u, 512u, 4095u, 4096u, 4200u, 5000u, 8191u}) {
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{1};
    testing::WriteBytes(path, damaged);
    BOOST_TEST(!StoreReader::Open(path)->Verify().ok());
    REQUIRE_OK(Repair(path));
    BOOST_TEST(testing::ReadBytes(path) == whole);
    REQUIRE_OK(StoreReader::Open(path)->Verify());
  }
}

BOOST_AUTO_TEST_CASE(WhatCannotBeRepairedIsSaid) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a");
  std::vector<std::byte> bytes = WriteSealed(path);
  bytes[100] ^= std::byte{1};
  bytes[4200] ^= std::byte{1};
  testing::WriteBytes(path, bytes);
  CHECK_CODE(Repair(path), absl::StatusCode::kDataLoss);
  BOOST_TEST(testing::ReadBytes(path) == bytes);
  CHECK_CODE(Repair(folder.File("absent")), absl::StatusCode::kNotFound);
}

BOOST_AUTO_TEST_CASE(FilesLeftOpenAreClosed) {
  const TemporaryFolder folder;
  const std::string path = folder.File("j");
  const std::vector<LiveSection> sections{{"image", TestImageView::kKind, TestImage::ImageBytes(100)}};
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, sections);
    REQUIRE_OK(file);
    TestImage(100, 1, *file->Take("image"));
    REQUIRE_OK(file->Commit());
    CHECK_CODE(Repair(path), absl::StatusCode::kUnavailable);
  }
  REQUIRE_OK(MonotoneFile::Create(folder.File("m"), sections));
  for (const std::string& name : {std::string("j"), std::string("m")}) {
    REQUIRE_OK(Repair(folder.File(name)));
    const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File(name), {.strict = true});
    REQUIRE_OK(store);
    REQUIRE_OK(store->Verify());
    const std::uint64_t epoch = store->epoch();
    REQUIRE_OK(Repair(folder.File(name)));
    BOOST_TEST(StoreReader::Open(folder.File(name))->epoch() == epoch);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
