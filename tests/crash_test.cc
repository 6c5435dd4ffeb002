#include "testing.h"

// Power cuts at every operation of sealing, committing, syncing, closing and recovering, on a file system that loses, keeps or
// tears what was not synced. The ablations leave out one precaution each: a harness that does not notice proves nothing.

#include <set>

#include "crashing_file_system.h"
#include "forwarding_file_system.h"
#include "journal.h"
#include "store_format.h"
#include "test_image.h"
#include "thimble/live_file.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(crash)

using testing::CrashingFileSystem;
using testing::ForwardingFile;
using testing::ForwardingFileSystem;
using testing::TestImage;
using testing::TestImageView;

const std::string kPath = "folder/file";

enum class Ablation { kNone, kJournalSync, kFileSync, kJournalChecksum, kDirectorySync, kLock };

// Leaves out one precaution.
class AblatedFileSystem final : public ForwardingFileSystem {
 public:
  AblatedFileSystem(FileSystem& system, Ablation ablation) : ForwardingFileSystem(system), ablation_(ablation) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    absl::StatusOr<std::unique_ptr<File>> file = ForwardingFileSystem::Open(path, mode);
    if (!file.ok()) return file;
    const bool journal = path.ends_with(".journal");
    return std::make_unique<AblatedFile>(*std::move(file), ablation_, journal);
  }
  absl::Status SyncParent(const std::string& path) override {
    return ablation_ == Ablation::kDirectorySync ? absl::OkStatus() : ForwardingFileSystem::SyncParent(path);
  }

 private:
  class AblatedFile final : public ForwardingFile {
   public:
    AblatedFile(std::unique_ptr<File> file, Ablation ablation, bool journal)
        : ForwardingFile(std::move(file)), ablation_(ablation), journal_(journal) {}
    absl::Status Sync() override {
      const Ablation without = journal_ ? Ablation::kJournalSync : Ablation::kFileSync;
      return ablation_ == without ? absl::OkStatus() : ForwardingFile::Sync();
    }
    absl::StatusOr<bool> TryLock() override {
      if (ablation_ == Ablation::kLock) return true;
      return ForwardingFile::TryLock();
    }
    // A journal that always has the checksum of what it holds.
    absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) override {
      absl::StatusOr<std::size_t> got = ForwardingFile::Read(offset, to);
      if (got.ok() && ablation_ == Ablation::kJournalChecksum && journal_ && offset == 0 && *got == 544) {
        const auto pages = Load<std::uint64_t>(to.data() + 8);
        const auto epoch = Load<format::Superblock>(to.data() + 32).epoch;
        std::uint64_t chain = Hash64(std::span<const std::byte>(to).subspan(32, 512), epoch);
        std::vector<std::byte> rest(std::min<std::uint64_t>(*Size(), pages < 100 ? 544 + pages * 4104 : 544));
        (void)ForwardingFile::Read(0, rest);
        if (rest.size() == 544 + pages * 4104) {
          chain = Hash64(std::span<const std::byte>(rest).subspan(544, pages * 8), chain);
          for (std::uint64_t i = 0; i < pages; ++i) {
            chain = Hash64(std::span<const std::byte>(rest).subspan(544 + pages * 8 + i * 4096, 4096), chain);
          }
          Store(to.data() + 16, chain);
        }
      }
      return got;
    }

   private:
    Ablation ablation_;
    bool journal_;
  };

  Ablation ablation_;
};

// What a workload did before the power was cut.
struct Progress {
  int acknowledged = 0;  // states that must survive
  int attempted = 0;     // states that may
  bool closed = false;   // acknowledged, too
  std::vector<std::uint8_t> synced;  // registers that must survive
  std::vector<std::uint8_t> live;    // registers that may

  // A check opens the file and may have brought about one more state.
  Progress AfterCheck() const {
    Progress after = *this;
    ++after.attempted;
    after.closed = false;
    return after;
  }
};

struct Tally {
  std::set<std::uint64_t> states;
  int violations = 0;
};

// A workload runs on a prepared disk until it ends or the power is cut; a check says whether what a disk holds is one of the
// states allowed, after it was opened and, if need be, recovered.
struct Scenario {
  std::function<void(FileSystem&)> prepare;
  std::function<Progress(FileSystem&)> run;
  std::function<bool(FileSystem&, const Progress&)> check;
};

