#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace thimble::tools {

// Writes a file whole; where that fails, or an interrupt comes, no part of it stays. Anything but an ordinary file, such as
// /dev/stdout, is written to as it is.
absl::Status WriteOutput(const std::string& path, std::string_view text);

// kInvalidArgument where both name one file, which to write would be to lose what is read.
absl::Status CheckApart(const std::string& input, const std::string& output);

// kInvalidArgument where both name one file, of which only one could stay. Either may be empty, and then names none.
absl::Status CheckOutputsApart(const std::string& one, const std::string& other);

}  // namespace thimble::tools
