#include "testing.h"

#include <sys/mman.h>

#include <array>
#include <filesystem>
#include <numeric>

#include "forwarding_file_system.h"
#include "store_format.h"
#include "test_image.h"
#include "thimble/store.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(store)

using testing::TemporaryFolder;
using testing::TestImage;
using testing::TestImageView;

std::vector<std::byte> Noise(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  std::mt19937_64 random(seed);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

// One small image, one of several blocks, one compressed, bytes that are no image, and nothing at all.
void WriteExample(const std::string& path, std::size_t words = 20000) {
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(path);
  REQUIRE_OK(writer);
  REQUIRE_OK(writer->Add("small", TestImage(10, 1).image()));
  REQUIRE_OK(writer->Add("large", TestImage(words, 2).image()));
  REQUIRE_OK(writer->Add("cold", TestImage(words, 0).image(), Codec::kZstd));
  REQUIRE_OK(writer->AddBytes("notes", BytesOf("hello", 5)));
  REQUIRE_OK(writer->AddBytes("empty", {}));
  REQUIRE_OK(writer->Finish());
}

BOOST_AUTO_TEST_CASE(WhatWasWrittenIsRead) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.thimble");
  WriteExample(path);
  for (MappedFile::Load load : {MappedFile::Load::kMap, MappedFile::Load::kCopy}) {
    const absl::StatusOr<StoreReader> store = StoreReader::Open(path, {.load = load, .strict = true});
    REQUIRE_OK(store);
    BOOST_TEST(store->size() == 5u);
    BOOST_TEST((store->state() == FileState::kSealed));
    BOOST_TEST(store->epoch() == 1u);
    REQUIRE_OK(store->Verify());
    REQUIRE_OK(store->Verify(4));
    const auto small = store->View<TestImageView>("small");
    REQUIRE_OK(small);
    BOOST_TEST(std::ranges::equal(small->image(), TestImage(10, 1).image()));
    const auto large = store->View<TestImageView>("large", StoreReader::Check::kFirst);
    REQUIRE_OK(large);
    BOOST_TEST(std::ranges::equal(large->image(), TestImage(20000, 2).image()));
    BOOST_TEST(store->Find("small")->offset % 64 == 0u);
    BOOST_TEST(store->Find("large")->offset % 4096 == 0u);
    BOOST_TEST((store->Find("large")->kind == TestImageView::kKind));
    CHECK_CODE(store->View<TestImageView>("cold"), absl::StatusCode::kFailedPrecondition);
    const absl::StatusOr<Buffer> cold = store->Load("cold");
    REQUIRE_OK(cold);
    BOOST_TEST(std::ranges::equal(cold->bytes(), TestImage(20000, 0).image()));
    BOOST_TEST(store->Find("cold")->stored_bytes < cold->size() / 10);
    BOOST_TEST(store->Load("large")->size() == large->image().size());
    BOOST_TEST(store->Bytes("notes")->size() == 5u);
    BOOST_TEST(store->Bytes("empty", StoreReader::Check::kFirst)->size() == 0u);
    CHECK_CODE(store->Bytes("absent"), absl::StatusCode::kNotFound);
    CHECK_CODE(store->View<TestImageView>("notes"), absl::StatusCode::kDataLoss);
  }
}

// Maps files as address space that nobody may read.
class UnreadableMappings final : public testing::ForwardingFileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    absl::StatusOr<std::unique_ptr<File>> file = ForwardingFileSystem::Open(path, mode);
    if (!file.ok()) return file;
    return std::make_unique<Unreadable>(*std::move(file));
  }

 private:
  class Unreadable final : public testing::ForwardingFile {
   public:
    using ForwardingFile::ForwardingFile;
    absl::StatusOr<std::span<std::byte>> Map(MapAccess, std::uint64_t, std::uint64_t bytes) override {
      return std::span(static_cast<std::byte*>(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), bytes);
    }
    void Unmap(std::span<std::byte> run) noexcept override { munmap(run.data(), run.size()); }
  };
};

