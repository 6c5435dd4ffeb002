#include "run/recorder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <utility>

#include "status_macros.h"

namespace thimble::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kFirstWait = 0.001;  // then twice as long each time, up to the interval: short commands are seen too
constexpr double kPssShare = 200;  // of the time, one part for PSS
constexpr double kPssShareOfPeaks = 20;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

absl::Status SystemError(const std::string& what) { return absl::UnavailableError(what + ": " + std::strerror(errno)); }

// A named pipe in a folder of its own, for marks.
class MarkPipe {
 public:
  static absl::StatusOr<MarkPipe> Make() {
    std::error_code error;
    std::string folder = (std::filesystem::temp_directory_path(error) / "thimble-run-XXXXXX").string();
    if (error) return absl::UnavailableError("temporary folder: " + error.message());
    if (mkdtemp(folder.data()) == nullptr) return SystemError(folder);
    MarkPipe pipe(folder);
    if (mkfifo(pipe.path().c_str(), 0600) != 0) return SystemError(pipe.path());
    pipe.fd_ = open(pipe.path().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (pipe.fd_ < 0) return SystemError(pipe.path());
    return pipe;
  }
  MarkPipe(MarkPipe&& other) noexcept : folder_(std::move(other.folder_)), fd_(std::exchange(other.fd_, -1)) { other.folder_.clear(); }
  MarkPipe& operator=(MarkPipe&&) = delete;
  ~MarkPipe() {
    if (fd_ >= 0) close(fd_);
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  int fd() const { return fd_; }
  std::string path() const { return folder_ + "/marks"; }

  // The lines that arrived: as much as a pipe holds, so that who never stops writing does not stop the samples.
  std::vector<std::string> Read() {
    char bytes[65536];
    const ssize_t got = read(fd_, bytes, sizeof bytes);
    if (got > 0) pending_.append(bytes, static_cast<std::size_t>(got));
    std::vector<std::string> lines;
    std::size_t begin = 0;
    for (std::size_t newline; (newline = pending_.find('\n', begin)) != std::string::npos; begin = newline + 1) {
      lines.push_back(pending_.substr(begin, newline - begin));
    }
    pending_.erase(0, begin);
    return lines;
  }

 private:
  explicit MarkPipe(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
  int fd_ = -1;
  std::string pending_;
};

// Looks at the tree, at PSS as often as it may.
class Scale {
 public:
  TreeMemory Look(pid_t root) {
    const Clock::time_point now = Clock::now();
    TreeMemory memory = MeasureTreeQuickly(root);
    memory.pss_bytes = Guess(memory);
    // A peak that would stand in the report is worth a look, and so are new processes.
    const bool matters = memory.pss_bytes > peak_ || memory.processes != last_.processes;
    if (now < (matters ? soon_ : next_)) return memory;
    const Clock::time_point begin = Clock::now();
    last_ = MeasureTree(root);
    peak_ = std::max(peak_, last_.pss_bytes);
    const Clock::duration took = Clock::now() - begin;
    soon_ = begin + std::chrono::duration_cast<Clock::duration>(took * kPssShareOfPeaks);
    next_ = begin + std::chrono::duration_cast<Clock::duration>(took * kPssShare);
    return last_;
  }

 private:
  // What grows is taken to be its own, unless new processes came, which share what they were forked from; what shrinks, to have
  // shared as all did.
  std::uint64_t Guess(const TreeMemory& memory) const {
    if (memory.rss_bytes < last_.rss_bytes) {
      return static_cast<std::uint64_t>(static_cast<double>(last_.pss_bytes) * static_cast<double>(memory.rss_bytes) / static_cast<double>(last_.rss_bytes));
    }
    return last_.pss_bytes + (memory.processes > last_.processes && last_.processes > 0 ? 0 : memory.rss_bytes - last_.rss_bytes);
  }

  TreeMemory last_;
  std::uint64_t peak_ = 0;
  Clock::time_point soon_{}, next_{};
};

// The terminal sends its interrupts to the command too, whose answer to them is waited for. What is sent to this process
// alone is passed on to the command and all its descendants.
class InterruptsPassedOn {
 public:
  InterruptsPassedOn() {
    struct sigaction action {};
    action.sa_sigaction = [](int signal, siginfo_t* info, void*) {
      const bool from_terminal = info->si_code == SI_KERNEL;
      for (std::size_t i = 0; i < std::size(kSignals) && !from_terminal; ++i) pending_[i] = pending_[i] | (kSignals[i] == signal);
    };
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~InterruptsPassedOn() { Restore(); }
  InterruptsPassedOn(const InterruptsPassedOn&) = delete;
  InterruptsPassedOn& operator=(const InterruptsPassedOn&) = delete;

  void Restore() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  // Hands on what has come. Signals end the wait of poll, after which this is called.
  void PassOn(pid_t root) {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      if (pending_[i] == 0) continue;
      pending_[i] = 0;
      for (const pid_t pid : Descendants(root)) kill(pid, kSignals[i]);
    }
  }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
  static inline volatile std::sig_atomic_t pending_[std::size(kSignals)] = {};

  struct sigaction before_[std::size(kSignals)];
};

[[noreturn]] void Execute(const std::vector<std::string>& command, const std::string& marks) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  std::signal(SIGXFSZ, SIG_DFL);  // ignored here, and what is ignored stays so
  setenv("THIMBLE_MARKS", marks.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int failed = errno;
  const std::string why = "thimble: " + command[0] + ": " + std::strerror(failed) + "\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, why.data(), why.size());
  _exit(failed == ENOENT ? 127 : 126);
}

}  // namespace

absl::StatusOr<Recording> Record(const std::vector<std::string>& command, double interval) {
  THIMBLE_ASSIGN_OR_RETURN(MarkPipe marks, MarkPipe::Make());
  InterruptsPassedOn interrupts;
  const Clock::time_point start = Clock::now();
  const pid_t pid = fork();
  if (pid < 0) return SystemError("fork");
  if (pid == 0) {
    interrupts.Restore();
    Execute(command, marks.path());
  }
  const int ended = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));

  Recording recording{command, 0, 0, {}, {}};
  Scale scale;
  double wait = kFirstWait;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    const TreeMemory memory = scale.Look(pid);
    if (memory.processes > 0) recording.samples.push_back({SecondsSince(start), memory});
    const Clock::time_point next = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wait));
    wait = std::min(interval, wait * 2);
    // Marks are timed as they come; each brings a sample of its own.
    bool marked = false;
    while (!marked && Clock::now() < next) {
      pollfd fds[] = {{ended, POLLIN, 0}, {marks.fd(), POLLIN, 0}};
      poll(fds, 2, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now()).count()) + 1);
      interrupts.PassOn(pid);
      for (std::string& name : marks.Read()) recording.marks.push_back({SecondsSince(start), std::move(name)}), marked = true;
      if (fds[0].revents != 0) break;
    }
  }
  for (std::string& name : marks.Read()) recording.marks.push_back({SecondsSince(start), std::move(name)});
  recording.seconds = SecondsSince(start);
  recording.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (ended >= 0) close(ended);
  return recording;
}

}  // namespace thimble::tools
