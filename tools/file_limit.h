#pragma once

#include <sys/resource.h>

namespace thimble::tools {

// Lets this process, and its children, open as many files as the system allows at all. Not for those who run a user's command.
inline void RaiseFileLimit() {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace thimble::tools