BOOST_AUTO_TEST_CASE(OpeningTouchesNoPageOfTheMapping) {
  const TemporaryFolder folder;
  WriteExample(folder.File("a"));
  UnreadableMappings system;
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("a"), {.system = &system});
  REQUIRE_OK(store);
  BOOST_TEST(store->size() == 5u);
  BOOST_TEST(store->Section(0).name == "cold");
  BOOST_TEST(store->Find("notes")->bytes == 5u);
  BOOST_TEST(store->Bytes("large")->size() == TestImage(20000, 2).image().size());
}

BOOST_AUTO_TEST_CASE(AFileWithoutSectionsIsAFile) {
  const TemporaryFolder folder;
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(folder.File("a"));
  REQUIRE_OK(writer);
  REQUIRE_OK(writer->Finish());
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("a"));
  REQUIRE_OK(store);
  BOOST_TEST(store->size() == 0u);
  REQUIRE_OK(store->Verify());
}

BOOST_AUTO_TEST_CASE(WhatIsNoStoreIsRefused) {
  const TemporaryFolder folder;
  CHECK_CODE(StoreReader::Open(folder.File("absent")), absl::StatusCode::kNotFound);
  CHECK_CODE(StoreReader::Open(folder.path()), absl::StatusCode::kFailedPrecondition);
  CHECK_CODE(StoreWriter::Create(folder.File("absent/a")), absl::StatusCode::kNotFound);
  for (std::size_t size : {0u, 1u, 8191u, 8192u, 100000u}) {
    testing::WriteBytes(folder.File("a"), Noise(size, size));
    CHECK_CODE(StoreReader::Open(folder.File("a")), absl::StatusCode::kDataLoss);
  }
}

// Rewrites both superblocks by `change`, with valid checksums: what a newer version, or an enemy, would write.
template <class Change>
absl::Status OpenChanged(const TemporaryFolder& folder, Change change) {
  WriteExample(folder.File("a"), 100);
  std::vector<std::byte> bytes = testing::ReadBytes(folder.File("a"));
  format::Superblock superblock = Load<format::Superblock>(bytes.data());
  change(superblock, bytes);
  superblock.Seal();
  Store(bytes.data(), superblock);
  Store(bytes.data() + 4096, superblock);
  testing::WriteBytes(folder.File("a"), bytes);
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("a"));
  return store.ok() ? store->Verify() : store.status();
}

BOOST_AUTO_TEST_CASE(NewerVersionsAndFeaturesAreRefused) {
  const TemporaryFolder folder;
  using format::Superblock;
  const auto code = [&](auto change) { return OpenChanged(folder, change).code(); };
  using absl::StatusCode;
  BOOST_CHECK_EQUAL(code([](Superblock&, auto&) {}), StatusCode::kOk);
  BOOST_CHECK_EQUAL(code([](Superblock& s, auto&) { s.version = 2; }), StatusCode::kUnimplemented);
  BOOST_CHECK_EQUAL(code([](Superblock& s, auto&) { s.features = 1; }), StatusCode::kUnimplemented);
  BOOST_CHECK_EQUAL(code([](Superblock& s, auto&) { s.optional_features = 1; }), StatusCode::kOk);
}

