#include "count/newlines.h"

#include <bit>
#include <cstring>

#include "cpu.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble::tools {
namespace {

std::size_t FindNewlinesFrom(std::size_t from, std::string_view text, std::uint32_t* places) {
  std::size_t count = 0;
  while (from < text.size()) {
    const void* newline = std::memchr(text.data() + from, '\n', text.size() - from);
    if (newline == nullptr) break;
    places[count++] = static_cast<std::uint32_t>(static_cast<const char*>(newline) - text.data());
    from = places[count - 1] + std::size_t{1};
  }
  return count;
}

#if THIMBLE_HAS_AVX2_KERNELS
// A bit a byte of 64, and the places of the bits four at a time: how long lines are is nothing that a branch can foresee.
THIMBLE_TARGET_AVX2 std::size_t FindNewlinesAvx2(std::string_view text, std::uint32_t* places) {
  const __m256i newline = _mm256_set1_epi8('\n');
  std::size_t count = 0, block = 0;
  for (; block + 64 <= text.size(); block += 64) {
    __builtin_prefetch(text.data() + block + 4096);  // the processor's own prefetching ends with each page
    const auto* bytes = reinterpret_cast<const __m256i*>(text.data() + block);
    const auto low = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(bytes), newline)));
    const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(bytes + 1), newline)));
    std::uint64_t found = std::uint64_t{high} << 32 | low;
    const auto here = static_cast<std::size_t>(std::popcount(found));
    for (std::size_t i = 0; i < here; i += 4) {
      for (std::size_t j = 0; j < 4; ++j, found &= found - 1) {
        places[count + i + j] = static_cast<std::uint32_t>(block) + static_cast<std::uint32_t>(std::countr_zero(found));
      }
    }
    count += here;
  }
  return count + FindNewlinesFrom(block, text, places + count);
}
#endif

}  // namespace

std::size_t FindNewlines(std::string_view text, std::uint32_t* places) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return FindNewlinesAvx2(text, places);
#endif
  return FindNewlinesFrom(0, text, places);
}

}  // namespace thimble::tools
