#include "thimble/mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace thimble {

void Mark(std::string_view name) {
  const char* path = std::getenv("THIMBLE_MARKS");
  if (path == nullptr) return;
  const int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  const std::string line = std::string(name.substr(0, 1000)) + "\n";  // one write below PIPE_BUF is not torn
  [[maybe_unused]] const ssize_t written = write(fd, line.data(), line.size());
  close(fd);
}

}  // namespace thimble
