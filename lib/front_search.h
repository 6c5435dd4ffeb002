#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "front_bucket.h"
#include "token_codes.h"

namespace thimble::internal {

// What a search looks for: kSlack zeros stand behind its end, so that it is read in whole words.
class Target {
 public:
  static constexpr std::size_t kSlack = 32;

  Target() = default;
  std::uint64_t size() const { return size_; }
  // Requires: at <= size().
  const std::byte* From(std::uint64_t at) const { return data_ + at; }
  std::uint8_t Byte(std::uint64_t at) const { return std::to_integer<std::uint8_t>(data_[at]); }

 private:
  friend class TargetRoom;
  Target(const std::byte* data, std::uint64_t size) : data_(data), size_(size) {}

  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

// Holds copies of keys to look for, together up to a few KiB without the heap.
class TargetRoom {
 public:
  Target Hold(std::string_view key) {
    std::byte* to = here_ + used_;
    if (key.size() + Target::kSlack <= sizeof here_ - used_) {
      used_ += key.size() + Target::kSlack;
    } else {
      heap_.push_back(std::make_unique<std::byte[]>(key.size() + Target::kSlack));
      to = heap_.back().get();
    }
    if (!key.empty()) std::memcpy(to, key.data(), key.size());
    std::memset(to + key.size(), 0, Target::kSlack);
    return {to, key.size()};
  }

 private:
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> heap_;
  std::byte here_[8192];
};

// How many of kStride<kLevel> bytes are the same from the first on.
template <CpuLevel kLevel>
inline constexpr std::uint64_t kStride = kLevel == CpuLevel::kAvx2 ? 32 : 8;

#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 inline std::uint64_t SameBytesAvx2(const std::byte* a, const std::byte* b) {
  const __m256i equal = _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)),
                                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)));
  return _tzcnt_u64(~std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(equal))});
}
#endif

template <CpuLevel kLevel>
THIMBLE_INLINE std::uint64_t SameBytes(const std::byte* a, const std::byte* b) {
#if THIMBLE_HAS_AVX2_KERNELS
  if constexpr (kLevel == CpuLevel::kAvx2) return SameBytesAvx2(a, b);
#endif
  const std::uint64_t difference = Load<std::uint64_t>(a) ^ Load<std::uint64_t>(b);
  return difference == 0 ? 8 : static_cast<std::uint64_t>(std::countr_zero(difference)) / 8;
}

// Where a target stands among sorted strings: behind string `at` (-1: before all), which it shares `matched` bytes with.
// `whole`: that is all of the string. `exact`: and all of the target.
struct Place {
  int at = -1;
  std::uint64_t matched = 0;
  bool whole = false;
  bool exact = false;
};

// The string, compared with the target; kPrefix: it is below because the target goes on behind it.
enum class Outcome { kBelow, kPrefix, kEqual, kAbove };

// Compares the string whose tokens begin at `at` with the target, both from byte `matched` on; moves that to where they part.
template <CpuLevel kLevel, class Code>
THIMBLE_INLINE Outcome CompareTokens(const Code& code, typename Code::Position at, const Target& target, std::uint64_t& matched) {
  for (;;) {
    const std::uint32_t entry = code.Next(at);
    const std::byte* text = code.table.TextOf(entry);
    std::uint64_t length = TokenTable::LengthOf(entry);
    for (;;) {
      const std::uint64_t span = std::min(length, kStride<kLevel>);
      const std::uint64_t same = SameBytes<kLevel>(text, target.From(matched));
      const std::uint64_t left = target.size() - matched;
      if (same < span || left < span) {
        if (same >= left) {
          matched = target.size();
          return Outcome::kAbove;
        }
        matched += same;
        return text[same] < target.From(matched)[0] ? Outcome::kBelow : Outcome::kAbove;
      }
      matched += span;
      if (length <= kStride<kLevel>) break;
      length -= span;
      text += span;
    }
    if (TokenTable::Ends(entry)) return matched == target.size() ? Outcome::kEqual : Outcome::kPrefix;
  }
}

