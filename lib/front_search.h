#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "front_bucket.h"
#include "token_codes.h"

namespace thimble::internal {

// What a search looks for, read eight bytes at a time; bytes behind its end read as zero.
class Target {
 public:
  Target() = default;
  explicit Target(std::string_view text) : data_(reinterpret_cast<const std::byte*>(text.data())), size_(text.size()) {
    if (size_ >= 8) {
      last_ = size_ - 8;
    } else if (size_ > 0) {
      std::memcpy(short_, data_, size_);
    }
  }

  std::uint64_t size() const { return size_; }

  // Requires: at < size().
  THIMBLE_INLINE std::uint64_t Word(std::uint64_t at) const {
    const std::uint64_t from = std::min(at, last_);
    return Load<std::uint64_t>((size_ < 8 ? short_ : data_) + from) >> (8 * (at - from));
  }

 private:
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t last_ = 0;  // where the last word begins
  std::byte short_[8] = {};
};

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
template <class Code>
THIMBLE_INLINE Outcome CompareTokens(const Code& code, typename Code::Position at, const Target& target, std::uint64_t& matched) {
  for (;;) {
    const std::uint32_t entry = code.Next(at);
    const std::byte* text = code.table.TextOf(entry);
    const std::uint64_t length = TokenTable::LengthOf(entry);
    for (std::uint64_t done = 0; done < length; done += 8) {
      if (matched >= target.size()) return Outcome::kAbove;
      const std::uint64_t ours = Load<std::uint64_t>(text + done);
      const std::uint64_t theirs = target.Word(matched);
      const std::uint64_t span = std::min<std::uint64_t>(length - done, 8);
      const std::uint64_t difference = ours ^ theirs;
      std::uint64_t same = difference == 0 ? 8 : static_cast<std::uint64_t>(std::countr_zero(difference)) / 8;
      if (same >= span && target.size() - matched >= span) {
        matched += span;
        continue;
      }
      same = std::min(same, span);
      if (same >= target.size() - matched) {
        matched = target.size();
        return Outcome::kAbove;
      }
      matched += same;
      return static_cast<std::uint8_t>(ours >> (8 * same)) < static_cast<std::uint8_t>(theirs >> (8 * same)) ? Outcome::kBelow
                                                                                                              : Outcome::kAbove;
    }
    if (TokenTable::Ends(entry)) return matched == target.size() ? Outcome::kEqual : Outcome::kPrefix;
  }
}

// Finds the target's place in a bucket of `count` > 0 strings. `matched` of its bytes agree with the bucket's separator;
// `whole`: those are all of the separator. `kBareFirst`: the first string is the separator itself.
//
// A string whose LCP is longer than the match is below the target, as the string before it is; one whose LCP is shorter is
// above it. Those whose LCP is the match differ in the next byte: it alone is looked at, and one of them is compared.
template <CpuLevel kLevel, bool kBareFirst, class Code>
THIMBLE_INLINE Place SearchBucket(const Code& code, const FrontBucket& bucket, unsigned count, const Target& target,
                                  std::uint64_t matched, bool whole) {
  typename Code::template Walk<kLevel> walk(code, bucket.stream());
  unsigned at = 0;
  int whole_at = -1;  // the string that is all matched
  const auto place_before = [&](unsigned string) {
    return Place{static_cast<int>(string) - 1, matched, static_cast<int>(string) - 1 == whole_at, false};
  };
  if (whole && kBareFirst) {
    whole_at = 0;
  } else if (whole) {
    std::uint64_t reached = matched;
    switch (CompareTokens(code, walk.StartOf(0), target, reached)) {
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
    const std::uint64_t less = order.less & behind;
    const unsigned stop = less == 0 ? count : static_cast<unsigned>(std::countr_zero(less));
    std::uint64_t siblings = order.equal & behind & ((std::uint64_t{1} << stop) - 1);
    if (siblings == 0) return place_before(stop);
    if (matched >= target.size()) return place_before(static_cast<unsigned>(std::countr_zero(siblings)));
    const auto byte = static_cast<std::uint8_t>(target.Word(matched));
    typename Code::Position position{};
    unsigned next;
    std::uint8_t first;
    do {
      next = static_cast<unsigned>(std::countr_zero(siblings));
      siblings &= siblings - 1;
      position = walk.StartOf(next);
      first = code.FirstByte(position);
    } while (first < byte && siblings != 0);
    if (first > byte) return place_before(next);
    if (first < byte) return place_before(stop);
    std::uint64_t reached = matched;
    const Outcome outcome = CompareTokens(code, position, target, reached);
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
template <CpuLevel kLevel, class Code>
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

  typename Code::Position position = code.At(bucket.stream());
  unsigned position_of = 0;
  std::uint64_t size = separator;
  while (count-- > 0) {
    position = code.template Skip<kLevel>(position, parts[count].string - position_of);
    position_of = parts[count].string;
    typename Code::Position at = position;
    const std::uint64_t enough = count == 0 ? limit : std::min(parts[count - 1].lcp, limit);
    size = std::min(size, parts[count].lcp);
    size = AppendTokens(code, at, buffer, size, enough == limit ? limit + 1 : enough);
    if (size > limit) size = limit;
  }
  return size;
}

}  // namespace thimble::internal
