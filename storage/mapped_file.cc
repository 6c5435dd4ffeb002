#include "thimble/mapped_file.h"

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <mutex>

#include "prefixed.h"
#include "status_macros.h"

namespace thimble {
namespace {

// The innermost guard of this thread: where to go when a byte of its run is gone.
struct ActiveGuard {
  sigjmp_buf leave;
  std::span<const std::byte> run;
  ActiveGuard* outer;

  explicit ActiveGuard(std::span<const std::byte> guarded);
  ActiveGuard(const ActiveGuard&) = delete;
  ActiveGuard& operator=(const ActiveGuard&) = delete;
  ~ActiveGuard();  // also where what is guarded throws
};

thread_local ActiveGuard* active_guard = nullptr;

ActiveGuard::ActiveGuard(std::span<const std::byte> guarded) : run(guarded), outer(active_guard) { active_guard = this; }
ActiveGuard::~ActiveGuard() { active_guard = outer; }

struct sigaction previous_action;

void OnBusError(int signal, siginfo_t* info, void* context) {
  const auto* at = static_cast<const std::byte*>(info->si_addr);
  for (ActiveGuard* guard = active_guard; guard != nullptr; guard = guard->outer) {
    if (at >= guard->run.data() && at < guard->run.data() + guard->run.size()) {
      active_guard = guard->outer;
      siglongjmp(guard->leave, 1);
    }
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) return previous_action.sa_sigaction(signal, info, context);
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) return previous_action.sa_handler(signal);
  // The default: give the signal back to the system, which raises it again when the instruction is retried.
  sigaction(SIGBUS, &previous_action, nullptr);
}

void InstallHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = OnBusError;
    // NODEFER leaves the signal unblocked, so that leaving by siglongjmp needs no mask to be saved and restored: that
    // would be two system calls a guard.
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
  });
}

}  // namespace

namespace internal {

absl::Status RunGuarded(std::span<const std::byte> run, void (*call)(void*), void* context) {
  InstallHandler();
  ActiveGuard guard(run);
  if (sigsetjmp(guard.leave, 0) != 0) return absl::DataLossError("the file was truncated while it was read");
  call(context);
  return absl::OkStatus();
}

}  // namespace internal

absl::StatusOr<MappedFile> MappedFile::Open(std::string path, Load load, FileSystem& system) {
  THIMBLE_ASSIGN_OR_RETURN(std::unique_ptr<File> file, system.Open(path, FileSystem::Mode::kRead));
  MappedFile mapped(std::move(path), std::move(file));
  THIMBLE_RETURN_IF_ERROR(mapped.LoadBytes(load));
  return mapped;
}

absl::Status MappedFile::Named(const absl::Status& status) const { return Prefixed(path_, status); }

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      bytes_(std::exchange(other.bytes_, {})),
      copy_(std::move(other.copy_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(bytes_, other.bytes_);
  std::swap(copy_, other.copy_);
  return *this;
}

MappedFile::~MappedFile() { Unload(); }

absl::Status MappedFile::LoadBytes(Load load) {
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t size, file_->Size());
  if (load == Load::kCopy) {
    copy_ = Buffer::Heap(size);
    THIMBLE_ASSIGN_OR_RETURN(const std::size_t got, file_->Read(0, copy_.bytes()));
    bytes_ = copy_.bytes().first(got);
    return absl::OkStatus();
  }
  THIMBLE_ASSIGN_OR_RETURN(bytes_, file_->Map(MapAccess::kRead, 0, size));
  return absl::OkStatus();
}

void MappedFile::Unload() {
  if (copy_.size() == 0 && !bytes_.empty()) file_->Unmap(bytes_);
  bytes_ = {};
}

absl::StatusOr<std::size_t> MappedFile::Read(std::uint64_t offset, std::span<std::byte> to) const {
  if (!copied()) return file_->Read(offset, to);
  const std::span<const std::byte> from = bytes_.subspan(std::min<std::uint64_t>(offset, bytes_.size()));
  const std::size_t count = std::min(from.size(), to.size());
  std::copy_n(from.begin(), count, to.begin());
  return count;
}

absl::Status MappedFile::Refresh() {
  if (copied()) return absl::OkStatus();
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t size, file_->Size());
  if (size == bytes_.size()) return absl::OkStatus();
  THIMBLE_ASSIGN_OR_RETURN(const std::span<std::byte> mapped, file_->Map(MapAccess::kRead, 0, size));
  Unload();
  bytes_ = mapped;
  return absl::OkStatus();
}

}  // namespace thimble
