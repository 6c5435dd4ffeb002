#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace thimble {

enum class MapAccess {
  kRead,     // what is in the file, as it changes; no stores
  kShared,   // stores go to the file whenever the kernel likes
  kPrivate,  // stores stay in this process until they are written by File::Write
};

// An open file. Errors are the system's: kResourceExhausted for a full disk or quota, and the message names the path.
// Closing it ends its lock; its mappings must have been given back before.
class File {
 public:
  virtual ~File() = default;

  virtual absl::StatusOr<std::uint64_t> Size() = 0;
  // Returns how many bytes were read: fewer than asked at the end of the file only.
  virtual absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) = 0;
  virtual absl::Status Write(std::uint64_t offset, std::span<const std::byte> from) = 0;
  // Makes the file at least this long, with room on the disk for all of it; new bytes are zero. A store into a mapping of
  // room that was allocated cannot fail.
  virtual absl::Status Allocate(std::uint64_t bytes) = 0;
  virtual absl::Status Truncate(std::uint64_t bytes) = 0;
  // Makes durable what was written, by Write or through a shared mapping. After an error nobody knows what the disk holds,
  // and a second try may succeed without having written: rewrite from the source instead.
  virtual absl::Status Sync() = 0;
  // Lets in whom the file at `path` lets in, if there is one, and nobody else.
  virtual absl::Status CopyModeOf(const std::string& /*path*/) { return absl::OkStatus(); }
  // Takes the writer's lock, or answers false if somebody has it: another process, or another File of this one. The system
  // gives it back when the process dies.
  virtual absl::StatusOr<bool> TryLock() = 0;

  // Maps [offset, offset + bytes), which the file must have; `offset` is a multiple of 4096. A file that somebody truncates
  // raises SIGBUS where it is read.
  virtual absl::StatusOr<std::span<std::byte>> Map(MapAccess access, std::uint64_t offset, std::uint64_t bytes) = 0;
  // Makes a mapping longer; it may move. On an error the old one stands.
  virtual absl::StatusOr<std::span<std::byte>> Remap(std::span<std::byte> run, std::uint64_t bytes) = 0;
  virtual void Unmap(std::span<std::byte> run) noexcept = 0;
  // The numbers of the 4096-byte pages of a private mapping that were stored to, ascending.
  virtual absl::StatusOr<std::vector<std::uint64_t>> PrivatePages(std::span<const std::byte> run) = 0;
  // Forgets the stores to a private mapping, which shows the file again.
  virtual absl::Status DropPrivatePages(std::span<std::byte> run) = 0;
};

// What storage/ asks of the system, and the seam at which tests put one that crashes.
class FileSystem {
 public:
  enum class Mode {
    kRead,
    kUpdate,  // an existing file, to read and write
    kCreate,  // a new file; kAlreadyExists if there is one
  };

  virtual ~FileSystem() = default;

  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) = 0;
  // The name that all links to a file lead to, whatever the folder at hand: what lies beside a file is found by it.
  virtual std::string Resolve(const std::string& path) { return path; }
  // Atomic. kAlreadyExists if `to` exists and may not be replaced; kInvalidArgument if it is no regular file, which never may.
  virtual absl::Status Rename(const std::string& from, const std::string& to, bool replace) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Makes durable the creation, renaming and removal of names in the folder that `path` lies in.
  virtual absl::Status SyncParent(const std::string& path) = 0;
  // Random bits, for names and identities.
  virtual absl::StatusOr<std::uint64_t> Random() = 0;

  // The operating system's.
  static FileSystem& Real();
};

}  // namespace thimble
