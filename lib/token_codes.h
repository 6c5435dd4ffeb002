#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "cpu.h"
#include "inline.h"
#include "thimble/bytes.h"
#include "token_table.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble::internal {

// How many strings a run has at most, for those that note where each begins.
inline constexpr unsigned kMaxStrings = 32;

// Both codes below read a run of token codes from a position and are told where the run's section ends; past it they read tokens
// that end their string. They are inlined into functions that are compiled for one CPU level each.

// Codes of one or two bytes. The first byte c of a code is single (c >= lead) or the first of two (c < lead); the last byte b
// of a code is >= stop in tokens that end a string, and no other byte of a code is. So the i-th string of a run is found by
// counting the bytes >= stop, 32 at a time.
struct ByteCode {
  using Position = const std::uint8_t*;

  TokenTable table;  // 256 - lead single codes, then 256 for each lead byte
  const std::uint8_t* firsts = nullptr;  // the first byte of each token: few enough for the nearest cache
  unsigned lead = 0;
  unsigned stop = 0;
  const std::uint8_t* limit = nullptr;

  static constexpr std::size_t TableSize(unsigned lead) { return 256 - lead + std::size_t{256} * lead; }

  THIMBLE_INLINE Position At(const std::uint8_t* stream) const { return stream; }

  THIMBLE_INLINE std::uint32_t Next(Position& at) const {
    if (at >= limit) return TokenTable::kEnd;
    const std::size_t index = IndexAt(at);
    at += 1 + static_cast<unsigned>(at[0] < lead);
    return table.At(index);
  }

  // The position behind the next `strings` strings.
  template <CpuLevel kLevel>
  THIMBLE_INLINE Position Skip(Position at, unsigned strings) const {
    if (strings == 0) return at;
#if THIMBLE_HAS_AVX2_KERNELS
    if constexpr (kLevel == CpuLevel::kAvx2) return SkipAvx2(at, strings);
#endif
    while (at < limit) {
      if (*at++ >= stop && --strings == 0) break;
    }
    return at;
  }

  // The first byte of the string that begins at `at`, if it is not empty.
  THIMBLE_INLINE std::uint8_t FirstByte(Position at) const { return at < limit ? firsts[IndexAt(at)] : 0; }

  // Where the strings of a run begin, asked in ascending order. Reach says in advance how far.
  template <CpuLevel kLevel>
  class Walk;

  // Without a branch: half of all codes have two bytes.
  THIMBLE_INLINE std::size_t IndexAt(Position at) const {
    const std::size_t both = __builtin_bswap16(Load<std::uint16_t>(reinterpret_cast<const std::byte*>(at)));
    const std::size_t first = both >> 8;
    return first - lead + ((both + 256 - first) & (0 - std::size_t{first < lead}));
  }

#if THIMBLE_HAS_AVX2_KERNELS
  THIMBLE_TARGET_AVX2 Position SkipAvx2(Position at, unsigned strings) const {
    const __m256i from = _mm256_set1_epi8(static_cast<char>(stop));
    while (at + 32 <= limit) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      const auto ends = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes, from), bytes)));
      const auto found = static_cast<unsigned>(_mm_popcnt_u32(ends));
      if (found >= strings) return at + _tzcnt_u32(_pdep_u32(1u << (strings - 1), ends)) + 1;
      strings -= found;
      at += 32;
    }
    while (at < limit) {
      if (*at++ >= stop && --strings == 0) break;
    }
    return at;
  }
#endif
};

template <>
class ByteCode::Walk<CpuLevel::kBaseline> {
 public:
  THIMBLE_INLINE Walk(const ByteCode& code, const std::uint8_t* stream) : code_(code), at_(stream) {}
  THIMBLE_INLINE void Reach(unsigned) {}
  THIMBLE_INLINE Position StartOf(unsigned string) {
    at_ = code_.Skip<CpuLevel::kBaseline>(at_, string - string_);
    string_ = string;
    return at_;
  }

 private:
  const ByteCode& code_;
  Position at_;
  unsigned string_ = 0;
};

