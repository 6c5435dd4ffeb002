#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace thimble::tools {

// Writes a file whole; where that fails, or an interrupt comes, no part of it stays. Anything but an ordinary file is written to as
// it is, and so is what somebody has open, such as /dev/stdout; of a link, what it leads to is replaced.
absl::Status WriteOutput(const std::string& path, std::string_view text);

// kInvalidArgument where the name leads to what somebody has open, as /dev/stdout does: a store is written beside its name, and
// renamed, which would take the name away from others.
absl::Status CheckStoreName(const std::string& path);

// kInvalidArgument where both name one file, which to write would be to lose what is read.
absl::Status CheckApart(const std::string& input, const std::string& output);

// kInvalidArgument where both name one file, of which only one could stay. Either may be empty, and then names none.
absl::Status CheckOutputsApart(const std::string& one, const std::string& other);

}  // namespace thimble::tools