// Finds the target's place in a bucket of `count` > 0 strings. `matched` of its bytes agree with the bucket's separator;
// `whole`: those are all of the separator. kNode: the bucket holds first bytes, and its first string is the separator itself.
//
// A string whose LCP is longer than the match is below the target, as the string before it is; one whose LCP is shorter is
// above it. Those whose LCP is the match differ in the next byte: it alone is looked at, and one of them is compared. What a
// search costs is mostly branches that nobody foretells, so it has few.
template <CpuLevel kLevel, bool kNode, class Code>
THIMBLE_INLINE Place SearchBucket(const Code& code, const FrontBucket& bucket, unsigned count, const Target& target,
                                  std::uint64_t matched, bool whole) {
  typename Code::template Walk<kLevel> walk(code, bucket.stream());
  unsigned at = 0;
  int whole_at = -1;  // the string that is all matched
  const auto place_before = [&](unsigned string) {
    return Place{static_cast<int>(string) - 1, matched, static_cast<int>(string) - 1 == whole_at, false};
  };
  if (kNode) {
    whole_at = whole ? 0 : -1;
  } else if (whole) {
    std::uint64_t reached = matched;
    switch (CompareTokens<kLevel>(code, walk.StartOf(0), target, reached)) {
      case Outcome::kAbove: return {-1, matched, true, false};
      case Outcome::kEqual: return {0, reached, true, true};
      case Outcome::kPrefix: whole_at = 0; break;
      case Outcome::kBelow: break;
    }
    matched = reached;
  }
  for (;;) {
    const FrontBucket::Order order = bucket.Compare(matched);
    const std::uint64_t behind = ~std::uint64_t{0} << (at + 1);
    const auto stop = static_cast<unsigned>(std::countr_zero((order.less & behind) | std::uint64_t{1} << count));
    std::uint64_t siblings = order.equal & behind & ((std::uint64_t{1} << stop) - 1);
    const std::uint8_t byte = target.Byte(matched);
    const std::uint64_t end = std::uint64_t{1} << stop;
    unsigned next;
    typename Code::Position position{};
    if constexpr (kNode) {
      const FrontBucket::Order firsts = bucket.template CompareFirsts<kLevel>(byte);
      const std::uint64_t goes_on = 0 - std::uint64_t{matched < target.size()};
      const std::uint64_t above = siblings & ~(firsts.less & goes_on);
      siblings &= firsts.equal & goes_on;
      if (siblings == 0) return place_before(static_cast<unsigned>(std::countr_zero(above | end)));
      next = static_cast<unsigned>(std::countr_zero(siblings));
      position = walk.StartOf(next);
    } else {
      if (siblings == 0 || matched >= target.size()) return place_before(static_cast<unsigned>(std::countr_zero(siblings | end)));
      std::uint8_t first;
      do {
        next = static_cast<unsigned>(std::countr_zero(siblings));
        siblings &= siblings - 1;
        position = walk.StartOf(next);
        first = code.FirstByte(position);
      } while (first < byte && siblings != 0);
      if (first != byte) return place_before(first > byte ? next : stop);
    }
    std::uint64_t reached = matched + (kNode ? 1 : 0);
    const Outcome outcome = CompareTokens<kLevel>(code, position, target, reached);
    if (outcome == Outcome::kEqual) return {static_cast<int>(next), reached, true, true};
    if (outcome == Outcome::kAbove) return place_before(next);
    at = next;
    matched = reached;
    whole_at = outcome == Outcome::kPrefix ? static_cast<int>(next) : -1;
  }
}

// Appends the string whose tokens begin at `at` to the `size` bytes in `buffer`, no further than `limit` + one token.
// Returns the new size. Stops early once `enough` bytes are there.
template <class Code>
THIMBLE_INLINE std::uint64_t AppendTokens(const Code& code, typename Code::Position& at, std::byte* buffer, std::uint64_t size,
                                          std::uint64_t enough) {
  while (size < enough) {
    const std::uint32_t entry = code.Next(at);
    const std::size_t length = TokenTable::LengthOf(entry);
    CopyText(buffer + size, code.table.TextOf(entry), length);
    size += length;
    if (TokenTable::Ends(entry)) break;
  }
  return size;
}

// Completes string `i` of a bucket in `buffer`, which begins with the bucket's separator of `separator` bytes. Returns its
// size, at most `limit`.
template <CpuLevel kLevel, bool kNode, class Code>
THIMBLE_INLINE std::uint64_t DecodeString(const Code& code, const FrontBucket& bucket, unsigned i, std::byte* buffer,
                                          std::uint64_t separator, std::uint64_t limit) {
  // Which strings its bytes come from: each time, the last one before with a shorter LCP. Their ranks fall.
  struct Part {
    unsigned string;
    std::uint64_t lcp;
  };
  Part parts[FrontBucket::kStrings + 1];
  unsigned count = 0;
  std::uint64_t lcp = ~std::uint64_t{0};
  for (unsigned string = i; string > 0;) {
    const unsigned rank = bucket.Rank(string);
    lcp = bucket.LcpOf(rank);
    parts[count++] = {string, lcp};
    const std::uint32_t before = bucket.CompareRank(rank).less & ((1u << string) - 1);
    string = before == 0 ? 0 : 31 - static_cast<unsigned>(std::countl_zero(before));
  }
  if (lcp > separator) parts[count++] = {0, separator};

  typename Code::template Walk<kLevel> walk(code, bucket.stream());
  walk.Reach(i);
  std::uint64_t size = separator;
  while (count-- > 0) {
    typename Code::Position at = walk.StartOf(parts[count].string);
    const std::uint64_t enough = count == 0 ? limit : std::min(parts[count - 1].lcp, limit);
    size = std::min(size, parts[count].lcp);
    if (kNode && parts[count].string != 0 && size < enough) buffer[size++] = static_cast<std::byte>(bucket.First(parts[count].string));
    size = AppendTokens(code, at, buffer, size, enough == limit ? limit + 1 : enough);
    if (size > limit) size = limit;
  }
  return size;
}

}  // namespace thimble::internal
