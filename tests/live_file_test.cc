#include "testing.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "forwarding_file_system.h"
#include "store_format.h"
#include "test_image.h"
#include "thimble/live_file.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(live_file)

using testing::TemporaryFolder;
using testing::TestImage;
using testing::TestImageView;

std::vector<LiveSection> Sections(std::uint64_t words, bool may_grow) {
  return {{"b", TestImageView::kKind, TestImage::ImageBytes(words), may_grow},
          {"a", TestImageView::kKind, TestImage::ImageBytes(10), false},
          {"raw", Kind::kNone, 100, false}};
}

bool Holds(const StoreReader& store, std::string_view name, std::uint64_t words, std::uint64_t seed) {
  const absl::StatusOr<TestImageView> view = store.View<TestImageView>(name);
  return view.ok() && std::ranges::equal(view->image(), TestImage(words, seed).image());
}

// A journal is of one commit: over a backup that is older than the commit before, it would make a mixture.
BOOST_AUTO_TEST_CASE(AJournalIsNotAppliedToABackup) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live"), restored = folder.File("restored.live");
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(3000, false));
  REQUIRE_OK(file);
  Buffer image = *file->Take("b");
  std::vector<std::byte> backup;
  for (std::uint64_t state = 1; state <= 3; ++state) {
    TestImage(3000, state, std::move(image));
    REQUIRE_OK(file->Commit());
    if (state == 1) backup = testing::ReadBytes(path);
    image = *file->Take("b");
  }
  testing::WriteBytes(restored, backup);
  testing::WriteBytes(restored + ".journal", testing::ReadBytes(path + ".journal"));
  const absl::StatusOr<StoreReader> store = StoreReader::Open(restored);
  REQUIRE_OK(store);
  BOOST_TEST(Holds(*store, "b", 3000, 1));
}

BOOST_AUTO_TEST_CASE(OpeningBesideCommitsSeesOneState) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  constexpr std::uint64_t kWords = 60000;
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(kWords, false));
  REQUIRE_OK(file);
  TestImage(kWords, 0, *file->Take("b"));
  REQUIRE_OK(file->Commit());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t state = 1; !done; ++state) {
      TestImage(kWords, state % 2, *file->Take("b"));
      if (!file->Commit().ok()) break;
    }
  });
  int torn = 0, opened = 0;
  for (int i = 0; i < testing::Steps(100); ++i) {
    const MappedFile::Load load = i % 2 == 0 ? MappedFile::Load::kCopy : MappedFile::Load::kMap;
    const absl::StatusOr<StoreReader> store = StoreReader::Open(path, {.load = load});
    if (absl::IsUnavailable(store.status())) continue;
    BOOST_TEST(store.ok());
    ++opened;
    if (store.ok() && load == MappedFile::Load::kCopy) torn += !Holds(*store, "b", kWords, 0) && !Holds(*store, "b", kWords, 1);
  }
  done = true;
  writer.join();
  BOOST_TEST(opened > 0);
  BOOST_TEST(torn == 0);
}

BOOST_AUTO_TEST_CASE(AFailedReadLeavesAReaderThatRefuses) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(3000, false));
  REQUIRE_OK(file);
  TestImage(3000, 1, *file->Take("b"));
  REQUIRE_OK(file->Commit());
  absl::StatusOr<StoreReader> store = StoreReader::Open(path);
  REQUIRE_OK(store);
  for (const std::uint64_t bytes : {20000, 100}) {
    std::filesystem::resize_file(path, bytes);
    for (int i = 0; i < 2; ++i) CHECK_CODE(store->Read([] { return absl::OkStatus(); }), absl::StatusCode::kDataLoss);
    CHECK_CODE(store->Bytes("b"), absl::StatusCode::kDataLoss);
    CHECK_CODE(store->VerifySection("b"), absl::StatusCode::kDataLoss);
    CHECK_CODE(store->Load("b"), absl::StatusCode::kDataLoss);
  }
}