// Cuts the power at every operation of the workload and, in each state that may follow, at every operation of the check,
// which recovers.
Tally CrashEverywhere(const Scenario& scenario, Ablation ablation, int seeds) {
  Tally tally;
  CrashingFileSystem fresh;
  scenario.prepare(fresh);
  std::mt19937_64 first(0);
  const std::unique_ptr<CrashingFileSystem> prepared = fresh.AfterCrash(first);
  for (int seed = 1; seed <= seeds; ++seed) {
    bool ended = false;
    for (int cut = 1; !ended; ++cut) {
      std::mt19937_64 random(static_cast<std::uint64_t>(seed) << 32 | static_cast<std::uint64_t>(cut));
      const std::unique_ptr<CrashingFileSystem> disk = prepared->AfterCrash(random);
      disk->CrashAt(cut);
      AblatedFileSystem ablated(*disk, ablation);
      const Progress progress = scenario.run(ablated);
      ended = !disk->crashed();
      const std::unique_ptr<CrashingFileSystem> crashed = disk->AfterCrash(random);
      tally.states.insert(crashed->StateHash());
      bool recovered = false;
      for (int again = 1; !recovered; ++again) {
        std::unique_ptr<CrashingFileSystem> attempt = crashed->AfterCrash(random);  // the same: all of it is durable
        attempt->CrashAt(again);
        {
          AblatedFileSystem system(*attempt, ablation);
          const bool good = scenario.check(system, progress);
          recovered = !attempt->crashed();
          if (recovered && !good) ++tally.violations;
        }
        const std::unique_ptr<CrashingFileSystem> twice = attempt->AfterCrash(random);
        tally.states.insert(twice->StateHash());
        AblatedFileSystem system(*twice, ablation);
        if (!scenario.check(system, progress.AfterCheck())) ++tally.violations;
        if (ablation != Ablation::kNone && tally.violations > 0) return tally;  // caught
      }
    }
  }
  return tally;
}

// Sealing over an older file: state 1 is the old one.

absl::Status WriteSealed(FileSystem& system, std::uint64_t state) {
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(kPath, system);
  if (!writer.ok()) return writer.status();
  for (const std::string& name : {std::string("a"), std::string("b")}) {
    if (absl::Status status = writer->Add(name, TestImage(300 * state, state).image()); !status.ok()) return status;
  }
  return writer->Finish();
}

Scenario Sealing() {
  return {
      .prepare = [](FileSystem& system) { (void)WriteSealed(system, 1); },
      .run =
          [](FileSystem& system) {
            Progress progress;
            progress.acknowledged = progress.attempted = 1;
            for (int state : {2, 3}) {
              progress.attempted = state;
              if (!WriteSealed(system, static_cast<std::uint64_t>(state)).ok()) return progress;
              progress.acknowledged = state;
            }
            return progress;
          },
      .check =
          [](FileSystem& system, const Progress& progress) {
            const absl::StatusOr<StoreReader> store = StoreReader::Open(kPath, {.strict = true, .system = &system});
            if (!store.ok() || !store->Verify().ok()) return false;
            const absl::StatusOr<TestImageView> view = store->View<TestImageView>("b");
            if (!view.ok()) return false;
            const std::uint64_t state = view->size() / 300;
            return state >= static_cast<std::uint64_t>(progress.acknowledged) && state <= static_cast<std::uint64_t>(progress.attempted) &&
                   std::ranges::equal(view->image(), TestImage(300 * state, state).image());
          }};
}

// Committing: state i is what commit i made of a growing section and of one that does not grow.

constexpr std::uint64_t kWords[] = {60, 300, 300, 700, 200, 1100};

std::uint64_t WordsOf(int state) { return kWords[static_cast<std::size_t>(state) % std::size(kWords)]; }

absl::Status MakeState(JournaledFile& file, int state) {
  Buffer growing = *file.Take("b");
  const std::uint64_t words = WordsOf(state);
  if (absl::Status status = growing.Grow(TestImage::ImageBytes(words)); !status.ok()) return status;
  const std::uint64_t seed = static_cast<std::uint64_t>(state);
  TestImage(words, seed, std::move(growing));
  TestImage(20, seed, *file.Take("a"));
  return absl::OkStatus();
}

