#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lcp_code.h"
#include "thimble/bytes.h"
#include "token_codes.h"

namespace thimble::internal {

// A bucket: up to 32 sorted strings, each as the length of the prefix that it shares with the one before (its LCP) and the
// rest in tokens. The LCPs are few different numbers; each string has the rank of its own among them, in bit planes, so
// that "which strings have an LCP below x" is a few operations on 32-bit words.
//
//   u8      planes (low 3 bits), mask bytes k (high 5 bits)
//   varint  base, the smallest LCP
//   u8[k]   bit i: base + 1 + i is an LCP too;  k = 31: u8 d, then d varints, each further LCP less the one before
//   u32[]   planes, low bit of the rank first
//   u8[]    only where asked for: the first byte of the rest of each string, which its tokens then leave out
//   tokens of the strings
//
// Dense, instead of base, mask and planes: 7 planes, and of k bytes the base and each LCP less the base in an LcpCode; if the
// base is 31 or more, then as a varint how much more.
//
// The LCP of the first string is not stored: its prefix is the whole separator that the level above keeps for the bucket.
class FrontBucket {
 public:
  static constexpr unsigned kStrings = 32;
  static constexpr unsigned kListForm = 31;
  static constexpr unsigned kCodedForm = 7, kLargeBase = 31, kMostCodeBytes = 31;
  static constexpr std::size_t kMaxHead = 1 + 10 + 1 + 10 * 31 + 5 * 4;

  // Which strings have a smaller or an equal LCP: bit i for string i, without string 0.
  struct Order {
    std::uint32_t less, equal;
  };

  // Reads the head of a bucket of `count` strings at `at`, with `firsts` first bytes, and perhaps with LCPs in the codes of
  // `lcp_table`: of strings behind the `count`-th, nothing is read. Nothing from `limit` on is used, though up to 64 bytes
  // behind it may be loaded.
  THIMBLE_INLINE FrontBucket(const std::uint8_t* at, const std::uint8_t* limit, unsigned count, unsigned firsts,
                             const std::byte* lcp_table) {
    members_ = static_cast<std::uint32_t>(LowBits(count)) & ~1u;
    unsigned planes = 0;
    if (at < limit) {
      const unsigned head = *at++;
      planes = head & 7;
      const unsigned mask_bytes = head >> 3;
      if (planes == kCodedForm && lcp_table != nullptr) {
        ReadCoded(at, limit, count, lcp_table, mask_bytes);
        return;
      }
      base_ = Varint(at, limit);
      if (mask_bytes < 8) {
        lcps_ = (Load<std::uint64_t>(reinterpret_cast<const std::byte*>(at)) & LowBits(8 * mask_bytes)) << 1 | 1;
        at += mask_bytes;
      } else {
        at = ReadLongMask(at, limit, mask_bytes);
      }
    }
    if (planes > kPlanes || limit - at < static_cast<std::ptrdiff_t>(4 * planes)) planes = 0;
    firsts_ = at + 4 * planes;
    stream_ = limit - firsts_ < static_cast<std::ptrdiff_t>(firsts) ? limit : firsts_ + firsts;
    for (unsigned p = 0; p < kPlanes; ++p) {
      plane_[p] = Load<std::uint32_t>(reinterpret_cast<const std::byte*>(at) + 4 * p) & (0u - static_cast<std::uint32_t>(p < planes));
    }
  }

  const std::uint8_t* stream() const { return stream_; }

  std::uint8_t First(unsigned i) const { return firsts_[i]; }

  // Which of the first bytes are less than `byte`, and which are equal to it.
  template <CpuLevel kLevel>
  THIMBLE_INLINE Order CompareFirsts(std::uint8_t byte) const {
#if THIMBLE_HAS_AVX2_KERNELS
    if constexpr (kLevel == CpuLevel::kAvx2) return CompareFirstsAvx2(byte);
#endif
    Order order{0, 0};
    for (unsigned i = 0; i < kStrings; ++i) {
      order.less |= static_cast<std::uint32_t>(firsts_[i] < byte) << i;
      order.equal |= static_cast<std::uint32_t>(firsts_[i] == byte) << i;
    }
    return order;
  }

  THIMBLE_INLINE Order Compare(std::uint64_t lcp) const {
    bool present;
    const unsigned rank = RankOf(lcp, present);
    Order order = CompareRank(rank);
    order.equal &= 0u - static_cast<std::uint32_t>(present);
    return order;
  }

