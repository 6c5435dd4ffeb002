#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

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
//   tokens of the strings
//
// The LCP of the first string is not stored: its prefix is the whole separator that the level above keeps for the bucket.
class FrontBucket {
 public:
  static constexpr unsigned kStrings = 32;
  static constexpr unsigned kListForm = 31;
  static constexpr std::size_t kMaxHead = 1 + 10 + 1 + 10 * 31 + 5 * 4;

  // Which strings have a smaller or an equal LCP: bit i for string i, without string 0.
  struct Order {
    std::uint32_t less, equal;
  };

  // Reads the head of a bucket of `count` strings at `at`. Nothing from `limit` on is used, though up to 64 bytes behind it
  // may be loaded.
  THIMBLE_INLINE FrontBucket(const std::uint8_t* at, const std::uint8_t* limit, unsigned count) {
    members_ = static_cast<std::uint32_t>(LowBits(count)) & ~1u;
    if (at >= limit) {
      stream_ = limit;
      return;
    }
    const unsigned head = *at++;
    planes_ = head & 7;
    if (planes_ > 5) planes_ = 5;
    const unsigned mask_bytes = head >> 3;
    base_ = Varint(at, limit);
    if (mask_bytes <= 8) {
      word_ = Load<std::uint64_t>(reinterpret_cast<const std::byte*>(at)) & LowBits(8 * mask_bytes);
      at += mask_bytes;
    } else {
      at = ReadLongMask(at, limit, mask_bytes);
    }
    plane_ = at;
    stream_ = at + 4 * planes_;
    if (stream_ > limit) {
      planes_ = 0;
      stream_ = limit;
    }
  }

  const std::uint8_t* stream() const { return stream_; }

  THIMBLE_INLINE Order Compare(std::uint64_t lcp) const {
    bool present;
    const unsigned rank = RankOf(lcp, present);
    Order order = CompareRank(rank);
    if (!present) order.equal = 0;
    return order;
  }

  THIMBLE_INLINE Order CompareRank(unsigned rank) const {
    if ((rank >> planes_) != 0) return {members_, 0};
    std::uint32_t less = 0, equal = members_;
    for (unsigned p = planes_; p-- > 0;) {
      const std::uint32_t plane = Plane(p);
      const std::uint32_t ones = 0u - ((rank >> p) & 1u);
      less |= equal & ~plane & ones;
      equal &= ~(plane ^ ones);
    }
    return {less, equal};
  }

  // Requires: i < kStrings.
  THIMBLE_INLINE unsigned Rank(unsigned i) const {
    unsigned rank = 0;
    for (unsigned p = 0; p < planes_; ++p) rank |= ((Plane(p) >> i) & 1u) << p;
    return rank;
  }

  THIMBLE_INLINE std::uint64_t LcpOf(unsigned rank) const {
    if (rank == 0) return base_;
    if (long_form_) return LongLcpOf(rank);
    std::uint64_t word = word_;
    for (unsigned skipped = 1; skipped < rank; ++skipped) word &= word - 1;
    return base_ + 1 + (word == 0 ? 64u : static_cast<unsigned>(std::countr_zero(word)));
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
  THIMBLE_INLINE std::uint32_t Plane(unsigned p) const {
    return Load<std::uint32_t>(reinterpret_cast<const std::byte*>(plane_) + 4 * p);
  }

  // How many different LCPs are smaller, and whether this one is there.
  THIMBLE_INLINE unsigned RankOf(std::uint64_t lcp, bool& present) const {
    present = lcp == base_;
    if (lcp <= base_) return 0;
    if (long_form_) return LongRankOf(lcp, present);
    const std::uint64_t bit = lcp - base_ - 1;
    if (bit >= 64) return 1 + static_cast<unsigned>(std::popcount(word_));
    present = ((word_ >> bit) & 1) != 0;
    return 1 + static_cast<unsigned>(std::popcount(word_ & LowBits(static_cast<unsigned>(bit))));
  }

  // The forms for LCPs more than 64 apart walk a list of at most 240 candidates.
  const std::uint8_t* ReadLongMask(const std::uint8_t* at, const std::uint8_t* limit, unsigned mask_bytes);
  unsigned LongRankOf(std::uint64_t lcp, bool& present) const;
  std::uint64_t LongLcpOf(unsigned rank) const;
  template <class Visit>
  void EachLongLcp(Visit visit) const;

  std::uint32_t members_ = 0;
  unsigned planes_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t word_ = 0;
  bool long_form_ = false;
  std::uint8_t mask_bytes_ = 0;
  const std::uint8_t* mask_ = nullptr;
  const std::uint8_t* mask_limit_ = nullptr;
  const std::uint8_t* plane_ = nullptr;
  const std::uint8_t* stream_ = nullptr;
};

}  // namespace thimble::internal