#if THIMBLE_HAS_AVX2_KERNELS
// Looks at 128 bytes at a time, which most buckets end in. Where strings begin in them are independent questions, so the
// answers do not wait for one another.
template <>
class ByteCode::Walk<CpuLevel::kAvx2> {
 public:
  THIMBLE_INLINE Walk(const ByteCode& code, const std::uint8_t* stream) : code_(code), at_(stream) { LoadWindow(); }
  THIMBLE_INLINE void Reach(unsigned) {}

  THIMBLE_INLINE Position StartOf(unsigned string) {
    while (string - before_ > ends_in_window_ && at_ + 128 < code_.limit) [[unlikely]] {
      before_ += ends_in_window_;
      at_ += 128;
      LoadWindow();
    }
    const unsigned behind = string - before_;  // ends in this window until the string begins
    // As arithmetic: either half is as likely.
    const std::uint64_t in_high = 0 - std::uint64_t{behind > ends_in_low_};
    const std::uint64_t ends = low_ ^ ((low_ ^ high_) & in_high);
    const std::uint64_t offset = (64 & in_high) + EndOf(ends, behind - (ends_in_low_ & static_cast<unsigned>(in_high)));
    return at_ + (offset & (0 - std::uint64_t{behind != 0}));
  }

 private:
  THIMBLE_TARGET_AVX2 void LoadWindow() {
    low_ = EndsIn(at_);
    high_ = EndsIn(at_ + 64);
    ends_in_low_ = static_cast<unsigned>(_mm_popcnt_u64(low_));
    ends_in_window_ = ends_in_low_ + static_cast<unsigned>(_mm_popcnt_u64(high_));
  }
  THIMBLE_TARGET_AVX2 std::uint64_t EndsIn(const std::uint8_t* bytes) const {
    const __m256i from = _mm256_set1_epi8(static_cast<char>(code_.stop));
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32));
    const auto low_ends = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(low, from), low)));
    const auto high_ends = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(high, from), high)));
    return std::uint64_t{high_ends} << 32 | low_ends;
  }
  // What lies behind the `count`-th of `ends`; 65 if there are not so many, which only damage makes.
  THIMBLE_TARGET_AVX2 static std::uint64_t EndOf(std::uint64_t ends, unsigned count) {
    return _tzcnt_u64(_pdep_u64(std::uint64_t{1} << ((count - 1) & 63), ends)) + 1;
  }

  const ByteCode& code_;
  Position at_;
  unsigned before_ = 0;  // strings that end before the window
  std::uint64_t low_ = 0, high_ = 0;
  unsigned ends_in_low_ = 0, ends_in_window_ = 0;
};
#endif

// Canonical prefix codes of 1 to 19 bits, most significant bit first; the tokens stand in the table by code length, and of a
// length those that end their string behind the others.
struct BitCode {
  static constexpr unsigned kMaxBits = 19;
  static constexpr unsigned kQuickBits = 10;
  static constexpr unsigned kLengths = 33;  // of which the last are of no use: but none that an image can name is missing
  static constexpr unsigned kCodesInWindow = (64 - 7) / kMaxBits;

  // All by code length, and codes as left-aligned numbers of kMaxBits: those of a length are below below[length], and end
  // their string from ends[length] on; a code has the index offset[length] + (code >> (kMaxBits - length)), modulo 2^32.
  struct Lengths {
    std::array<std::uint32_t, kLengths> below{};
    std::array<std::uint32_t, kLengths> offset{};
    std::array<std::uint32_t, kLengths> ends{};
  };

  // The shortest length that a code with these first kQuickBits may have, less one.
  using Quick = std::array<std::uint8_t, 1 << kQuickBits>;

  struct Position {
    std::uint64_t bit;
  };

  TokenTable table;
  const std::byte* lengths = nullptr;  // a Lengths, in the image
  const std::byte* quick = nullptr;    // a Quick
  const std::byte* base = nullptr;
  std::uint64_t bits = 0;  // in the section from `base`