  // All planes, the empty ones too: the same work for every bucket.
  THIMBLE_INLINE Order CompareRank(unsigned rank) const {
    std::uint32_t less = (rank >> kPlanes) != 0 ? members_ : 0, equal = members_;
    for (unsigned p = kPlanes; p-- > 0;) {
      const std::uint32_t ones = 0u - ((rank >> p) & 1u);
      less |= equal & ~plane_[p] & ones;
      equal &= ~(plane_[p] ^ ones);
    }
    return {less, equal};
  }

  // Requires: i < kStrings.
  THIMBLE_INLINE unsigned Rank(unsigned i) const {
    unsigned rank = 0;
    for (unsigned p = 0; p < kPlanes; ++p) rank |= ((plane_[p] >> i) & 1u) << p;
    return rank;
  }

  THIMBLE_INLINE std::uint64_t LcpOf(unsigned rank) const {
    if (long_form_) return rank == 0 ? base_ : LongLcpOf(rank);
    if (lcps_ == kAllCoded) return base_ + rank;
    std::uint64_t lcps = lcps_;
    for (unsigned skipped = 0; skipped < rank; ++skipped) lcps &= lcps - 1;
    return base_ + (lcps == 0 ? 64u : static_cast<unsigned>(std::countr_zero(lcps)));
  }

  // A number of at most 63 bits, 7 in a byte, low ones first.
  static THIMBLE_INLINE std::uint64_t Varint(const std::uint8_t*& at, const std::uint8_t* limit) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at < limit && shift < 63; shift += 7) {
      const std::uint8_t byte = *at++;
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

 private:
  // As if all that may be were there: the rank of an LCP is the LCP less the base.
  THIMBLE_INLINE void ReadCoded(const std::uint8_t* at, const std::uint8_t* limit, unsigned count, const std::byte* lcp_table,
                                unsigned code_bytes) {
    static_assert(kPlanes == LcpCode::kValueBits && kLargeBase == LcpCode::kValues - 1);
    base_ = LcpCode::Read(lcp_table, at, std::max(count, 1u) - 1, plane_);  // damaged routes may lead to none
    lcps_ = kAllCoded;
    at = static_cast<std::size_t>(limit - at) < code_bytes ? limit : at + code_bytes;
    if (base_ == kLargeBase) base_ += Varint(at, limit);
    firsts_ = stream_ = at;
  }

#if THIMBLE_HAS_AVX2_KERNELS
  THIMBLE_TARGET_AVX2 Order CompareFirstsAvx2(std::uint8_t byte) const {
    const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(firsts_));
    const __m256i wanted = _mm256_set1_epi8(static_cast<char>(byte));
    const auto equal = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, wanted)));
    const __m256i not_above = _mm256_cmpeq_epi8(_mm256_max_epu8(all, wanted), wanted);
    return {static_cast<std::uint32_t>(_mm256_movemask_epi8(not_above)) & ~equal, equal};
  }
#endif

  // How many different LCPs are smaller, and whether this one is there.
  THIMBLE_INLINE unsigned RankOf(std::uint64_t lcp, bool& present) const {
    if (long_form_) return LongRankOf(lcp, present);
    const std::uint64_t above = lcp < base_ ? 0 : lcp - base_;
    const unsigned shift = above < 64 ? static_cast<unsigned>(above) : 63;
    present = ((lcps_ >> shift) & 1) != 0 && lcp == base_ + shift;
    const std::uint64_t below = above < 64 ? (std::uint64_t{1} << shift) - 1 : ~std::uint64_t{0};
    return static_cast<unsigned>(std::popcount(lcps_ & below));
  }

  // The forms for LCPs more than 56 apart walk a list of at most 240 candidates.
  const std::uint8_t* ReadLongMask(const std::uint8_t* at, const std::uint8_t* limit, unsigned mask_bytes);
  unsigned LongRankOf(std::uint64_t lcp, bool& present) const;
  std::uint64_t LongLcpOf(unsigned rank) const;
  template <class Visit>
  void EachLongLcp(Visit visit) const;

  static constexpr unsigned kPlanes = 5;
  static constexpr std::uint64_t kAllCoded = LowBits(LcpCode::kValues);

  std::uint32_t members_ = 0;
  std::uint32_t plane_[kPlanes];
  std::uint64_t base_ = 0;
  std::uint64_t lcps_ = 1;  // bit i: base_ + i is an LCP
  bool long_form_ = false;
  std::uint8_t mask_bytes_ = 0;
  const std::uint8_t* mask_ = nullptr;
  const std::uint8_t* mask_limit_ = nullptr;
  const std::uint8_t* firsts_ = nullptr;
  const std::uint8_t* stream_ = nullptr;
};

}  // namespace thimble::internal
