#include "report/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <system_error>

#include "report/interrupts.h"

namespace thimble::tools {
namespace {

// Whether a name leads through /proc, as /dev/stdout and /dev/fd/3 do.
bool LeadsToOpenFile(std::filesystem::path path) {
  std::error_code ignored;
  for (int links = 0; links < 40; ++links) {
    if (std::filesystem::weakly_canonical(path.parent_path(), ignored).string().starts_with("/proc/")) return true;
    const std::filesystem::path target = std::filesystem::read_symlink(path, ignored);
    if (target.empty()) return false;
    path = path.parent_path() / target;  // which an absolute one replaces
  }
  return false;
}

absl::Status SystemError(const std::string& path) { return absl::UnavailableError(path + ": " + std::strerror(errno)); }

// Closes `fd` in any case.
absl::Status WriteAll(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      absl::Status failed = SystemError(path);
      close(fd);
      return failed;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return close(fd) == 0 ? absl::OkStatus() : SystemError(path);
}

}  // namespace

absl::Status WriteOutput(const std::string& name, std::string_view text) {
  struct stat info;
  const bool exists = stat(name.c_str(), &info) == 0;
  if (exists && (!S_ISREG(info.st_mode) || LeadsToOpenFile(name))) {
    std::fflush(stdout);
    // Where stdout itself goes on, behind what it has written; a file that is opened anew begins at its end.
    struct stat out;
    const bool is_stdout = fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == info.st_dev && out.st_ino == info.st_ino;
    const int fd = is_stdout ? dup(STDOUT_FILENO) : open(name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    return fd < 0 ? SystemError(name) : WriteAll(fd, name, text);
  }
  const std::string path = std::filesystem::is_symlink(name) ? std::filesystem::weakly_canonical(name).string() : name;
  const InterruptsBlocked blocked;
  // Of a name that nobody has, whatever else is called .part.
  std::random_device random;
  std::string part;
  int fd = -1;
  do {
    part = path + "." + std::to_string(random()) + ".part";
    fd = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EEXIST);
  if (fd < 0) return SystemError(path);
  if (exists) (void)fchmod(fd, info.st_mode & 0777);  // who could not read the old one cannot read the new one
  absl::Status written = WriteAll(fd, path, text);
  if (written.ok() && std::rename(part.c_str(), path.c_str()) != 0) written = SystemError(path);
  if (!written.ok()) unlink(part.c_str());
  return written;
}

absl::Status CheckStoreName(const std::string& path) {
  if (!LeadsToOpenFile(path)) return absl::OkStatus();
  return absl::InvalidArgumentError(path + ": this leads to an open file; a store needs a name of its own");
}

absl::Status CheckApart(const std::string& input, const std::string& output) {
  struct stat in, out;
  const bool read = input == "-" ? fstat(STDIN_FILENO, &in) == 0 : stat(input.c_str(), &in) == 0;
  if (!read || stat(output.c_str(), &out) != 0 || !S_ISREG(out.st_mode)) return absl::OkStatus();
  if (in.st_dev != out.st_dev || in.st_ino != out.st_ino) return absl::OkStatus();
  return absl::InvalidArgumentError(output + ": this is the input, which would be lost");
}

absl::Status CheckOutputsApart(const std::string& one, const std::string& other) {
  std::error_code ignored;
  const auto whole = [&ignored](const std::string& path) { return std::filesystem::weakly_canonical(path, ignored); };
  if (one.empty() || other.empty() || whole(one) != whole(other)) return absl::OkStatus();
  return absl::InvalidArgumentError(other + ": two outputs would be written there");
}

}  // namespace thimble::tools