bool HoldsState(const StoreReader& store, int state) {
  const std::uint64_t seed = static_cast<std::uint64_t>(state);
  const absl::StatusOr<TestImageView> a = store.View<TestImageView>("a");
  const absl::StatusOr<TestImageView> b = store.View<TestImageView>("b");
  return a.ok() && b.ok() && std::ranges::equal(a->image(), TestImage(20, seed).image()) &&
         std::ranges::equal(b->image(), TestImage(WordsOf(state), seed).image());
}

// Which state the file holds as a reader sees it; -1 for none.
int StateOf(FileSystem& system, const Progress& progress) {
  const absl::StatusOr<StoreReader> store = StoreReader::Open(kPath, {.system = &system});
  if (!store.ok()) return -1;
  if (progress.closed && (store->state() != FileState::kClean || !store->Verify().ok())) return -1;
  for (int state = progress.acknowledged; state <= progress.attempted; ++state) {
    if (HoldsState(*store, state)) return state;
  }
  return -1;
}

Scenario Committing() {
  return {
      .prepare =
          [](FileSystem& system) {
            absl::StatusOr<JournaledFile> file = JournaledFile::Create(
                kPath,
                {{"b", TestImageView::kKind, TestImage::ImageBytes(10), true}, {"a", TestImageView::kKind, TestImage::ImageBytes(20)}},
                system);
            (void)MakeState(*file, 0);
            (void)file->Commit();
            (void)file->Close();
          },
      .run =
          [](FileSystem& system) {
            Progress progress;
            int state = 0;
            for (int session : {0, 1}) {
              progress.closed = false;
              absl::StatusOr<JournaledFile> file = JournaledFile::Open(kPath, system);
              if (!file.ok()) return progress;
              for (int i = 0; i < 2 + session; ++i) {
                ++state;
                if (!MakeState(*file, state).ok()) return progress;
                progress.attempted = state;
                if (!file->Commit().ok()) return progress;
                progress.acknowledged = state;
              }
              if (!file->Close().ok()) return progress;
              progress.closed = true;
            }
            return progress;
          },
      .check =
          [](FileSystem& system, const Progress& progress) {
            const int read = StateOf(system, progress);
            if (read < 0) return false;
            // A writer goes on from the same state, and what it commits then is there.
            absl::StatusOr<JournaledFile> file = JournaledFile::Open(kPath, system);
            if (!file.ok()) return false;
            if (!MakeState(*file, read + 1).ok() || !file->Commit().ok()) return false;
            const absl::StatusOr<StoreReader> store = StoreReader::Open(kPath, {.system = &system});
            return store.ok() && HoldsState(*store, read + 1);
          }};
}

// Raising registers in place: what is found lies between the last Sync and the last store.

constexpr std::size_t kRegisters = 3000;

void Raise(std::span<std::byte> registers, std::vector<std::uint8_t>& live, std::mt19937_64& random) {
  for (int i = 0; i < 40; ++i) {
    const std::size_t place = random() % kRegisters;
    live[place] = std::max(live[place], static_cast<std::uint8_t>(random() % 200));
    registers[place] = static_cast<std::byte>(live[place]);
  }
}

Scenario Raising() {
  return {
      .prepare =
          [](FileSystem& system) {
            absl::StatusOr<MonotoneFile> file = MonotoneFile::Create(kPath, {{"r", Kind::kNone, kRegisters}, {"s", Kind::kNone, 10}}, system);
            (void)file->Close();
          },
      .run =
          [](FileSystem& system) {
            Progress progress;
            progress.live.resize(kRegisters);
            progress.synced = progress.live;
            std::mt19937_64 random(1);
            for (int session = 0; session < 2; ++session) {
              progress.closed = false;
              absl::StatusOr<MonotoneFile> file = MonotoneFile::Open(kPath, system);
              if (!file.ok()) return progress;
              Buffer registers = *file->Take("r");
              for (int i = 0; i < 3; ++i) {
                Raise(registers.bytes(), progress.live, random);
                const std::vector<std::uint8_t> before = progress.live;
                if (!file->Sync().ok()) return progress;
                progress.synced = before;
              }
              registers = Buffer();
              if (!file->Close().ok()) return progress;
              progress.closed = true;
            }
            return progress;
          },
      .check =
          [](FileSystem& system, const Progress& progress) {
            for (const bool writer : {false, true}) {
              if (writer && !MonotoneFile::Open(kPath, system).ok()) return false;
              const absl::StatusOr<StoreReader> store = StoreReader::Open(kPath, {.system = &system});
              if (!store.ok() || !store->Verify().ok()) return false;
              if (!writer && progress.closed && store->state() != FileState::kClean) return false;
              const absl::StatusOr<std::span<const std::byte>> registers = store->Bytes("r");
              if (!registers.ok()) return false;
              for (std::size_t i = 0; i < kRegisters; ++i) {
                const auto value = static_cast<std::uint8_t>((*registers)[i]);
                if (value < progress.synced[i] || value > progress.live[i]) return false;
              }
            }
            return true;
          }};
}

