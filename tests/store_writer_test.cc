#include "testing.h"

#include "test_image.h"
#include "thimble/store.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(store_writer)

using testing::ReadBytes;
using testing::TemporaryFolder;
using testing::TestImage;

void Write(const std::string& path, std::size_t words = 20000) {
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(path);
  REQUIRE_OK(writer);
  REQUIRE_OK(writer->Add("image", TestImage(words, 1).image()));
  REQUIRE_OK(writer->Add("cold", TestImage(words, 0).image(), Codec::kZstd));
  REQUIRE_OK(writer->Finish());
}

BOOST_AUTO_TEST_CASE(TheSameSectionsMakeTheSameFile) {
  const TemporaryFolder folder;
  Write(folder.File("a"));
  Write(folder.File("b"));
  BOOST_TEST(ReadBytes(folder.File("a")) == ReadBytes(folder.File("b")));
}

BOOST_AUTO_TEST_CASE(AnUnfinishedWriterLeavesTheOldFile) {
  const TemporaryFolder folder;
  Write(folder.File("a"), 100);
  const auto before = ReadBytes(folder.File("a"));
  {
    absl::StatusOr<StoreWriter> writer = StoreWriter::Create(folder.File("a"));
    REQUIRE_OK(writer);
    REQUIRE_OK(writer->Add("other", TestImage(10, 1).image()));
  }
  BOOST_TEST(ReadBytes(folder.File("a")) == before);
  BOOST_TEST(folder.Names() == std::vector<std::string>{"a"});
}

BOOST_AUTO_TEST_CASE(ReplacingLeavesOldMappingsWhole) {
  const TemporaryFolder folder;
  Write(folder.File("a"), 20000);
  const absl::StatusOr<StoreReader> old = StoreReader::Open(folder.File("a"));
  REQUIRE_OK(old);
  Write(folder.File("a"), 10);
  REQUIRE_OK(old->Verify());
  BOOST_TEST(StoreReader::Open(folder.File("a"))->file_bytes() < old->file_bytes());
}

BOOST_AUTO_TEST_CASE(ImpossibleSectionsAreRefused) {
  const TemporaryFolder folder;
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(folder.File("a"));
  REQUIRE_OK(writer);
  CHECK_CODE(writer->AddBytes("", {}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(writer->AddBytes(std::string(256, 'x'), {}), absl::StatusCode::kInvalidArgument);
  REQUIRE_OK(writer->AddBytes(std::string(255, 'x'), {}));
  CHECK_CODE(writer->AddBytes(std::string(255, 'x'), {}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(writer->Add("no image", BytesOf("hello", 5)), absl::StatusCode::kDataLoss);
  REQUIRE_OK(writer->Finish());
  CHECK_CODE(writer->AddBytes("late", {}), absl::StatusCode::kFailedPrecondition);
  CHECK_CODE(writer->Finish(), absl::StatusCode::kFailedPrecondition);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
