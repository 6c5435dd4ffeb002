#include "spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "status_macros.h"

namespace thimble::tools {
namespace {

absl::Status SystemError(const char* what) { return absl::UnavailableError(std::string("temporary file: ") + what + ": " + std::strerror(errno)); }

}  // namespace

absl::StatusOr<Spool> Spool::Make(std::size_t buffer_bytes) {
  const char* folder = getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {  // a file system without nameless files
    std::string path = std::string(folder) + "/thimble-XXXXXX";
    fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0 && errno == EMFILE) return absl::ResourceExhaustedError("more columns than files may be open at once: see ulimit -n");
    if (fd < 0) return SystemError(folder);
    unlink(path.c_str());
  }
  return Spool(fd, buffer_bytes);
}

Spool::Spool(Spool&& other) noexcept { *this = std::move(other); }

Spool& Spool::operator=(Spool&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_bytes_, other.buffer_bytes_);
  std::swap(size_, other.size_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

Spool::~Spool() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Spool::Append(std::string_view bytes) {
  size_ += bytes.size();
  buffer_.append(bytes);
  return buffer_.size() < buffer_bytes_ ? absl::OkStatus() : Flush();
}

absl::Status Spool::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return SystemError("write");
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool outgrown = buffer_.capacity() > 2 * buffer_bytes_;
  buffer_.clear();
  if (outgrown) buffer_.shrink_to_fit();
  return absl::OkStatus();
}

absl::StatusOr<std::span<const char>> Spool::Map() const {
  if (size_ == 0) return std::span<const char>();
  void* at = mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_, 0);
  if (at == MAP_FAILED) return SystemError("mmap");
  return std::span<const char>(static_cast<const char*>(at), size_);
}

absl::Status Spool::ReadAt(std::uint64_t offset, std::span<char> to) const {
  while (!to.empty()) {
    const ssize_t got = pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got == 0 || (got < 0 && errno != EINTR)) return SystemError("read");
    if (got < 0) continue;
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return absl::OkStatus();
}

absl::StatusOr<TextSpool> TextSpool::Make(std::size_t buffer_bytes) {
  THIMBLE_ASSIGN_OR_RETURN(Spool bytes, Spool::Make(buffer_bytes));
  THIMBLE_ASSIGN_OR_RETURN(Spool ends, Spool::Make(buffer_bytes));
  return TextSpool(std::move(bytes), std::move(ends));
}

absl::Status TextSpool::Append(std::string_view value) {
  THIMBLE_RETURN_IF_ERROR(bytes_.Append(value));
  return ends_.AppendValue(bytes_.size());
}

absl::Status TextSpool::Flush() {
  THIMBLE_RETURN_IF_ERROR(bytes_.Flush());
  return ends_.Flush();
}

absl::Status TextSpool::ForEach(const std::function<absl::Status(std::string_view)>& function) const {
  constexpr std::uint64_t kValues = 4096;
  std::vector<std::uint64_t> ends(kValues);
  std::vector<char> bytes;
  std::uint64_t begin = 0;
  for (std::uint64_t first = 0; first < size(); first += kValues) {
    const std::uint64_t count = std::min(kValues, size() - first);
    THIMBLE_RETURN_IF_ERROR(ends_.ReadAt(first * 8, {reinterpret_cast<char*>(ends.data()), static_cast<std::size_t>(count * 8)}));
    // Long values come one at a time, ordinary ones a block at a time.
    const std::uint64_t base = begin;
    const bool whole = ends[count - 1] - base <= (std::uint64_t{1} << 22);
    if (whole) {
      bytes.resize(ends[count - 1] - base);
      THIMBLE_RETURN_IF_ERROR(bytes_.ReadAt(base, bytes));
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!whole) {
        bytes.resize(ends[i] - begin);
        THIMBLE_RETURN_IF_ERROR(bytes_.ReadAt(begin, bytes));
      }
      THIMBLE_RETURN_IF_ERROR(function({bytes.data() + (whole ? begin - base : 0), static_cast<std::size_t>(ends[i] - begin)}));
      begin = ends[i];
    }
  }
  return absl::OkStatus();
}

}  // namespace thimble::tools
