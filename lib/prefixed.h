#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace thimble {

// The same error, its message led by what it is about.
inline absl::Status Prefixed(std::string_view prefix, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), std::string(prefix) + ": " + std::string(status.message()));
}

}  // namespace thimble
