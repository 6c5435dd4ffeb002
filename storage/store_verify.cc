// Verification of store files: every byte is covered, by a checksum or by having to be zero.

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "status_macros.h"
#include "store_format.h"
#include "thimble/store.h"

namespace thimble {
namespace {

using format::Entry;
using format::SectionEntry;

struct Run {
  std::uint64_t offset;
  std::uint64_t bytes;
};

// Nothing if the file lost those bytes.
std::optional<std::uint64_t> GuardedHash(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0;
  if (!Guarded(bytes, [&] { hash = Hash64(bytes); }).ok()) return std::nullopt;
  return hash;
}

std::optional<std::uint64_t> FirstNonZero(std::span<const std::byte> bytes) {
  std::uint64_t i = 0;
  const absl::Status status = Guarded(bytes, [&] {
    while (i + 8 <= bytes.size() && thimble::Load<std::uint64_t>(bytes.data() + i) == 0) i += 8;
    while (i < bytes.size() && bytes[i] == std::byte{0}) ++i;
  });
  if (status.ok() && i == bytes.size()) return std::nullopt;
  return i;
}

// The checksums of one section's blocks, and the blocks.
class SectionChecker {
 public:
  SectionChecker(std::span<const std::byte> file, const SectionEntry& section)
      : file_(file), name_(section.name), entry_(section.entry) {}  // the name is not copied

  std::uint64_t blocks() const { return (entry_.flags & Entry::kHasChecksum) != 0 ? entry_.blocks() : 0; }

  std::optional<Damage> CheckTable() const {
    if (blocks() == 0 || GuardedHash(Table()) == entry_.checksum) return std::nullopt;
    return At(entry_.table_offset, entry_.table_bytes(), "its checksums are not those that were written");
  }

  std::optional<Damage> CheckBlock(std::uint64_t block) const {
    const std::uint64_t from = block * format::kBlockBytes;
    const std::uint64_t bytes = std::min(format::kBlockBytes, entry_.stored_bytes - from);
    std::uint64_t expected = 0;
    const bool there = Guarded(file_, [&] { expected = thimble::Load<std::uint64_t>(Table().data() + block * 8); }).ok();
    if (there && GuardedHash(file_.subspan(entry_.offset + from, bytes)) == expected) return std::nullopt;
    return At(entry_.offset + from, bytes, "is not what was written");
  }

 private:
  std::span<const std::byte> Table() const { return file_.subspan(entry_.table_offset, entry_.table_bytes()); }
  Damage At(std::uint64_t offset, std::uint64_t bytes, const char* what) const {
    return {.where = "section " + std::string(name_), .offset = offset, .bytes = bytes, .what = what};
  }

  std::span<const std::byte> file_;
  std::string_view name_;
  Entry entry_;
};

// Checks all blocks of all sections, a MiB at a time, on several threads.
void CheckBlocks(const std::vector<SectionChecker>& sections, unsigned threads, std::vector<Damage>& damage) {
  constexpr std::uint64_t kRunOfBlocks = 16;
  std::vector<std::uint64_t> first_run;
  std::uint64_t runs = 0;
  for (const SectionChecker& section : sections) {
    first_run.push_back(runs);
    runs += (section.blocks() + kRunOfBlocks - 1) / kRunOfBlocks;
  }
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  const auto work = [&] {
    for (std::uint64_t run; (run = next.fetch_add(1, std::memory_order_relaxed)) < runs;) {
      const auto section = std::upper_bound(first_run.begin(), first_run.end(), run) - first_run.begin() - 1;
      const SectionChecker& checker = sections[static_cast<std::size_t>(section)];
      const std::uint64_t begin = (run - first_run[static_cast<std::size_t>(section)]) * kRunOfBlocks;
      for (std::uint64_t block = begin; block < std::min(begin + kRunOfBlocks, checker.blocks()); ++block) {
        if (std::optional<Damage> found = checker.CheckBlock(block)) {
          const std::lock_guard lock(mutex);
          damage.push_back(*std::move(found));
        }
      }
    }
  };
  std::vector<std::thread> helpers;
  const std::uint64_t useful = std::min<std::uint64_t>(threads, runs);
  for (std::uint64_t i = 1; i < useful; ++i) {
    try {
      helpers.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // those that there are do it
    }
  }
  work();
  for (std::thread& helper : helpers) helper.join();
}

// No two runs may share a byte: else a small file could have its bytes checked many times over. Sorts them.
std::optional<Damage> CheckApart(std::vector<Run>& runs) {
  std::erase_if(runs, [](const Run& run) { return run.bytes == 0; });
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.offset < b.offset; });
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const std::uint64_t end = runs[i - 1].offset + runs[i - 1].bytes;
    if (runs[i].offset < end) return Damage{.where = "directory", .offset = runs[i].offset, .bytes = end - runs[i].offset, .what = "two runs overlap here"};
  }
  return std::nullopt;
}

// What lies between the sorted runs must be zero.
void CheckPadding(std::span<const std::byte> file, std::vector<Run> runs, std::vector<Damage>& damage) {
  runs.push_back({file.size(), 0});
  std::uint64_t done = 0;
  for (const Run& run : runs) {
    if (const auto at = FirstNonZero(file.subspan(done, run.offset - done))) {
      damage.push_back({.where = "padding", .offset = done + *at, .bytes = 1, .what = "is not zero"});
    }
    done = run.offset + run.bytes;
  }
}

}  // namespace

