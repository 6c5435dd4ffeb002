#include "thimble/bits.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "cpu.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

// Eight fields of w bits fill w bytes, so every eighth field begins at a byte, and one pattern of shuffles and shifts serves
// all groups of eight.
constexpr std::uint64_t kGroup = 8;

template <class T>
void UnpackOneByOne(const std::byte* run, unsigned width, std::uint64_t first, std::span<T> out) {
  std::uint64_t at = first * width;
  for (T& value : out) {
    value = static_cast<T>(ReadBits(run, at, width));
    at += width;
  }
}

#if THIMBLE_HAS_AVX2_KERNELS

constexpr unsigned kOneLoad = 16;

// How one 256-bit vector is filled with fields of `lane` bytes: each half is a 16-byte load, bytes move so that each lane
// begins with the byte in which its field begins, then each lane is shifted right by what is left. Up to 16 bits a group of
// eight lies in 16 bytes, and one load fills both halves of all vectors.
struct alignas(32) Pattern {
  std::array<std::uint8_t, 32> shuffle{};
  std::array<std::uint8_t, 2> load_at{};        // byte in the group from which each half is loaded
  alignas(32) std::array<std::uint8_t, 32> shift{};  // read as lanes

  constexpr Pattern() = default;
  constexpr Pattern(unsigned width, unsigned lane, unsigned first_field) {
    const unsigned fields = 16 / lane;
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned base = width <= kOneLoad ? 0 : (first_field + half * fields) * width / 8;
      load_at[half] = static_cast<std::uint8_t>(base);
      for (unsigned field = 0; field < fields; ++field) {
        const unsigned bit = (first_field + half * fields + field) * width - 8 * base;
        const unsigned at = half * 16 + field * lane;
        for (unsigned byte = 0; byte < lane; ++byte) shuffle[at + byte] = static_cast<std::uint8_t>((bit / 8 + byte) % 16);
        shift[at] = static_cast<std::uint8_t>(bit % 8);
      }
    }
  }
};

constexpr std::size_t kPrefetchBytes = 1536;
constexpr unsigned kWidest32 = 25;  // 25 bits and a shift of 7 fill a lane of 4 bytes
constexpr unsigned kWidest64 = 57;
constexpr unsigned kWidest = 63;

constexpr auto kPatterns32 = [] {
  std::array<Pattern, kWidest32 + 1> patterns;
  for (unsigned width = 1; width <= kWidest32; ++width) patterns[width] = Pattern(width, 4, 0);
  return patterns;
}();

constexpr auto kPatterns64 = [] {
  std::array<std::array<Pattern, 2>, kWidest + 1> patterns;
  for (unsigned width = 1; width <= kWidest; ++width) patterns[width] = {Pattern(width, 8, 0), Pattern(width, 8, 4)};
  return patterns;
}();

// Wider fields may end in a ninth byte: of a load 8 bytes on, it goes to the front of its lane.
constexpr auto kNinthBytes = [] {
  std::array<std::array<Pattern, 2>, kWidest - kWidest64> patterns;
  for (unsigned width = kWidest64 + 1; width <= kWidest; ++width) {
    auto& both = patterns[width - kWidest64 - 1];
    both = {Pattern(width, 8, 0), Pattern(width, 8, 4)};
    for (Pattern& pattern : both) {
      for (unsigned at = 0; at < 32; ++at) pattern.shuffle[at] = at % 8 == 0 ? pattern.shuffle[at] : 0x80;
      for (std::uint8_t& at : pattern.load_at) at = static_cast<std::uint8_t>(at + 8);
    }
  }
  return patterns;
}();

struct Registers {
  __m256i shuffle, shift;
  std::size_t low_at, high_at;
};

THIMBLE_TARGET_AVX2 inline Registers LoadPattern(const Pattern& pattern) {
  return {_mm256_load_si256(reinterpret_cast<const __m256i*>(pattern.shuffle.data())),
          _mm256_load_si256(reinterpret_cast<const __m256i*>(pattern.shift.data())), pattern.load_at[0], pattern.load_at[1]};
}

THIMBLE_TARGET_AVX2 inline __m256i Gather(const std::byte* group, const Registers& r) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(group + r.low_at));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(group + r.high_at));
  return _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1), r.shuffle);
}

// unpack(i) for each group, four at a time, so that asking for the line to come costs little beside them.
template <class Unpack>
THIMBLE_TARGET_AVX2 inline void ForGroups(const std::byte* run, unsigned width, std::uint64_t groups, Unpack unpack) {
  std::uint64_t i = 0;
  for (; i + 4 <= groups; i += 4, run += 4 * width) {
    _mm_prefetch(reinterpret_cast<const char*>(run + kPrefetchBytes), _MM_HINT_T0);
    unpack(run, i);
    unpack(run + width, i + 1);
    unpack(run + 2 * width, i + 2);
    unpack(run + 3 * width, i + 3);
  }
  for (; i < groups; ++i, run += width) unpack(run, i);
}

THIMBLE_TARGET_AVX2 inline __m256i Repeated(const std::byte* group) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(group)));
}

THIMBLE_TARGET_AVX2 void UnpackNarrow(const std::byte* run, unsigned width, std::uint64_t groups, std::uint32_t* out) {
  const Registers r = LoadPattern(kPatterns32[width]);
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(LowBits(width)));
  ForGroups(run, width, groups, [=](const std::byte* group, std::uint64_t i) THIMBLE_TARGET_AVX2 {
    const __m256i values = _mm256_srlv_epi32(_mm256_shuffle_epi8(Repeated(group), r.shuffle), r.shift);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup), _mm256_and_si256(values, mask));
  });
}