// Creating a live file: there is none, or a whole one; there is one once Create has returned.
Scenario Creating() {
  return {.prepare = [](FileSystem&) {},
          .run =
              [](FileSystem& system) {
                Progress progress;
                if (!JournaledFile::Create(kPath, {{"b", Kind::kNone, 5000, true}}, system).ok()) return progress;
                progress.acknowledged = 1;
                return progress;
              },
          .check =
              [](FileSystem& system, const Progress& progress) {
                const absl::StatusOr<JournaledFile> file = JournaledFile::Open(kPath, system);
                if (absl::IsNotFound(file.status())) return progress.acknowledged == 0;
                return file.ok() && file->fresh();
              }};
}

std::size_t ExpectSurvival(const Scenario& scenario, int seeds) {
  const Tally tally = CrashEverywhere(scenario, Ablation::kNone, seeds);
  BOOST_TEST_MESSAGE(tally.states.size() << " distinct states");
  BOOST_TEST(tally.violations == 0);
  return tally.states.size();
}

void ExpectViolations(const Scenario& scenario, Ablation ablation) {
  BOOST_TEST(CrashEverywhere(scenario, ablation, 20).violations > 0);
}

BOOST_AUTO_TEST_CASE(SealedFilesAreOldOrNew) { ExpectSurvival(Sealing(), testing::Trials(16, 1000)); }
BOOST_AUTO_TEST_CASE(CreatedFilesAreThereOrNot) { ExpectSurvival(Creating(), testing::Trials(16, 1000)); }
BOOST_AUTO_TEST_CASE(MonotoneFilesKeepWhatWasSynced) { ExpectSurvival(Raising(), testing::Trials(16, 1000)); }

BOOST_AUTO_TEST_CASE(JournaledFilesHoldACommit) {
  const std::size_t states = ExpectSurvival(Committing(), testing::Trials(24, 2600));
  BOOST_TEST(states >= static_cast<std::size_t>(testing::Trials(10000, 1000000)));
}

BOOST_AUTO_TEST_CASE(EveryPrecautionIsNeeded) {
  ExpectViolations(Committing(), Ablation::kJournalSync);
  ExpectViolations(Committing(), Ablation::kJournalChecksum);
  ExpectViolations(Committing(), Ablation::kFileSync);
  ExpectViolations(Sealing(), Ablation::kFileSync);
  ExpectViolations(Raising(), Ablation::kFileSync);
  ExpectViolations(Sealing(), Ablation::kDirectorySync);
  ExpectViolations(Creating(), Ablation::kDirectorySync);
}

// Two writers at once: the lock keeps the second out, and without it an acknowledged commit is lost.
bool SurvivesTwoWriters(Ablation ablation) {
  CrashingFileSystem disk;
  Committing().prepare(disk);
  AblatedFileSystem system(disk, ablation);
  absl::StatusOr<JournaledFile> first = JournaledFile::Open(kPath, system);
  absl::StatusOr<JournaledFile> second = JournaledFile::Open(kPath, system);
  if (!first.ok()) return false;
  if (!second.ok()) return absl::IsUnavailable(second.status());
  if (!MakeState(*first, 1).ok() || !first->Commit().ok()) return false;
  if (!MakeState(*second, 3).ok() || !second->Commit().ok()) return false;
  if (!MakeState(*first, 2).ok() || !first->Commit().ok()) return false;
  std::mt19937_64 random(1);
  const std::unique_ptr<CrashingFileSystem> crashed = disk.AfterCrash(random);
  Progress progress;
  progress.acknowledged = progress.attempted = 2;
  return StateOf(*crashed, progress) == 2;
}

BOOST_AUTO_TEST_CASE(OneWriterIsLetIn) {
  BOOST_TEST(SurvivesTwoWriters(Ablation::kNone));
  BOOST_TEST(!SurvivesTwoWriters(Ablation::kLock));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
