#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/file_system.h"

namespace thimble {

// Calls read(), and returns kDataLoss if it touched a byte of `run` that the file under the mapping no longer has. Reading
// ends there and then: what read() owns at that moment is not destroyed, so it should own nothing. Costs about 10 ns. The
// first call installs a SIGBUS handler, which hands on every signal that is not ours.
template <class Read>
absl::Status Guarded(std::span<const std::byte> run, Read&& read);

// The bytes of a file, to read.
//
//   absl::StatusOr<MappedFile> file = MappedFile::Open("seen.thimble");
//   file->bytes();
//   file->Guard([&] { sum = SumOf(file->bytes()); });   // kDataLoss instead of SIGBUS, should somebody truncate it
//
// A file that others may write in place changes under a mapping, and raises SIGBUS beyond its end if they truncate it (also
// a MAP_PRIVATE one). Files that thimble seals are replaced by renaming and never changed, so mappings of them keep the old
// bytes. For files of unknown manners there is Load::kCopy.
//
// Space    kMap: address space; kCopy: the bytes
// Time     kMap: O(1); kCopy: O(n)
// Threads  const methods are safe together
// Errors   the system's; the message names the path
class MappedFile {
 public:
  enum class Load {
    kMap,   // shares the page cache
    kCopy,  // reads the file into memory of its own
  };

  static absl::StatusOr<MappedFile> Open(std::string path, Load load = Load::kMap, FileSystem& system = FileSystem::Real());

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  bool copied() const { return copy_.size() != 0; }

  // Copies what the file has from `offset` on, and returns how much that is. Touches no page of the mapping.
  absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) const;

  template <class Read>
  absl::Status Guard(Read&& read) const {
    return Named(Guarded(bytes_, std::forward<Read>(read)));
  }

  // Maps the file again if its length has changed. Outstanding spans end here.
  absl::Status Refresh();

 private:
  MappedFile(std::string path, std::unique_ptr<File> file) : path_(std::move(path)), file_(std::move(file)) {}

  absl::Status LoadBytes(Load load);
  absl::Status Named(const absl::Status& status) const;
  void Unload();

  std::string path_;
  std::unique_ptr<File> file_;
  std::span<std::byte> bytes_;  // the mapping, or the copy's bytes
  Buffer copy_;
};

namespace internal {
absl::Status RunGuarded(std::span<const std::byte> run, void (*call)(void*), void* context);
}  // namespace internal

template <class Read>
absl::Status Guarded(std::span<const std::byte> run, Read&& read) {
  using Callable = std::remove_reference_t<Read>;
  return internal::RunGuarded(
      run, [](void* context) { (*static_cast<Callable*>(context))(); },
      const_cast<void*>(static_cast<const void*>(&read)));
}

}  // namespace thimble
