#pragma once

namespace thimble {

// The instruction sets that kernels are written for. Everything is compiled for the baseline; a kernel for more carries
// THIMBLE_TARGET_AVX2 on the function, so that no instruction of it leaks into code that any machine may run.
enum class CpuLevel {
  kBaseline,  // x86-64 or any other: portable C++
  kAvx2,      // AVX2, BMI1, BMI2, POPCNT, LZCNT (x86-64-v3)
};

// What this process uses: what the machine has, or less if the environment variable THIMBLE_CPU is "baseline". Chosen once;
// tests run under both.
CpuLevel ActiveCpuLevel();

// For calls so short that asking would be felt; each source has its own, at hand. False while statics initialize, which is slower,
// not wrong.
const bool has_avx2 = ActiveCpuLevel() == CpuLevel::kAvx2;

#if defined(__x86_64__)
#define THIMBLE_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
#define THIMBLE_HAS_AVX2_KERNELS 1
#else
#define THIMBLE_HAS_AVX2_KERNELS 0
#endif

}  // namespace thimble