BOOST_AUTO_TEST_CASE(SectionsWithoutBytesAreSections) {
  const TemporaryFolder folder;
  for (const bool may_grow : {false, true}) {
    const std::string path = folder.File(may_grow ? "grows" : "stays");
    const std::vector<LiveSection> sections = {{"z", Kind::kNone, 0, false}, {"a", Kind::kNone, 100, false}, {"y", Kind::kNone, 0, false}, {"b", Kind::kNone, 0, may_grow}};
    REQUIRE_OK(JournaledFile::Create(path, sections)->Close());
    absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
    REQUIRE_OK(file);
    BOOST_TEST(file->Take("a")->size() == 100u);
    REQUIRE_OK(file->Close());
    REQUIRE_OK(StoreReader::Open(path)->Verify());
  }
}

// Its sections are used where the directory says, for writing.
BOOST_AUTO_TEST_CASE(SectionsWhereNoneMayLieAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  const auto open_changed = [&](auto change) {
    std::filesystem::remove(path);
    REQUIRE_OK(MonotoneFile::Create(path, Sections(100, false))->Close());
    std::vector<std::byte> bytes = testing::ReadBytes(path);
    format::Superblock ruling = std::max(Load<format::Superblock>(bytes.data()), Load<format::Superblock>(bytes.data() + 4096),
                                         [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
    auto entry = Load<format::Entry>(bytes.data() + ruling.directory_offset);
    change(entry);
    Store(bytes.data() + ruling.directory_offset, entry);
    ruling.directory_checksum = Hash64(std::span<const std::byte>(bytes).subspan(ruling.directory_offset, ruling.directory_bytes));
    ruling.Seal();
    Store(bytes.data(), ruling);
    Store(bytes.data() + 4096, ruling);
    testing::WriteBytes(path, bytes);
    return MonotoneFile::Open(path).status().code();
  };
  BOOST_CHECK_EQUAL(open_changed([](format::Entry&) {}), absl::StatusCode::kOk);
  BOOST_CHECK_EQUAL(open_changed([](format::Entry& e) { e.flags |= format::Entry::kMayGrow; }), absl::StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_changed([](format::Entry& e) { e.offset = format::kSectionsFrom; }), absl::StatusCode::kDataLoss);
}

// A system whose mappings do not grow, and which does something before it renames.
class UnwillingFileSystem : public testing::ForwardingFileSystem {
 public:
  bool remaps = true;
  std::function<void()> before_rename;

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    absl::StatusOr<std::unique_ptr<File>> file = ForwardingFileSystem::Open(path, mode);
    if (!file.ok()) return file;
    return std::make_unique<UnwillingFile>(*std::move(file), *this);
  }
  absl::Status Rename(const std::string& from, const std::string& to, bool replace) override {
    if (before_rename && replace) before_rename();
    return ForwardingFileSystem::Rename(from, to, replace);
  }

 private:
  class UnwillingFile : public testing::ForwardingFile {
   public:
    UnwillingFile(std::unique_ptr<File> file, UnwillingFileSystem& system) : ForwardingFile(std::move(file)), system_(system) {}
    absl::StatusOr<std::span<std::byte>> Remap(std::span<std::byte> run, std::uint64_t bytes) override {
      if (!system_.remaps) return absl::ResourceExhaustedError("no room for a mapping");
      return ForwardingFile::Remap(run, bytes);
    }

   private:
    UnwillingFileSystem& system_;
  };
};

BOOST_AUTO_TEST_CASE(AGrowthThatFailedLeavesAFileThatOpens) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  UnwillingFileSystem system;
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, {{"g", Kind::kNone, 5000, true}}, system);
    REQUIRE_OK(file);
    Buffer bytes = *file->Take("g");
    bytes.data()[0] = std::byte{7};
    system.remaps = false;
    CHECK_CODE(bytes.Grow(1 << 20), absl::StatusCode::kResourceExhausted);
    REQUIRE_OK(file->Commit());
    bytes = Buffer();
    REQUIRE_OK(file->Close());
  }
  const absl::StatusOr<StoreReader> store = StoreReader::Open(path);
  REQUIRE_OK(store);
  REQUIRE_OK(store->Verify());
  BOOST_TEST(store->Bytes("g")->size() == 5000u);
  BOOST_TEST(std::filesystem::file_size(path) < 50'000u);
}

