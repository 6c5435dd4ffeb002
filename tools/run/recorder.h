#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "run/process_tree.h"

namespace thimble::tools {

struct Sample {
  double seconds;
  TreeMemory memory;
};

struct MarkedMoment {
  double seconds;
  std::string name;
};

// What a command did to memory while it ran.
struct Recording {
  std::vector<std::string> command;
  int exit_status = 0;  // as a shell tells it: 128 + the signal that ended it
  double seconds = 0;
  std::vector<Sample> samples;
  std::vector<MarkedMoment> marks;
};

// Runs the command to its end, and looks at the memory of it and its descendants every `interval` seconds. The kernel walks
// all pages to tell PSS, which is asked for a two-hundredth of the time at most; in between PSS is taken to move as RSS does.
// Interrupts go to the command; the recording ends when it ends.
absl::StatusOr<Recording> Record(const std::vector<std::string>& command, double interval);

}  // namespace thimble::tools