THIMBLE_TARGET_AVX2 void UnpackNarrow(const std::byte* run, unsigned width, std::uint64_t groups, std::uint64_t* out) {
  const Registers a = LoadPattern(kPatterns64[width][0]);
  const Registers b = LoadPattern(kPatterns64[width][1]);
  const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(LowBits(width)));
  ForGroups(run, width, groups, [=](const std::byte* group, std::uint64_t i) THIMBLE_TARGET_AVX2 {
    const __m256i fields = Repeated(group);
    const __m256i low = _mm256_srlv_epi64(_mm256_shuffle_epi8(fields, a.shuffle), a.shift);
    const __m256i high = _mm256_srlv_epi64(_mm256_shuffle_epi8(fields, b.shuffle), b.shift);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup), _mm256_and_si256(low, mask));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup + 4), _mm256_and_si256(high, mask));
  });
}

THIMBLE_TARGET_AVX2 void UnpackGroups(const std::byte* run, unsigned width, std::uint64_t groups, std::uint32_t* out) {
  if (width <= kOneLoad) return UnpackNarrow(run, width, groups, out);
  if (width <= kWidest32) {
    const Registers r = LoadPattern(kPatterns32[width]);
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(LowBits(width)));
    return ForGroups(run, width, groups, [=](const std::byte* group, std::uint64_t i) THIMBLE_TARGET_AVX2 {
      const __m256i values = _mm256_and_si256(_mm256_srlv_epi32(Gather(group, r), r.shift), mask);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup), values);
    });
  }
  const Registers a = LoadPattern(kPatterns64[width][0]);
  const Registers b = LoadPattern(kPatterns64[width][1]);
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(LowBits(std::min(width, 32u))));
  for (; groups > 0; --groups, run += width, out += kGroup) {
    _mm_prefetch(reinterpret_cast<const char*>(run + kPrefetchBytes), _MM_HINT_T0);
    const __m256 low = _mm256_castsi256_ps(_mm256_srlv_epi64(Gather(run, a), a.shift));
    const __m256 high = _mm256_castsi256_ps(_mm256_srlv_epi64(Gather(run, b), b.shift));
    const __m256i values = _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88)), 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_and_si256(values, mask));
  }
}

THIMBLE_TARGET_AVX2 void UnpackWide(const std::byte* run, unsigned width, std::uint64_t groups, std::uint64_t* out) {
  const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(LowBits(width)));
  for (unsigned half = 0; half < 2; ++half) {
    const Registers a = LoadPattern(kPatterns64[width][half]);
    const Registers ninth = LoadPattern(kNinthBytes[width - kWidest64 - 1][half]);
    const __m256i back = _mm256_sub_epi64(_mm256_set1_epi64x(64), a.shift);
    ForGroups(run, width, groups, [=](const std::byte* group, std::uint64_t i) THIMBLE_TARGET_AVX2 {
      const __m256i values = _mm256_or_si256(_mm256_srlv_epi64(Gather(group, a), a.shift), _mm256_sllv_epi64(Gather(group, ninth), back));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup + 4 * half), _mm256_and_si256(values, mask));
    });
  }
}

THIMBLE_TARGET_AVX2 void UnpackGroups(const std::byte* run, unsigned width, std::uint64_t groups, std::uint64_t* out) {
  if (width <= kOneLoad) return UnpackNarrow(run, width, groups, out);
  if (width > kWidest64) return UnpackWide(run, width, groups, out);
  const Registers a = LoadPattern(kPatterns64[width][0]);
  const Registers b = LoadPattern(kPatterns64[width][1]);
  const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(LowBits(width)));
  ForGroups(run, width, groups, [=](const std::byte* group, std::uint64_t i) THIMBLE_TARGET_AVX2 {
    const __m256i low = _mm256_and_si256(_mm256_srlv_epi64(Gather(group, a), a.shift), mask);
    const __m256i high = _mm256_and_si256(_mm256_srlv_epi64(Gather(group, b), b.shift), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup), low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * kGroup + 4), high);
  });
}

#endif

template <class T>
void Unpack(std::span<const std::byte> run, unsigned width, std::uint64_t first, std::span<T> out) {
  if (width == 8 * sizeof(T) && !out.empty()) {
    std::memcpy(out.data(), run.data() + first * sizeof(T), out.size_bytes());
    return;
  }
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2 && width > 0 && width <= kWidest && out.size() >= 2 * kGroup) {
    const std::size_t head = static_cast<std::size_t>(-first % kGroup);
    UnpackOneByOne(run.data(), width, first, out.first(head));
    first += head;
    out = out.subspan(head);
    // A group loads 24 bytes from its last quarter on; groups too near the end are left to the loop below.
    constexpr std::uint64_t kLoaded = 24;
    const std::uint64_t from = first / kGroup * width;
    const std::uint64_t room = run.size() - from;
    const std::uint64_t readable = room < width + kLoaded ? 0 : (room - width - kLoaded) / width + 1;
    const std::uint64_t groups = std::min<std::uint64_t>(out.size() / kGroup, readable);
    UnpackGroups(run.data() + from, width, groups, out.data());
    first += groups * kGroup;
    out = out.subspan(static_cast<std::size_t>(groups * kGroup));
  }
#endif
  UnpackOneByOne(run.data(), width, first, out);
}

}  // namespace

void UnpackBits(std::span<const std::byte> run, unsigned width, std::uint64_t first, std::span<std::uint32_t> out) {
  Unpack(run, width, first, out);
}

void UnpackBits(std::span<const std::byte> run, unsigned width, std::uint64_t first, std::span<std::uint64_t> out) {
  Unpack(run, width, first, out);
}

}  // namespace thimble
