#include "progress.h"

#include <unistd.h>

#include <cstdio>

#include "format.h"

namespace thimble::tools {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::Show(const std::string& what) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(50)) return;
  last_ = now;
  shown_ = true;
  std::fprintf(stderr, "\r\x1b[K%s", Shorten(what, 78).c_str());
}

void Progress::Show(const std::string& what, std::uint64_t bytes) { Show(what + " " + HumanBytes(static_cast<double>(bytes))); }

}  // namespace thimble::tools