BOOST_AUTO_TEST_CASE(TwoBuffersOfOneSectionGrowIt) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, {{"g", Kind::kNone, 100, true}});
    REQUIRE_OK(file);
    Buffer one = *file->Take("g"), other = *file->Take("g");
    REQUIRE_OK(one.Grow(4000));
    REQUIRE_OK(file->Commit());
    REQUIRE_OK(other.Grow(200));
    one = Buffer(), other = Buffer();
    REQUIRE_OK(file->Close());
  }
  REQUIRE_OK(StoreReader::Open(path)->Verify());
  BOOST_TEST(StoreReader::Open(path)->Bytes("g")->size() == 4000u);
}

// What is left of a commit is found by whatever name the file is opened.
BOOST_AUTO_TEST_CASE(AllNamesOfAFileHaveOneJournal) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.File("links"));
  const std::string path = folder.File("a.live"), link = folder.File("links/b.live");
  REQUIRE_OK(JournaledFile::Create(path, Sections(100, false))->Close());
  std::filesystem::create_symlink(path, link);
  absl::StatusOr<JournaledFile> file = JournaledFile::Open(link);
  REQUIRE_OK(file);
  BOOST_TEST(std::filesystem::exists(path + ".journal"));
  REQUIRE_OK(file->Close());
  BOOST_TEST(!std::filesystem::exists(path + ".journal"));
}

BOOST_AUTO_TEST_CASE(AStoreIsNotTakenForAJournal) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live"), journal = path + ".journal";
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, {{"raw", Kind::kNone, 100, false}});
  REQUIRE_OK(file);
  CHECK_CODE(file->Seal(journal), absl::StatusCode::kInvalidArgument);
  REQUIRE_OK(file->Seal(folder.File("sealed")));
  REQUIRE_OK(file->Close());
  std::filesystem::rename(folder.File("sealed"), journal);
  CHECK_CODE(JournaledFile::Open(path), absl::StatusCode::kFailedPrecondition);
  REQUIRE_OK(StoreReader::Open(journal)->Verify());
}

BOOST_AUTO_TEST_CASE(ClosingNeedsNoJournalAnyMore) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(100, false));
  REQUIRE_OK(file);
  std::filesystem::remove(path + ".journal");
  REQUIRE_OK(file->Close());
  REQUIRE_OK(StoreReader::Open(path)->Verify());
}

// Nobody can read in a journal, or in what replaces a file, what he cannot read in the file.
BOOST_AUTO_TEST_CASE(WhatIsPrivateStaysPrivate) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live"), sealed = folder.File("sealed");
  const auto mode = [](const std::string& of) { return std::filesystem::status(of).permissions(); };
  constexpr auto kOwners = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  REQUIRE_OK(JournaledFile::Create(path, {{"raw", Kind::kNone, 100, false}})->Close());
  std::filesystem::permissions(path, kOwners);
  testing::WriteBytes(sealed, {});
  std::filesystem::permissions(sealed, kOwners);
  const absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
  REQUIRE_OK(file);
  BOOST_TEST((mode(path + ".journal") == kOwners));
  REQUIRE_OK(file->Seal(sealed));
  BOOST_TEST((mode(sealed) == kOwners));
}

// A reader of what was there before its writer closed the file is not told of damage.
BOOST_AUTO_TEST_CASE(AReaderOfAnOlderStateSeesNoDamage) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, {{"raw", Kind::kNone, 100'000, true}});
  REQUIRE_OK(file);
  absl::StatusOr<StoreReader> reader = StoreReader::Open(path);
  REQUIRE_OK(reader->Verify());
  REQUIRE_OK(file->Close());
  CHECK_CODE(reader->Verify(), absl::StatusCode::kUnavailable);
  REQUIRE_OK(StoreReader::Open(path)->Verify());
}

// Until the new file is there, nobody opens the old one for update.
BOOST_AUTO_TEST_CASE(SealingKeepsWritersOut) {
  const TemporaryFolder folder;
  const std::string target = folder.File("target");
  REQUIRE_OK(MonotoneFile::Create(target, Sections(100, false))->Close());
  UnwillingFileSystem system;
  absl::StatusOr<MonotoneFile> file = MonotoneFile::Create(folder.File("a.live"), {{"raw", Kind::kNone, 100, false}}, system);
  REQUIRE_OK(file);
  absl::Status other;
  system.before_rename = [&] { other = MonotoneFile::Open(target).status(); };
  REQUIRE_OK(file->Seal(target));
  CHECK_CODE(other, absl::StatusCode::kUnavailable);
}

BOOST_AUTO_TEST_CASE(NoStoreReplacesAFileThatSomebodyWrites) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  absl::StatusOr<MonotoneFile> file = MonotoneFile::Create(path, {{"raw", Kind::kNone, 100, false}});
  REQUIRE_OK(file);
  CHECK_CODE(StoreWriter::Create(path)->Finish(), absl::StatusCode::kInvalidArgument);
  REQUIRE_OK(file->Close());
  REQUIRE_OK(StoreWriter::Create(path)->Finish());
  BOOST_TEST(folder.Names().size() == 1u);
}

