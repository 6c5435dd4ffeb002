#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/kind.h"
#include "thimble/mapped_file.h"

namespace thimble {

namespace format {
class Contents;
}

// How the bytes of a section are kept.
enum class Codec : std::uint8_t { kNone = 0, kZstd = 1 };

// What may be said of a store file's contents.
enum class FileState : std::uint8_t {
  kSealed = 1,  // written once and checksummed; never changes
  kClean = 2,   // live, closed and checksummed
  kDirty = 3,   // live, open for update, or left so by a crash: holds at least the state of its epoch; not checksummed
};

// "sealed", "clean" or "dirty".
std::string_view StateName(FileState state);

// How a live file is updated (<thimble/live_file.h>); kNone for a sealed one.
enum class Discipline : std::uint8_t { kNone = 0, kMonotone = 1, kJournaled = 2 };

// A section of a store file.
struct SectionInfo {
  std::string name;
  Kind kind = Kind::kNone;  // kNone: bytes without an image header
  Codec codec = Codec::kNone;
  bool checksummed = false;
  std::uint64_t offset = 0;  // in the file; offset and stored_bytes count what lies there
  std::uint64_t stored_bytes = 0;
  std::uint64_t bytes = 0;  // when decompressed
};

// A run of a store file that is not what was written.
struct Damage {
  std::string where;  // "superblock 1", "directory", "section users", "padding"
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string what;
};

// Reads a store file: many named images in one file, mapped and used where they lie.
//
//   absl::StatusOr<StoreReader> store = StoreReader::Open("seen.thimble");
//   absl::StatusOr<BloomFilterView> urls = store->View<BloomFilterView>("urls");
//   if (urls.ok() && urls->Contains("https://example.org")) ...
//
// Views and spans live as long as the reader. Write files with <thimble/store_writer.h>, or update them in place with
// <thimble/live_file.h>.
//
// Space    64 B and its name on the heap for each section, whatever it holds
// Time     Open O(sections), reading the superblocks and the directory only; View O(log sections)
// Errors   kDataLoss: damaged or cut short; kUnimplemented: a newer version, an unknown codec; kNotFound: no such section;
//          the message names path and section
// Threads  const methods are safe together
class StoreReader {
 public:
  struct Options {
    MappedFile::Load load = MappedFile::Load::kMap;
    bool strict = false;                                           // refuse a kDirty file
    std::uint64_t max_load_bytes = std::uint64_t{1} << 32;         // the most that Load may decompress to
    FileSystem* system = nullptr;                                  // null: the operating system's
  };

  static absl::StatusOr<StoreReader> Open(const std::string& path, const Options& options);
  static absl::StatusOr<StoreReader> Open(const std::string& path) { return Open(path, Options()); }

  const std::string& path() const { return file_.path(); }
  FileState state() const;
  Discipline discipline() const;
  // Counts the acknowledged changes. A kDirty file of the monotone discipline holds at least the state of this epoch; of the
  // journaled discipline, exactly it.
  std::uint64_t epoch() const;
  std::uint64_t file_bytes() const { return file_.bytes().size(); }
  std::span<const std::byte> file() const { return file_.bytes(); }

  // The sections in order of their names. Requires: i < size().
  std::size_t size() const;
  SectionInfo Section(std::size_t i) const;
  absl::StatusOr<SectionInfo> Find(std::string_view name) const;

  // Whether a section's checksum is looked at before its bytes are handed out.
  enum class Check { kNone, kFirst };

  // The section as it lies in the file. kFailedPrecondition if it is compressed: see Load.
  absl::StatusOr<std::span<const std::byte>> Bytes(std::string_view name, Check check = Check::kNone) const;
  template <ImageView V>
  absl::StatusOr<V> View(std::string_view name, Check check = Check::kNone) const;

  // Copies a section to the heap, decompressed, its checksum verified. kResourceExhausted if that is more than
  // max_load_bytes.
  absl::StatusOr<Buffer> Load(std::string_view name) const;

  // Runs read() on one state of a file that another process updates through a journal, and runs it again if a commit came in
  // between; what it read before then may be a mixture, on which views are safe and wrong. read() returns a Status and takes
  // its views anew each time, for the file may have grown. A commit that a dead writer left half done is finished first.
  // Guarded: a truncated file is kDataLoss. kUnavailable if commits follow each other too fast.
  template <class F>
  absl::Status Read(F&& read) {
    return ReadWith([](void* context) -> absl::Status { return (*static_cast<std::remove_reference_t<F>*>(context))(); },
                    const_cast<void*>(static_cast<const void*>(&read)));
  }

  // Reads everything: both superblocks, directory, every section, every byte between them. The first damage is the message.
  // Sections of a kDirty file have no checksums and are passed over. kUnavailable where a writer has closed or changed the file
  // since it was opened, so that what was opened is not there any more. That the contents make sense to the structures, their own
  // Verify says.
  absl::Status Verify(unsigned threads = 1) const;
  absl::Status VerifySection(std::string_view name) const;
  // All damage, in order of offset; at most one a checksummed block.
  std::vector<Damage> FindDamage(unsigned threads = 1) const;

 private:
  StoreReader(MappedFile file, const Options& options);

  absl::Status ReadContents();
  absl::Status ReadWith(absl::Status (*read)(void*), void* context);
  absl::Status About(std::string_view name, const absl::Status& status) const;

  MappedFile file_;
  FileSystem* system_;
  bool strict_;
  std::uint64_t max_load_bytes_;
  std::shared_ptr<const format::Contents> contents_;  // of a type that is known where the reader is written only
};

template <ImageView V>
absl::StatusOr<V> StoreReader::View(std::string_view name, Check check) const {
  absl::StatusOr<std::span<const std::byte>> bytes = Bytes(name, check);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<V> view = V::Open(*bytes);
  if (!view.ok()) return About(name, view.status());
  return view;
}

}  // namespace thimble
