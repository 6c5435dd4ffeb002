#include "thimble/repair.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "status_macros.h"
#include "store_format.h"
#include "thimble/live_file.h"

namespace thimble {
namespace {

using Page = std::array<std::byte, format::kPageBytes>;

// Writes the page of the ruling superblock over whichever page differs. The ruling one is never written to unless what
// follows its superblock is damaged, and then the other one is whole before it is.
absl::Status RepairSealed(File& file, const format::Superblock& ruling) {
  Page right{};
  std::memcpy(right.data(), &ruling, sizeof ruling);
  std::array<Page, 2> pages;
  for (int which : {0, 1}) THIMBLE_RETURN_IF_ERROR(file.Read(format::kSuperblockAt[which], pages[which]).status());
  const bool first_rules = std::memcmp(pages[0].data(), &ruling, sizeof ruling) == 0;
  for (int which : {first_rules ? 1 : 0, first_rules ? 0 : 1}) {
    if (pages[which] == right) continue;
    const std::uint64_t at = format::kSuperblockAt[which];
    THIMBLE_RETURN_IF_ERROR(file.Write(at, right));
    THIMBLE_RETURN_IF_ERROR(file.Sync());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Repair(const std::string& path, FileSystem& system) {
  format::Superblock ruling;
  {
    THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, system.Open(path, FileSystem::Mode::kUpdate));
    THIMBLE_ASSIGN_OR_RETURN(const bool locked, file->TryLock());
    if (!locked) return absl::UnavailableError(path + ": another process is updating it");
    const absl::StatusOr<format::Superblock> found = format::RulingSuperblock(format::From(*file));
    if (!found.ok()) return absl::Status(found.status().code(), path + ": " + std::string(found.status().message()));
    ruling = *found;
    if (ruling.state == FileState::kSealed) return RepairSealed(*file, ruling);
  }
  if (ruling.state == FileState::kClean) return absl::OkStatus();
  if (ruling.discipline == Discipline::kMonotone) {
    THIMBLE_ASSIGN_OR_RETURN(MonotoneFile live, MonotoneFile::Open(path, system));
    return live.Close();
  }
  THIMBLE_ASSIGN_OR_RETURN(JournaledFile live, JournaledFile::Open(path, system));
  return live.Close();
}

}  // namespace thimble