// A superblock that a newer version wrote may be the one that rules, whatever the other says.
BOOST_AUTO_TEST_CASE(WhatANewerVersionWroteIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  REQUIRE_OK(MonotoneFile::Create(path, Sections(100, false))->Close());
  const std::vector<std::byte> whole = testing::ReadBytes(path);
  const auto open_changed = [&](auto change) {
    std::vector<std::byte> bytes = whole;
    auto superblocks = {Load<format::Superblock>(bytes.data()), Load<format::Superblock>(bytes.data() + 4096)};
    format::Superblock ruling = std::max(superblocks, [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
    change(ruling);
    ruling.Seal();
    Store(bytes.data() + format::kSuperblockAt[ruling.epoch % 2], ruling);
    testing::WriteBytes(path, bytes);
    const absl::StatusCode read = StoreReader::Open(path).status().code();
    BOOST_CHECK_EQUAL(MonotoneFile::Open(path).status().code(), read);
    return read;
  };
  BOOST_CHECK_EQUAL(open_changed([](format::Superblock& s) { s.features |= 1; }), absl::StatusCode::kUnimplemented);
  BOOST_CHECK_EQUAL(open_changed([](format::Superblock& s) { s.state = FileState::kDirty, s.file_bytes = 12288; }), absl::StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(open_changed([](format::Superblock&) {}), absl::StatusCode::kOk);
}

std::uint64_t FileBytes(const std::string& path) { return std::filesystem::file_size(path); }

template <class LiveFileType>
void CheckTheWholeWay(absl::Status (LiveFileType::*acknowledge)()) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.live");
  {
    absl::StatusOr<LiveFileType> file = LiveFileType::Create(path, Sections(30000, false));
    REQUIRE_OK(file);
    BOOST_TEST(file->fresh());
    TestImage(30000, 1, *file->Take("b"));
    TestImage(10, 2, *file->Take("a"));
    REQUIRE_OK(((*file).*acknowledge)());
    BOOST_TEST(file->epoch() == 2u);
    CHECK_CODE(file->Take("absent"), absl::StatusCode::kNotFound);
    CHECK_CODE(LiveFileType::Create(path, Sections(1, false)), absl::StatusCode::kAlreadyExists);
    CHECK_CODE(LiveFileType::Open(path), absl::StatusCode::kUnavailable);
    CHECK_CODE(StoreReader::Open(path, {.strict = true}), absl::StatusCode::kFailedPrecondition);
    const absl::StatusOr<StoreReader> beside = StoreReader::Open(path);
    REQUIRE_OK(beside);
    BOOST_TEST((beside->state() == FileState::kDirty));
    BOOST_TEST(beside->epoch() == 2u);
    BOOST_TEST(Holds(*beside, "b", 30000, 1));
    REQUIRE_OK(beside->Verify());
    CHECK_CODE(beside->VerifySection("a"), absl::StatusCode::kFailedPrecondition);
  }
  {
    absl::StatusOr<LiveFileType> file = LiveFileType::Open(path);
    REQUIRE_OK(file);
    BOOST_TEST(!file->was_closed());
    BOOST_TEST(!file->fresh());
    REQUIRE_OK(file->Seal(folder.File("sealed")));
    CHECK_CODE(file->Seal(folder.File("./a.live")), absl::StatusCode::kInvalidArgument);
    REQUIRE_OK(file->Close());
  }
  for (const std::string& name : {std::string("a.live"), std::string("sealed")}) {
    const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File(name), {.strict = true});
    REQUIRE_OK(store);
    REQUIRE_OK(store->Verify());
    BOOST_TEST(Holds(*store, "a", 10, 2));
    BOOST_TEST(Holds(*store, "b", 30000, 1));
    BOOST_TEST(store->Bytes("raw")->size() == 100u);
  }
  // Damage to a closed file is found.
  std::vector<std::byte> bytes = testing::ReadBytes(path);
  bytes[StoreReader::Open(path)->Find("b")->offset + 70000] ^= std::byte{1};
  testing::WriteBytes(folder.File("damaged"), bytes);
  CHECK_CODE(StoreReader::Open(folder.File("damaged"))->Verify(), absl::StatusCode::kDataLoss);
  {
    absl::StatusOr<LiveFileType> file = LiveFileType::Open(path);
    REQUIRE_OK(file);
    BOOST_TEST(file->was_closed());
    BOOST_TEST((StoreReader::Open(path)->state() == FileState::kDirty));
    BOOST_TEST(FileBytes(path) % 4096 == 0u);
    REQUIRE_OK(file->Close());
  }
  REQUIRE_OK(StoreReader::Open(path)->Verify());
  std::vector<std::string> names = folder.Names();
  std::ranges::sort(names);
  BOOST_TEST((names == std::vector<std::string>{"a.live", "damaged", "sealed"}));
}

BOOST_AUTO_TEST_CASE(MonotoneFilesGoTheWholeWay) { CheckTheWholeWay(&MonotoneFile::Sync); }
BOOST_AUTO_TEST_CASE(JournaledFilesGoTheWholeWay) { CheckTheWholeWay(&JournaledFile::Commit); }

BOOST_AUTO_TEST_CASE(TheClassesAreKeptApart) {
  const TemporaryFolder folder;
  REQUIRE_OK(MonotoneFile::Create(folder.File("m"), Sections(10, false)));
  CHECK_CODE(JournaledFile::Open(folder.File("m")), absl::StatusCode::kFailedPrecondition);
  REQUIRE_OK(JournaledFile::Create(folder.File("j"), Sections(10, true)));
  CHECK_CODE(MonotoneFile::Open(folder.File("j")), absl::StatusCode::kFailedPrecondition);
  CHECK_CODE(MonotoneFile::Create(folder.File("g"), Sections(10, true)), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(JournaledFile::Create(folder.File("g"), {{"a"}, {"a"}}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(JournaledFile::Create(folder.File("g"), {{""}}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(MonotoneFile::Create(folder.File("g"), {{"a", Kind::kNone, ~std::uint64_t{0}}}), absl::StatusCode::kInvalidArgument);
  BOOST_TEST(folder.Names().size() == 3u);
}

BOOST_AUTO_TEST_CASE(WhatIsNotCommittedIsNotThere) {
  const TemporaryFolder folder;
  const std::string path = folder.File("j");
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(30000, true));
    REQUIRE_OK(file);
    TestImage(30000, 1, *file->Take("b"));
    REQUIRE_OK(file->Commit());
    REQUIRE_OK(file->Commit());
    BOOST_TEST(file->epoch() == 2u);
    TestImage(30000, 5, *file->Take("b"));
    BOOST_TEST(Holds(*StoreReader::Open(path), "b", 30000, 1));
  }
  absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
  REQUIRE_OK(file);
  BOOST_TEST(Holds(*StoreReader::Open(path), "b", 30000, 1));
  TestImage(30000, 5, *file->Take("b"));
  REQUIRE_OK(file->Commit());
  BOOST_TEST(Holds(*StoreReader::Open(path), "b", 30000, 5));
}

BOOST_AUTO_TEST_CASE(OneSectionGrows) {
  const TemporaryFolder folder;
  const std::string path = folder.File("j");
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(100, true));
  REQUIRE_OK(file);
  TestImage(10, 1, *file->Take("a"));
  TestImage(100, 2, *file->Take("b"));
  REQUIRE_OK(file->Commit());
  absl::StatusOr<StoreReader> reader = StoreReader::Open(path);
  REQUIRE_OK(reader);
  CHECK_CODE(Buffer(*file->Take("a")).Grow(100000), absl::StatusCode::kFailedPrecondition);
  for (const std::uint64_t words : {200u, 5000u, 100000u}) {
    Buffer buffer = *file->Take("b");
    const std::size_t before = buffer.size();
    REQUIRE_OK(buffer.Grow(TestImage::ImageBytes(words)));
    BOOST_TEST(std::ranges::all_of(buffer.bytes().subspan(before), [](std::byte b) { return b == std::byte{0}; }));
    TestImage(words, words, std::move(buffer));
    REQUIRE_OK(file->Commit());
    REQUIRE_OK(reader->Read([&] {
      BOOST_TEST(Holds(*reader, "b", words, words));
      return absl::OkStatus();
    }));
  }
  REQUIRE_OK(file->Close());
  REQUIRE_OK(StoreReader::Open(path)->Verify());
  file = JournaledFile::Open(path);
  REQUIRE_OK(file);
  BOOST_TEST(file->Take("b")->size() == TestImage::ImageBytes(100000));
  BOOST_TEST(Holds(*StoreReader::Open(path), "a", 10, 1));
}

BOOST_AUTO_TEST_CASE(BuffersOutliveTheirFile) {
  const TemporaryFolder folder;
  Buffer buffer;
  {
    absl::StatusOr<MonotoneFile> file = MonotoneFile::Create(folder.File("m"), Sections(10, false));
    REQUIRE_OK(file);
    buffer = *file->Take("a");
  }
  TestImage(10, 1, std::move(buffer));
  absl::StatusOr<MonotoneFile> file = MonotoneFile::Open(folder.File("m"));
  REQUIRE_OK(file);
  BOOST_TEST(Holds(*StoreReader::Open(folder.File("m")), "a", 10, 1));
}

BOOST_AUTO_TEST_CASE(OnePageCostsFourPagesAndTwoSyncs) {
  // Counted where they are asked for: every page of every write, and every sync.
  const TemporaryFolder folder;
  testing::CountingFileSystem system;
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(folder.File("j"), Sections(30000, true), system);
  REQUIRE_OK(file);
  TestImage(30000, 1, *file->Take("b"));
  REQUIRE_OK(file->Commit());
  file->Take("b")->data()[50000] ^= std::byte{1};
  system.counts = {};
  REQUIRE_OK(file->Commit());
  BOOST_TEST(system.counts.syncs == 2);
  BOOST_TEST(system.counts.pages == 4);
  BOOST_TEST(system.counts.writes == 3);
}

// Runs `body` in a child process, and kills it after a while, or when it has written to its pipe.
template <class Body>
void KillDuring(Body body, int microseconds) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  usleep(static_cast<useconds_t>(microseconds));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(KilledWritersLeaveACommitAndNoLock) {
  const TemporaryFolder folder;
  const std::string path = folder.File("j");
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(path, Sections(3000, true));
    REQUIRE_OK(file);
    TestImage(3000, 1, *file->Take("b"));
    REQUIRE_OK(file->Commit());
  }
  for (int i = 0; i < testing::Trials(20, 300); ++i) {
    KillDuring(
        [&] {
          absl::StatusOr<JournaledFile> file = JournaledFile::Open(path);
          if (!file.ok()) _exit(1);
          for (std::uint64_t seed = file->epoch() + 1;; ++seed) {
            TestImage(3000, seed, *file->Take("b"));
            if (!file->Commit().ok()) _exit(1);
          }
        },
        20000 + i * 500);
    absl::StatusOr<StoreReader> store = StoreReader::Open(path);
    REQUIRE_OK(store);
    REQUIRE_OK(store->Read([&] {
      const std::uint64_t epoch = store->epoch() == 2 ? 1 : store->epoch();
      BOOST_TEST(Holds(*store, "b", 3000, epoch));
      return absl::OkStatus();
    }));
    REQUIRE_OK(JournaledFile::Open(path));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
