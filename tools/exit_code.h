#pragma once

namespace thimble::tools {

// What the command's exit status says; `thimble --help` lists them.
enum ExitCode : int {
  kOk = 0,
  kNegative = 1,
  kUsage = 2,
  kInputOutput = 3,
  kCorrupt = 4,
  kLimit = 5,
  kRegression = 6,
};

}  // namespace thimble::tools