  THIMBLE_INLINE Position At(const std::uint8_t* stream) const {
    return {static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(stream) - base) * 8};
  }

  THIMBLE_INLINE std::uint32_t Next(Position& at) const {
    const std::size_t index = NextIndex(at);
    return index < table.count ? EntryAt(index) : TokenTable::kEnd;
  }

  // Requires: index < table.count.
  THIMBLE_INLINE std::uint32_t EntryAt(std::size_t index) const {
    return HasShortEntries(table.arena_bytes) ? table.AtShort(index) : table.At(index);
  }
  static constexpr bool HasShortEntries(std::uint64_t arena_bytes) { return arena_bytes <= TokenTable::kMaxShortArena; }

  // Not below the number of tokens behind the section's end, and where there is no code.
  THIMBLE_INLINE std::size_t NextIndex(Position& at) const {
    if (at.bit >= bits) return ~std::size_t{0};
    const std::uint64_t window = WindowAt(at.bit);
    const unsigned length = LengthOf(window);
    at.bit += length;
    return Load<std::uint32_t>(lengths + offsetof(Lengths, offset) + 4 * length) + static_cast<std::uint32_t>(window >> (64 - length));
  }

  template <CpuLevel kLevel>
  THIMBLE_INLINE Position Skip(Position at, unsigned strings) const {
    while (strings > 0 && at.bit < bits) strings -= TokenTable::Ends(Next(at));
    return at;
  }

  THIMBLE_INLINE std::uint8_t FirstByte(Position at) const {
    const std::uint32_t entry = Next(at);
    return TokenTable::LengthOf(entry) == 0 ? 0 : std::to_integer<std::uint8_t>(*table.TextOf(entry));
  }

  // Whether codes and tokens agree about which of them end a string.
  bool EndsAreRight() const {
    const auto all = Load<Lengths>(lengths);
    std::uint32_t code = 0;
    for (unsigned length = 1; length <= kMaxBits; ++length) {
      const std::uint32_t step = 1u << (kMaxBits - length);
      for (; code < all.below[length]; code += step) {
        const std::size_t index = all.offset[length] + (code >> (kMaxBits - length));
        if (index >= table.count || TokenTable::Ends(EntryAt(index)) != (code >= all.ends[length])) return false;
      }
    }
    return true;
  }

  // Notes where every string begins on its way: nothing on it depends on where strings end, and the next code waits for the
  // length of this one alone.
  template <CpuLevel kLevel>
  class Walk {
   public:
    THIMBLE_INLINE Walk(const BitCode& code, const std::uint8_t* stream) : code_(code), at_(code.At(stream)) { starts_[0] = at_; }
    THIMBLE_INLINE void Reach(unsigned string) {
      while (ended_ < string && at_.bit < code_.bits) {
        std::uint64_t window = code_.WindowAt(at_.bit);
        const auto step = [&] {
          const unsigned length = code_.LengthOf(window);
          at_.bit += length;
          starts_[ended_ + 1] = at_;  // if the string goes on, then until its next code
          ended_ += code_.EndsString(window, length);
          window <<= length;
        };
        static_assert(kCodesInWindow == 3);
        step();
        step();
        step();
      }
    }
    THIMBLE_INLINE Position StartOf(unsigned string) {
      Reach(string);
      return string <= ended_ ? starts_[string] : Position{code_.bits};
    }

   private:
    const BitCode& code_;
    Position at_;
    unsigned ended_ = 0;
    Position starts_[kMaxStrings + kCodesInWindow + 1];
  };

 private:
  // Requires: bit < bits. At least 57 bits from there on, left-aligned.
  THIMBLE_INLINE std::uint64_t WindowAt(std::uint64_t bit) const {
    return __builtin_bswap64(Load<std::uint64_t>(base + bit / 8)) << (bit % 8);
  }
  THIMBLE_INLINE static std::uint32_t CodeIn(std::uint64_t window) { return static_cast<std::uint32_t>(window >> (64 - kMaxBits)); }
  THIMBLE_INLINE bool EndsString(std::uint64_t window, unsigned length) const {
    return CodeIn(window) >= Load<std::uint32_t>(lengths + offsetof(Lengths, ends) + 4 * length);
  }
  // 1 to 32, whatever the table holds.
  THIMBLE_INLINE unsigned LengthOf(std::uint64_t window) const {
    unsigned length = (std::to_integer<unsigned>(quick[window >> (64 - kQuickBits)]) & 31) + 1;
    while (length < kMaxBits && CodeIn(window) >= Load<std::uint32_t>(lengths + 4 * length)) ++length;
    return length;
  }
};

}  // namespace thimble::internal
