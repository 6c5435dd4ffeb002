#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace thimble::tools {

// One line on stderr that overwrites itself. Shows nothing unless stderr is a terminal.
class Progress {
 public:
  Progress();
  ~Progress();  // wipes the line

  void Show(const std::string& what);
  void Show(const std::string& what, std::uint64_t bytes);

 private:
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace thimble::tools
