#include "pss.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace thimble::footprint {

std::int64_t AnonymousPss() {
  const int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[4096];
  const ssize_t bytes = read(fd, text, sizeof text - 1);
  close(fd);
  if (bytes <= 0) return 0;
  text[bytes] = '\0';
  constexpr char kLabel[] = "Pss_Anon:";
  const char* line = std::strstr(text, kLabel);
  return line == nullptr ? 0 : std::strtoll(line + sizeof kLabel - 1, nullptr, 10) * 1024;
}

}  // namespace thimble::footprint
