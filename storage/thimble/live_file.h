#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/file_system.h"
#include "thimble/kind.h"
#include "thimble/store.h"

namespace thimble {

// What a live file is created with: the sections never change, but for the length of one that may grow.
struct LiveSection {
  std::string name;
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;
  bool may_grow = false;  // journaled files only, and one section only

  template <class X>
  static LiveSection For(std::string name, const typename X::Options& options, bool may_grow = false) {
    return {std::move(name), X::kKind, X::ImageBytes(options), may_grow};
  }
};

// A store file that structures are updated in, through a mapping: what MonotoneFile and JournaledFile share. Any number of
// processes may read it meanwhile (StoreReader); one has it open for update, until this object and all buffers taken from it
// are gone, or the process is.
//
// A file that is not closed is kDirty, and stays so until somebody opens it for update and closes it.
class LiveFile {
 public:
  LiveFile(LiveFile&&) noexcept;
  LiveFile& operator=(LiveFile&&) noexcept;
  ~LiveFile();

  // The bytes of a section, to make or open an owner in: zero until something was made there.
  absl::StatusOr<Buffer> Take(std::string_view name);

  // Counts the changes acknowledged.
  std::uint64_t epoch() const;
  // Nothing was ever acknowledged: the sections are to be made, not opened.
  bool fresh() const { return epoch() == 1; }
  // Whether the writer before us closed the file.
  bool was_closed() const;

  // Writes what the sections hold now to a sealed file, atomically. An image is copied without what lies behind it.
  // kInvalidArgument if a live file is there that somebody writes, this one or another.
  absl::Status Seal(const std::string& path) const;

  // Makes everything durable, with checksums, and the file kClean. O(bytes). Requires: nobody stores to a buffer meanwhile,
  // or after; nothing else is called after it returned OK.
  absl::Status Close();

 protected:
  class Impl;
  explicit LiveFile(std::shared_ptr<Impl> impl);
  Impl& impl() { return *impl_; }

  static absl::StatusOr<std::shared_ptr<Impl>> CreateImpl(const std::string& path, Discipline discipline,
                                                          std::vector<LiveSection> sections, FileSystem& system);
  static absl::StatusOr<std::shared_ptr<Impl>> OpenImpl(const std::string& path, Discipline discipline, FileSystem& system);

 private:
  std::shared_ptr<Impl> impl_;
};

// A live file of structures whose bits only ever rise: Bloom filters, HyperLogLog and Morris registers. Stores go straight to
// the page cache, so that killing the process loses none, and a power cut none that was synced: the contents lie between the
// last Sync and the last store.
//
//   auto file = MonotoneFile::Create("seen.live", {LiveSection::For<BloomFilter>("urls", options)});
//   auto urls = BloomFilter::Make(options, *file->Take("urls"));
//   urls->Add("https://example.org");
//   status = file->Sync();
//   status = file->Close();
//
// The order in which bits reach the disk is the kernel's. Structures that move data or keep a count beside it would be torn
// by that: they belong into a JournaledFile.
//
// Space    the sections, two superblocks and two directories; nothing on the heap that grows with them
// Time     Create and Open O(sections); Sync: two fsyncs
// Threads  as the owners over it; Sync beside writers is fine
// Errors   kUnavailable: another process is updating it; kAlreadyExists; kFailedPrecondition: the file is of another class;
//          kResourceExhausted: the disk is full (at Create, not later). After a failed Sync only destruction is left
class MonotoneFile : public LiveFile {
 public:
  static absl::StatusOr<MonotoneFile> Create(const std::string& path, std::vector<LiveSection> sections,
                                             FileSystem& system = FileSystem::Real());
  static absl::StatusOr<MonotoneFile> Open(const std::string& path, FileSystem& system = FileSystem::Real());

  // When it returns OK, no power cut loses what was stored before it was called.
  absl::Status Sync();

 private:
  using LiveFile::LiveFile;
};

// A live file of any structures, one of which may grow: those that move data or keep counts too. Stores stay in this process
// until Commit, which makes all of them durable or none, through a redo journal beside the file (path + ".journal"). After a
// crash the file holds the last commit that was acknowledged, or the one that was under way.
//
//   auto file = JournaledFile::Create("index.live", {LiveSection::For<RecordHeap>("rows", options, /*may_grow=*/true)});
//   auto rows = RecordHeap::Make(options, *file->Take("rows"));
//   ...
//   status = file->Commit();
//
// Space    the pages stored to since the last Commit, in memory; the journal holds those of the largest commit
// Time     Commit: two fsyncs, and each page stored to is written twice; finding them reads 8 bytes a mapped page
// Threads  one at a time; readers in other processes use StoreReader::Read
// Errors   as MonotoneFile. A commit that failed may be found done or not when the file is opened again; until then only
//          destruction is left
class JournaledFile : public LiveFile {
 public:
  static absl::StatusOr<JournaledFile> Create(const std::string& path, std::vector<LiveSection> sections,
                                              FileSystem& system = FileSystem::Real());
  static absl::StatusOr<JournaledFile> Open(const std::string& path, FileSystem& system = FileSystem::Real());

  absl::Status Commit();

 private:
  using LiveFile::LiveFile;
};

}  // namespace thimble
