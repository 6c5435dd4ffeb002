// A preloaded library that makes the n-th system call of a process fail, or the process die there.
//
//   INJECT_KIND   kill, short, enospc, eio, edquot, eintr or emfile; or allocation, which makes malloc fail
//   INJECT_AT     n, counting from 1 the calls after a file whose path contains INJECT_AFTER was opened (all without it)
//   INJECT_MARK   a file that is made when it strikes
//
// It strikes in the process that it was loaded into or, with INJECT_AFTER, in the first that opens such a file, be it a child.
// EINTR comes only where a signal can interrupt.

#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

extern "C" void* __libc_malloc(size_t bytes);
extern "C" void* __libc_calloc(size_t count, size_t bytes);
extern "C" void* __libc_realloc(void* block, size_t bytes);
extern "C" void* __libc_memalign(size_t alignment, size_t bytes);

namespace {

struct Plan {
  bool armed = false;
  bool counting = false;
  long left = 0;
  bool kill = false, shorten = false, allocation = false;
  int error = 0;
  pid_t process = 0;
};
Plan plan;

__attribute__((constructor)) void ReadPlan() {
  const char* kind = getenv("INJECT_KIND");
  const char* at = getenv("INJECT_AT");
  if (kind == nullptr || at == nullptr) return;
  plan.left = strtol(at, nullptr, 10);
  plan.kill = strcmp(kind, "kill") == 0;
  plan.shorten = strcmp(kind, "short") == 0;
  plan.allocation = strcmp(kind, "allocation") == 0;
  if (strcmp(kind, "enospc") == 0) plan.error = ENOSPC;
  if (strcmp(kind, "eio") == 0) plan.error = EIO;
  if (strcmp(kind, "edquot") == 0) plan.error = EDQUOT;
  if (strcmp(kind, "eintr") == 0) plan.error = EINTR;
  if (strcmp(kind, "emfile") == 0) plan.error = EMFILE;
  plan.process = getpid();
  plan.counting = getenv("INJECT_AFTER") == nullptr;
  plan.armed = true;
}

// Whether this is the call.
bool Strikes() {
  if (!plan.armed || !plan.counting || getpid() != plan.process || --plan.left != 0) return false;
  plan.armed = false;
  if (const char* mark = getenv("INJECT_MARK")) {
    const long fd = syscall(SYS_open, mark, O_CREAT | O_WRONLY, 0666);
    syscall(SYS_close, fd);
  }
  if (plan.kill) syscall(SYS_kill, plan.process, SIGKILL);
  return true;
}

bool Fails(bool interruptible = true) {
  if (plan.error == EINTR && !interruptible) return false;
  if (plan.allocation || !Strikes() || plan.shorten) return false;
  errno = plan.error;
  return true;
}

bool OutOfMemory() {
  if (!plan.allocation || !Strikes()) return false;
  errno = ENOMEM;
  return true;
}

void Opened(const char* path) {
  if (!plan.armed || plan.counting) return;
  plan.counting = strstr(path, getenv("INJECT_AFTER")) != nullptr;
  plan.process = getpid();
}

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

ssize_t Pwrite(int fd, const void* from, size_t bytes, off64_t offset) {
  if (plan.shorten && Strikes() && bytes > 1) bytes /= 2;
  else if (!plan.shorten && Fails()) return -1;
  return syscall(SYS_pwrite64, fd, from, bytes, offset);
}

int Open(const char* path, int flags, mode_t mode) {
  Opened(path);
  if (Fails()) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // namespace

extern "C" {

void* malloc(size_t bytes) { return OutOfMemory() ? nullptr : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return OutOfMemory() ? nullptr : __libc_calloc(count, bytes); }
void* realloc(void* block, size_t bytes) { return OutOfMemory() ? nullptr : __libc_realloc(block, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return OutOfMemory() ? nullptr : __libc_memalign(alignment, bytes); }

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open(path, flags, mode);
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t offset) { return Pwrite(fd, from, bytes, offset); }
ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t offset) { return Pwrite(fd, from, bytes, offset); }
ssize_t pread64(int fd, void* to, size_t bytes, off64_t offset) {
  return Fails() ? -1 : syscall(SYS_pread64, fd, to, bytes, offset);
}
ssize_t pread(int fd, void* to, size_t bytes, off_t offset) { return pread64(fd, to, bytes, offset); }
int fsync(int fd) { return Fails() ? -1 : static_cast<int>(syscall(SYS_fsync, fd)); }
int ftruncate64(int fd, off64_t bytes) noexcept { return Fails() ? -1 : static_cast<int>(syscall(SYS_ftruncate, fd, bytes)); }
int ftruncate(int fd, off_t bytes) noexcept { return ftruncate64(fd, bytes); }
int posix_fallocate64(int fd, off64_t offset, off64_t bytes) {
  if (Fails()) return errno;
  return Next<decltype(posix_fallocate64)>("posix_fallocate64")(fd, offset, bytes);
}
int posix_fallocate(int fd, off_t offset, off_t bytes) { return posix_fallocate64(fd, offset, bytes); }
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return Fails(false) ? -1 : static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
int unlink(const char* path) noexcept { return Fails(false) ? -1 : static_cast<int>(syscall(SYS_unlink, path)); }
void* mmap64(void* at, size_t bytes, int protection, int flags, int fd, off64_t offset) noexcept {
  if (fd >= 0 && Fails(false)) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, bytes, protection, flags, fd, offset));
}
void* mremap(void* at, size_t bytes, size_t new_bytes, int flags, ...) noexcept {
  return Fails(false) ? MAP_FAILED : reinterpret_cast<void*>(syscall(SYS_mremap, at, bytes, new_bytes, flags, nullptr));
}
int fstat(int fd, struct stat* status) noexcept { return Fails(false) ? -1 : static_cast<int>(syscall(SYS_fstat, fd, status)); }
int fstat64(int fd, struct stat64* status) noexcept { return Fails(false) ? -1 : static_cast<int>(syscall(SYS_fstat, fd, status)); }
ssize_t getrandom(void* to, size_t bytes, unsigned flags) { return Fails() ? -1 : syscall(SYS_getrandom, to, bytes, flags); }
int madvise(void* at, size_t bytes, int advice) noexcept {
  return Fails(false) ? -1 : static_cast<int>(syscall(SYS_madvise, at, bytes, advice));
}
int fcntl64(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  return Fails() ? -1 : static_cast<int>(syscall(SYS_fcntl, fd, command, argument));
}

}  // extern "C"
