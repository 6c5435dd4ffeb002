#include "hll_kernels.h"

#include <algorithm>

#include "cpu.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble::internal {
namespace {

void MaxBytesPortable(std::uint8_t* to, const std::uint8_t* from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = std::max(to[i], from[i]);
}

#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 void MaxBytesAvx2(std::uint8_t* to, const std::uint8_t* from, std::size_t n) {
  std::size_t i = 0;
  const auto step = [&](std::size_t at) THIMBLE_TARGET_AVX2 {
    auto* target = reinterpret_cast<__m256i*>(to + at);
    _mm256_storeu_si256(target, _mm256_max_epu8(_mm256_loadu_si256(target),
                                                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at))));
  };
  for (; i + 128 <= n; i += 128) {
    step(i);
    step(i + 32);
    step(i + 64);
    step(i + 96);
  }
  MaxBytesPortable(to + i, from + i, n - i);
}
#endif

using Kernel = void (*)(std::uint8_t*, const std::uint8_t*, std::size_t);

Kernel ChooseMaxBytes() {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return MaxBytesAvx2;
#endif
  return MaxBytesPortable;
}

}  // namespace

void MaxBytes(std::uint8_t* to, const std::uint8_t* from, std::size_t n) {
  static const Kernel kernel = ChooseMaxBytes();
  kernel(to, from, n);
}

}  // namespace thimble::internal
