#pragma once

// The redo journal of a journaled file. It holds the pages of one commit and the superblock that makes them rule:
//
//   u64 magic, u64 pages, u64 checksum, u64 zero; superblock[512]; u64 page number[pages]; byte page[pages][4096]
//
// The checksum is chained over superblock, numbers and pages, and begins with the superblock's epoch, so that pages left
// behind by an older and longer journal do not pass for this one's. A journal counts if it is whole, is the file's (by file
// id) and is not older than the file's superblock; to apply it again changes nothing.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "store_format.h"
#include "thimble/file_system.h"

namespace thimble::format {

std::string JournalPath(FileSystem& system, const std::string& path);

// A page of the file, and where its new contents stand now.
struct JournalPage {
  std::uint64_t number = 0;
  const std::byte* contents = nullptr;
};

// Makes the commit durable in the journal.
absl::Status WriteJournal(File& journal, const Superblock& superblock, std::span<const JournalPage> pages);

// Applies the journal of the file at `path` if it has one that counts, and leaves the readers' sequence even. Requires: the
// caller holds the file's lock.
absl::Status Recover(FileSystem& system, const std::string& path, File& file);

// The same for a reader, which has no lock: nothing is done if a writer has it, or if there is no journal. Returns whether a writer
// has it.
absl::StatusOr<bool> RecoverAbandoned(FileSystem& system, const std::string& path);

}  // namespace thimble::format
