#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

namespace thimble::testing {

// How far the memory of this process rises from here on. Memory that it got earlier and uses again does not count.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << 5;
    before_ = Field("VmRSS:");
  }
  std::uint64_t bytes() const {
    const std::uint64_t peak = Field("VmHWM:");
    return peak < before_ ? 0 : peak - before_;
  }

 private:
  static std::uint64_t Field(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
    }
    return 0;
  }

  std::uint64_t before_;
};

}  // namespace thimble::testing
