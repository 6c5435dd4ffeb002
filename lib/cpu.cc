#include "cpu.h"

#include <cstdlib>
#include <string_view>

namespace thimble {

CpuLevel ActiveCpuLevel() {
  static const CpuLevel level = [] {
    const char* forced = std::getenv("THIMBLE_CPU");
    if (forced != nullptr && std::string_view(forced) == "baseline") return CpuLevel::kBaseline;
#if THIMBLE_HAS_AVX2_KERNELS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("popcnt")) {
      return CpuLevel::kAvx2;
    }
#endif
    return CpuLevel::kBaseline;
  }();
  return level;
}

}  // namespace thimble
