#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "thimble/bytes.h"

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

// Bit i says that word i is `word`, for 8, 16, 32 or 64 words of 16 bits.
inline std::uint64_t MatchWords(const std::byte* at, unsigned words, std::uint16_t word) {
  std::uint64_t mask = 0;
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(word));
  const auto match = [&](unsigned i) {
    return _mm_cmpeq_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 2 * i)), wanted);
  };
  const auto match32 = [&](unsigned i) {
    const __m128i low = _mm_packs_epi16(match(i), match(i + 8)), high = _mm_packs_epi16(match(i + 16), match(i + 24));
    return static_cast<std::uint64_t>(_mm_movemask_epi8(low)) | static_cast<std::uint64_t>(_mm_movemask_epi8(high)) << 16;
  };
  if (words == 64) [[likely]] return match32(0) | match32(32) << 32;
  for (unsigned i = 0; i < words; i += 8) {
    mask |= static_cast<std::uint64_t>(_mm_movemask_epi8(_mm_packs_epi16(match(i), _mm_setzero_si128()))) << i;
  }
#else
  for (unsigned i = 0; i < words; ++i) mask |= static_cast<std::uint64_t>(Load<std::uint16_t>(at + 2 * i) == word) << i;
#endif
  return mask;
}

}  // namespace thimble
