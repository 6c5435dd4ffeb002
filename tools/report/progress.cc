#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "format.h"

namespace thimble::tools {
namespace {

// A terminal that can erase a line.
bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

// What a line holds without wrapping, since only the last row of one that wraps is erased.
std::size_t LineWidth() {
  constexpr std::size_t kWidest = 78;
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidest;
  return std::clamp<std::size_t>(size.ws_col - std::size_t{1}, 4, kWidest);
}

}  // namespace

Progress::Progress() : terminal_(IsTerminal()) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::Show(const std::string& what) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(50)) return;
  last_ = now;
  shown_ = true;
  std::fprintf(stderr, "\r\x1b[K%s", Shorten(what, LineWidth()).c_str());
}

void Progress::Show(const std::string& what, std::uint64_t bytes) { Show(what + " " + HumanBytes(static_cast<double>(bytes))); }

}  // namespace thimble::tools