BOOST_AUTO_TEST_CASE(HostileGeometryIsRefused) {
  const TemporaryFolder folder;
  using format::Entry;
  using format::Superblock;
  const auto expect_loss = [&](auto change) { BOOST_CHECK_EQUAL(OpenChanged(folder, change).code(), absl::StatusCode::kDataLoss); };
  for (std::uint64_t nasty : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 20, ~std::uint64_t{0}, ~std::uint64_t{7}}) {
    expect_loss([&](Superblock& s, auto&) { s.file_bytes = nasty; });
    expect_loss([&](Superblock& s, auto&) { s.directory_offset = nasty; });
    expect_loss([&](Superblock& s, auto&) { s.directory_bytes = nasty; });
    if (nasty != 0) expect_loss([&](Superblock& s, auto&) { s.sections = static_cast<std::uint32_t>(nasty); });
  }
  // Right but for its length, which nothing else bounds in a sparse file.
  expect_loss([](Superblock& s, std::vector<std::byte>& bytes) {
    bytes.resize(bytes.size() + 4096);
    s.file_bytes += 4096;
    s.directory_bytes += 4096;
    s.directory_checksum = Hash64(std::span<const std::byte>(bytes).subspan(s.directory_offset, s.directory_bytes));
  });
  const auto change_entry = [&](auto change) {
    expect_loss([&](Superblock& s, std::vector<std::byte>& bytes) {
      Entry entry = Load<Entry>(bytes.data() + s.directory_offset + 128);
      change(entry);
      Store(bytes.data() + s.directory_offset + 128, entry);
      s.directory_checksum = Hash64(std::span<const std::byte>(bytes).subspan(s.directory_offset, s.directory_bytes));
    });
  };
  for (std::uint64_t nasty : {std::uint64_t{1}, std::uint64_t{8192 + 64}, ~std::uint64_t{0}, ~std::uint64_t{63}}) {
    change_entry([&](Entry& e) { e.offset = nasty; });
    change_entry([&](Entry& e) { e.stored_bytes = e.bytes = nasty; });
    change_entry([&](Entry& e) { e.table_offset = nasty; });
    change_entry([&](Entry& e) { e.bytes = nasty; });
    change_entry([&](Entry& e) { e.name_offset = static_cast<std::uint32_t>(nasty); });
  }
  change_entry([](Entry& e) { e.name_bytes = 0; });
  change_entry([](Entry& e) { e.name_bytes = 65535; });
  change_entry([](Entry& e) { e.reserved[3] = std::byte{1}; });
  change_entry([](Entry& e) { e.checksum ^= 1; });
  change_entry([](Entry& e) { e.flags = 0; });
}

BOOST_AUTO_TEST_CASE(DecompressionKeepsToItsLimits) {
  const TemporaryFolder folder;
  WriteExample(folder.File("a"));
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("a"), {.max_load_bytes = 1000});
  REQUIRE_OK(store);
  CHECK_CODE(store->Load("cold"), absl::StatusCode::kResourceExhausted);
  REQUIRE_OK(store->Load("notes"));
  // A section that declares another length than its frame is refused before anything is allocated for it.
  std::vector<std::byte> bytes = testing::ReadBytes(folder.File("a"));
  format::Superblock superblock = Load<format::Superblock>(bytes.data());
  const std::uint64_t cold = superblock.directory_offset;  // the first name
  format::Entry entry = Load<format::Entry>(bytes.data() + cold);
  entry.bytes = std::uint64_t{1} << 50;
  Store(bytes.data() + cold, entry);
  superblock.directory_checksum = Hash64(std::span<const std::byte>(bytes).subspan(cold, superblock.directory_bytes));
  superblock.Seal();
  Store(bytes.data(), superblock);
  Store(bytes.data() + 4096, superblock);
  testing::WriteBytes(folder.File("a"), bytes);
  const absl::StatusOr<StoreReader> liar = StoreReader::Open(folder.File("a"), {.max_load_bytes = ~std::uint64_t{0}});
  REQUIRE_OK(liar);
  CHECK_CODE(liar->Load("cold"), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(DamageIsNamedByPlace) {
  const TemporaryFolder folder;
  WriteExample(folder.File("a"), 20000);
  const std::vector<std::byte> whole = testing::ReadBytes(folder.File("a"));
  const auto damage_at = [&](std::uint64_t at) {
    std::vector<std::byte> bytes = whole;
    bytes[at] ^= std::byte{4};
    testing::WriteBytes(folder.File("a"), bytes);
    const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("a"));
    REQUIRE_OK(store);
    BOOST_TEST(!store->Verify().ok());
    return store->FindDamage(2);
  };
  const SectionInfo large = *StoreReader::Open(folder.File("a"))->Find("large");
  std::vector<Damage> damage = damage_at(large.offset + 70000);
  BOOST_REQUIRE(damage.size() == 1u);
  BOOST_TEST(damage[0].where == "section large");
  BOOST_TEST(damage[0].offset == large.offset + 65536);
  BOOST_TEST(damage[0].bytes == 65536u);
  damage = damage_at(4096 + 17);
  BOOST_REQUIRE(damage.size() == 1u);
  BOOST_TEST(damage[0].where == "superblock 1");
  damage = damage_at(600);
  BOOST_REQUIRE(damage.size() == 1u);
  BOOST_TEST(damage[0].where == "padding");
  BOOST_TEST(damage[0].offset == 600u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