std::vector<Damage> StoreReader::FindDamage(unsigned threads) const {
  std::vector<Damage> damage;
  std::vector<Run> runs;
  const auto add = [&](std::string where, std::uint64_t offset, std::uint64_t bytes, std::string what) {
    damage.push_back({.where = std::move(where), .offset = offset, .bytes = bytes, .what = std::move(what)});
  };

  const absl::StatusOr<format::Contents> contents = format::Contents::Read(format::From(file_), file().size());
  if (!contents.ok()) {
    add("file", 0, file().size(), std::string(contents.status().message()));
    return damage;
  }
  const format::Superblock& ruling = contents->superblock();
  for (int which : {0, 1}) {
    const std::uint64_t at = format::kSuperblockAt[which];
    format::Superblock superblock;
    auto state = format::SuperblockState::kDamaged;
    (void)file_.Guard([&] { state = format::ReadSuperblock(file(), which, superblock); });
    // Both of a sealed file are the same. Of a live file the other one is older, and a crash may have torn it.
    const bool good = state == format::SuperblockState::kValid && superblock.checksum == ruling.checksum;
    if (!good && ruling.state == FileState::kSealed) {
      add("superblock " + std::to_string(which), at, sizeof(format::Superblock), "is not what was written");
    }
    runs.push_back({at, sizeof(format::Superblock) + (ruling.state == FileState::kSealed ? 0 : sizeof(std::uint64_t))});
  }

  runs.push_back({ruling.directory_offset, ruling.directory_bytes});
  if (ruling.state == FileState::kClean) {
    // The directory that does not rule is an older one, was never written, or was torn.
    const std::uint64_t first = format::LiveDirectoryAt(0, ruling.directory_bytes);
    const std::uint64_t second = format::LiveDirectoryAt(1, ruling.directory_bytes);
    const std::uint64_t other = std::min<std::uint64_t>(ruling.directory_offset == first ? second : first, file().size());
    runs.push_back({other, std::min(second - first, file().size() - other)});
  }
  std::vector<SectionChecker> sections;
  // Of many small sections these are as much as the file, and would be twice that if they grew.
  runs.reserve(runs.size() + 2 * std::size_t{ruling.sections} + 1);
  sections.reserve(ruling.sections);
  for (std::size_t i = 0; i < ruling.sections; ++i) {
    const SectionEntry section = contents->Section(i);
    const Entry& entry = section.entry;
    runs.push_back({entry.offset, entry.stored_bytes});
    if ((entry.flags & Entry::kHasChecksum) != 0) {
      runs.push_back({entry.table_offset, entry.table_bytes()});
    } else if (ruling.state != FileState::kDirty) {
      add("section " + std::string(section.name), entry.offset, entry.stored_bytes, "has no checksum");
    }
    if (entry.stored_bytes > 0) sections.emplace_back(file(), section);
  }
  if (std::optional<Damage> overlap = CheckApart(runs)) {
    damage.push_back(*std::move(overlap));
    return damage;
  }
  for (const SectionChecker& section : sections) {
    if (std::optional<Damage> table = section.CheckTable()) damage.push_back(*std::move(table));
  }
  // A dirty file may have room behind its last section, and an older directory beside the one that rules.
  if (ruling.state != FileState::kDirty) CheckPadding(file(), std::move(runs), damage);
  CheckBlocks(sections, threads, damage);
  std::sort(damage.begin(), damage.end(), [](const Damage& a, const Damage& b) { return a.offset < b.offset; });
  return damage;
}

absl::Status StoreReader::Verify(unsigned threads) const {
  const std::vector<Damage> damage = FindDamage(threads);
  if (damage.empty()) return absl::OkStatus();
  // What a writer has closed or grown meanwhile is not what was opened.
  const absl::StatusOr<format::Superblock> ruling = format::RulingSuperblock(format::From(file_));
  const format::Superblock& opened = contents_->superblock();
  if (ruling.ok() && ruling->file_id == opened.file_id && (ruling->epoch != opened.epoch || ruling->state != opened.state)) {
    return absl::UnavailableError(path() + ": was changed since it was opened: open it again");
  }
  const Damage& first = damage.front();
  return absl::DataLossError(path() + ": " + first.where + ", bytes " + std::to_string(first.offset) + " to " +
                             std::to_string(first.offset + first.bytes) + ": " + first.what);
}

absl::Status StoreReader::VerifySection(std::string_view name) const {
  THIMBLE_RETURN_IF_ERROR(Find(name).status());
  const SectionEntry section = contents_->Section(contents_->Find(name));
  if ((section.entry.flags & Entry::kHasChecksum) == 0) {
    return About(name, absl::FailedPreconditionError("has no checksum while it is updated"));
  }
  if (section.entry.table_offset + section.entry.table_bytes() > file().size()) return About(name, absl::DataLossError("the file was truncated"));
  const SectionChecker checker(file(), section);
  std::optional<Damage> damage = checker.CheckTable();
  for (std::uint64_t block = 0; block < checker.blocks() && !damage; ++block) damage = checker.CheckBlock(block);
  if (!damage) return absl::OkStatus();
  return About(name, absl::DataLossError("bytes " + std::to_string(damage->offset) + " to " +
                                         std::to_string(damage->offset + damage->bytes) + ": " + damage->what));
}

}  // namespace thimble
