#pragma once

#include <string>

#include <absl/status/status.h>

#include "thimble/file_system.h"

namespace thimble {

// Puts right what a store file itself tells how to: a damaged superblock of a sealed file, or the padding behind it, from the
// other one; a live file that was not closed, by recovering and closing it. A file that needs neither is left alone. Damage
// to sections and directories cannot be undone, and is not looked for: verify afterwards.
//
// Errors   kDataLoss: neither superblock is whole; kUnavailable: a writer has the file open; those of the system
absl::Status Repair(const std::string& path, FileSystem& system = FileSystem::Real());

}  // namespace thimble
