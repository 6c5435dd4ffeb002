#include "forked.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

namespace thimble::footprint {
namespace {

std::string Death(int status) {
  if (WIFSIGNALED(status)) return std::string("died of signal ") + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  return "died with exit status " + std::to_string(WEXITSTATUS(status));
}

bool Survives(const std::function<bool(int)>& work, int out) {
  try {
    return work(out);
  } catch (const std::exception&) {
    return false;
  }
}

int WaitFor(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Forked::Forked(const std::function<bool(int)>& work) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  std::fflush(nullptr);  // or the child could print it a second time
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(ends[0]);
    _exit(Survives(work, ends[1]) ? 0 : 1);
  }
  close(ends[1]);
  fd_ = ends[0];
}

Forked::Forked(Forked&& other) noexcept : fd_(std::exchange(other.fd_, -1)), pid_(std::exchange(other.pid_, -1)) {}

Forked& Forked::operator=(Forked&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(pid_, other.pid_);
  return *this;
}

Forked::~Forked() {
  if (fd_ >= 0) close(fd_);
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  WaitFor(pid_);
}

absl::Status Forked::Read(void* answer, std::size_t size) {
  if (pid_ <= 0) return absl::AbortedError("cannot start a child process");
  std::size_t got = 0;
  while (got < size) {
    const ssize_t bytes = read(fd_, static_cast<char*>(answer) + got, size - got);
    if (bytes == 0 || (bytes < 0 && errno != EINTR)) return absl::AbortedError(Death(WaitFor(std::exchange(pid_, -1))));
    if (bytes > 0) got += static_cast<std::size_t>(bytes);
  }
  return absl::OkStatus();
}

absl::Status Forked::Wait(void* answer, std::size_t size) {
  absl::Status read = Read(answer, size);
  if (read.ok()) WaitFor(std::exchange(pid_, -1));
  return read;
}

}  // namespace thimble::footprint
