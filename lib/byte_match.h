#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace thimble {

// Bit i says that at[i] == byte, for 16 bytes. SSE2 is part of every x86-64, so it needs no kernel choice.
inline std::uint32_t MatchBytes16(const std::byte* at, std::uint8_t byte) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(byte)))));
#else
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 16; ++i) mask |= static_cast<std::uint32_t>(at[i] == std::byte{byte}) << i;
  return mask;
#endif
}

inline std::uint32_t MatchBytes32(const std::byte* at, std::uint8_t byte) {
  return MatchBytes16(at, byte) | MatchBytes16(at + 16, byte) << 16;
}

}  // namespace thimble
