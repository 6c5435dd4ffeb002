#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "thimble/bytes.h"
#include "token_codes.h"

namespace thimble::internal {

// Prefix codes for the LCPs of a bucket, where every byte counts: each less the smallest of them, in a code that depends on
// the one before. Those of neighbours tell much of each other: of a host name they take 3.0 bits, in bit planes 4.0.
struct LcpCode {
  static constexpr unsigned kValueBits = 5;
  static constexpr unsigned kValues = 1 << kValueBits;
  static constexpr unsigned kContexts = 8;  // of an LCP less the smallest; one more for the smallest itself
  static constexpr unsigned kLeast = kContexts;
  static constexpr unsigned kMaxBits = 8;

  // By the value before, at most the last context, and the next kMaxBits bits: a value | its code's length - 1, shifted. What
  // is no less than kValues - 1 as the smallest LCP is that here, and the rest follows the codes.
  using Table = std::array<std::uint8_t, (kContexts + 1) << kMaxBits>;

  // Reads the smallest LCP, which it returns, and `count` values from `at` on, as bit planes from bit 1 on. Up to count + 9
  // bytes are loaded. Requires: count < kValues.
  static THIMBLE_INLINE unsigned Read(const std::byte* table, const std::uint8_t* at, unsigned count, std::uint32_t* planes) {
    static_assert(kValues == 32 && kValueBits + 3 == 8);
    alignas(16) std::uint8_t values[kValues] = {};
    const auto window_at = [at](std::size_t bit) {
      return __builtin_bswap64(Load<std::uint64_t>(reinterpret_cast<const std::byte*>(at) + bit / 8)) << (bit % 8);
    };
    const auto entry_of = [table](unsigned context, std::uint64_t window) {
      return std::to_integer<unsigned>(table[context << kMaxBits | window >> (64 - kMaxBits)]);
    };
    const unsigned first = entry_of(kLeast, window_at(0));
    std::size_t bit = first / kValues + 1;
    unsigned context = 0;
    for (unsigned i = 1; i <= count;) {
      std::uint64_t window = window_at(bit);
      for (unsigned codes = 0; codes < kCodesInWindow && i <= count; ++codes, ++i) {
        const unsigned entry = entry_of(context, window), value = entry % kValues, length = entry / kValues + 1;
        values[i] = static_cast<std::uint8_t>(value);
        context = std::min(value, kContexts - 1);
        window <<= length;
        bit += length;
      }
    }
    GatherBits(values, planes);
    return first % kValues;
  }

 private:
  static constexpr unsigned kCodesInWindow = (64 - 7) / kMaxBits;

  // Bit i of plane p is bit p of value i.
  static THIMBLE_INLINE void GatherBits(const std::uint8_t* values, std::uint32_t* planes) {
#if defined(__SSE2__)
    const __m128i low = _mm_load_si128(reinterpret_cast<const __m128i*>(values));
    const __m128i high = _mm_load_si128(reinterpret_cast<const __m128i*>(values + 16));
    for (unsigned p = 0; p < kValueBits; ++p) {
      const auto up = static_cast<int>(7 - p);
      planes[p] = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_slli_epi16(low, up))) |
                  static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_slli_epi16(high, up))) << 16;
    }
#else
    for (unsigned p = 0; p < kValueBits; ++p) {
      planes[p] = 0;
      for (unsigned i = 0; i < kValues; ++i) planes[p] |= std::uint32_t{values[i] >> p & 1u} << i;
    }
#endif
  }
};

// Learns the codes from the LCPs of all buckets, and writes them.
class LcpWriter {
 public:
  // The LCP of the next string of a stream of full buckets; that of a bucket's first string does not count.
  void Add(std::uint64_t lcp);
  // Ends the stream. If the table would take more than the codes save, there are none.
  void Learn();

  std::size_t table_bytes() const { return learned_ ? sizeof table_ : 0; }
  const LcpCode::Table& table() const { return table_; }
  // The bytes of these LCPs in codes, or ~0 if some have none.
  std::size_t BytesOf(std::span<const std::uint64_t> lcps) const;
  // Requires: they have codes.
  void Write(std::span<const std::uint64_t> lcps, std::string* out) const;

 private:
  struct Code {
    std::uint8_t code = 0, bits = 0;
  };

  void EndBucket();
  void AssignCodes(unsigned context);
  // Calls visit(context, value) for the smallest and each, or returns false if one is too large.
  template <class Visit>
  static bool Each(std::span<const std::uint64_t> lcps, Visit visit);

  std::array<std::uint64_t, 32> bucket_{};
  unsigned in_bucket_ = 0;
  std::array<std::array<double, LcpCode::kValues>, LcpCode::kContexts + 1> uses_{};
  std::uint64_t buckets_ = 0, plane_bytes_ = 0;  // of those that codes can do
  std::array<std::array<Code, LcpCode::kValues>, LcpCode::kContexts + 1> codes_{};
  LcpCode::Table table_{};
  bool learned_ = false;
};

}  // namespace thimble::internal
