#include "thimble/file_system.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "status_macros.h"

namespace thimble {
namespace {

constexpr std::uint64_t kPage = 4096;

absl::Status Failure(const char* operation, const std::string& path, int error = errno) {
  // EIO and its like are neither the caller's fault nor proof of damage: kInternal, with the system's words.
  absl::Status status = absl::ErrnoToStatus(error, path + ": " + operation);
  if (status.code() != absl::StatusCode::kUnknown) return status;
  return absl::InternalError(status.message());
}

// Calls again what a signal interrupted.
template <class Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class RealFile final : public File {
 public:
  RealFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  absl::StatusOr<std::uint64_t> Size() override {
    struct stat info;
    if (fstat(fd_.get(), &info) != 0) return Failure("stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) override {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = Retry([&] { return pread(fd_.get(), to.data() + done, to.size() - done, Offset(offset + done)); });
      if (got < 0) return Failure("read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  absl::Status Write(std::uint64_t offset, std::span<const std::byte> from) override {
    while (!from.empty()) {
      const ssize_t put = Retry([&] { return pwrite(fd_.get(), from.data(), from.size(), Offset(offset)); });
      if (put < 0) return Failure("write", path_);
      if (put == 0) return Failure("write", path_, EIO);
      offset += static_cast<std::uint64_t>(put);
      from = from.subspan(static_cast<std::size_t>(put));
    }
    return absl::OkStatus();
  }

  absl::Status Allocate(std::uint64_t bytes) override {
    int error;
    do {
      error = posix_fallocate(fd_.get(), 0, Offset(bytes));
    } while (error == EINTR);
    return error == 0 ? absl::OkStatus() : Failure("allocate", path_, error);
  }

  absl::Status Truncate(std::uint64_t bytes) override {
    if (Retry([&] { return ftruncate(fd_.get(), Offset(bytes)); }) != 0) return Failure("truncate", path_);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    // Linux's fsync writes the dirty pages of shared mappings too: msync(MS_SYNC) is the same call on a range.
    if (Retry([&] { return fsync(fd_.get()); }) != 0) return Failure("sync", path_);
    return absl::OkStatus();
  }

  absl::Status CopyModeOf(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return errno == ENOENT ? absl::OkStatus() : Failure("stat", path);
    return fchmod(fd_.get(), info.st_mode & 0777) == 0 ? absl::OkStatus() : Failure("change the mode of", path_);
  }

  absl::StatusOr<bool> TryLock() override {
    // Of the open file description: unlike F_SETLK's it conflicts within a process, and does not vanish when an unrelated
    // descriptor of the same file is closed.
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (Retry([&] { return fcntl(fd_.get(), F_OFD_SETLK, &lock); }) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return Failure("lock", path_);
  }

  absl::StatusOr<std::span<std::byte>> Map(MapAccess access, std::uint64_t offset, std::uint64_t bytes) override {
    if (bytes == 0) return std::span<std::byte>();
    const int protection = access == MapAccess::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
    const int flags = access == MapAccess::kPrivate ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
    void* at = mmap(nullptr, bytes, protection, flags, fd_.get(), Offset(offset));
    if (at == MAP_FAILED) return Failure("map", path_);
    return std::span<std::byte>(static_cast<std::byte*>(at), bytes);
  }

  absl::StatusOr<std::span<std::byte>> Remap(std::span<std::byte> run, std::uint64_t bytes) override {
    void* at = mremap(run.data(), run.size(), bytes, MREMAP_MAYMOVE);
    if (at == MAP_FAILED) return Failure("map", path_);
    return std::span<std::byte>(static_cast<std::byte*>(at), bytes);
  }

  void Unmap(std::span<std::byte> run) noexcept override {
    if (!run.empty()) munmap(run.data(), run.size());
  }

  absl::StatusOr<std::vector<std::uint64_t>> PrivatePages(std::span<const std::byte> run) override {
    // A word a page: bit 63 present, 62 swapped, 61 a page of the file itself. A page that was stored to is there and is
    // not the file's.
    const Descriptor pagemap(Retry([] { return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); }));
    if (pagemap.get() < 0) return Failure("open", "/proc/self/pagemap");
    const std::uint64_t first = reinterpret_cast<std::uintptr_t>(run.data()) / kPage;
    const std::uint64_t count = (run.size() + kPage - 1) / kPage;
    std::vector<std::uint64_t> pages;
    std::array<std::uint64_t, 512> words;
    for (std::uint64_t page = 0; page < count;) {
      const std::size_t want = std::min<std::uint64_t>(count - page, words.size());
      const ssize_t got = Retry([&] { return pread(pagemap.get(), words.data(), want * 8, Offset((first + page) * 8)); });
      if (got <= 0 || got % 8 != 0) return Failure("read", "/proc/self/pagemap", got < 0 ? errno : EIO);
      for (std::size_t i = 0; i < static_cast<std::size_t>(got) / 8; ++i, ++page) {
        if ((words[i] >> 62) != 0 && (words[i] >> 61 & 1) == 0) pages.push_back(page);
      }
    }
    return pages;
  }

  absl::Status DropPrivatePages(std::span<std::byte> run) override {
    if (run.empty() || madvise(run.data(), run.size(), MADV_DONTNEED) == 0) return absl::OkStatus();
    // Pages that mlockall locked.
    if (errno == EINVAL && madvise(run.data(), run.size(), 24 /* MADV_DONTNEED_LOCKED, from Linux 5.18 on */) == 0) return absl::OkStatus();
    return Failure("drop pages", path_);
  }

 private:
  static off_t Offset(std::uint64_t offset) { return static_cast<off_t>(offset); }

  Descriptor fd_;
  const std::string path_;
};

absl::Status NotRegular(const std::string& path) { return absl::InvalidArgumentError(path + ": not a regular file"); }

class RealFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;  // a pipe must not make us wait
    flags |= mode == Mode::kRead ? O_RDONLY : mode == Mode::kUpdate ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
    const int fd = Retry([&] { return open(path.c_str(), flags, 0666); });
    if (fd < 0) return Failure("open", path);
    auto file = std::make_unique<RealFile>(fd, path);
    struct stat info;
    if (fstat(fd, &info) != 0) return Failure("stat", path);
    if (S_ISDIR(info.st_mode)) return Failure("open", path, EISDIR);
    if (!S_ISREG(info.st_mode)) return NotRegular(path);
    return file;
  }

  std::string Resolve(const std::string& path) override {
    std::error_code failed;
    std::filesystem::path resolved = std::filesystem::weakly_canonical(path, failed);
    return failed ? path : resolved.string();
  }

  absl::Status Rename(const std::string& from, const std::string& to, bool replace) override {
    // A device or a pipe that is named by mistake must not vanish.
    if (struct stat info; replace && stat(to.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) return NotRegular(to);
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), replace ? 0 : RENAME_NOREPLACE) == 0) return absl::OkStatus();
    return Failure("rename", to);
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return Failure("remove", path);
    return absl::OkStatus();
  }

  absl::Status SyncParent(const std::string& path) override {
    const std::string folder = (std::filesystem::path(path).parent_path() / ".").string();
    const Descriptor fd(Retry([&] { return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return Failure("open", folder);
    if (Retry([&] { return fsync(fd.get()); }) != 0) return Failure("sync", folder);
    return absl::OkStatus();
  }

  absl::StatusOr<std::uint64_t> Random() override {
    std::uint64_t bits;
    if (Retry([&] { return getrandom(&bits, sizeof bits, 0); }) != sizeof bits) return Failure("random bits", "system");
    return bits;
  }
};

}  // namespace

FileSystem& FileSystem::Real() {
  static RealFileSystem system;
  return system;
}

}  // namespace thimble
