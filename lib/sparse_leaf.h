#pragma once

// One leaf of a sparse tree: a sorted set of keys, and beside each key a value of `value_bits` bits (none in a set). A leaf
// fills one page; what it does not use is room to grow. It begins with 16 bytes:
//
//   0 u64 base    what its keys are counted from       12 u8  codec, and the width of a run's length << 2
//   8 u32 count   keys                                 13 u8  width     14 u16 size
//
//   Elias-Fano   size words of high parts in unary, then a record a key: the low `width` bits and the value. With values, a
//                guide stands before the words: u16 groups, and for every group of 16 high parts u16 keys below it
//   bitmap       size words, base a multiple of 64, then a value a key
//   runs         size records: first key (`width` bits), keys that follow it (length width; 0 makes a plain array), value
//
// Records are packed bit by bit. Everything here is inlined into its callers, which are compiled once for each CPU level.

#include <cstddef>
#include <cstdint>

#include "inline.h"
#include "thimble/bits.h"
#include "thimble/bytes.h"

namespace thimble::sparse {

enum Codec : std::uint8_t { kEmpty = 0, kEliasFano = 1, kBitmap = 2, kRuns = 3 };

inline constexpr std::size_t kLeafHeaderBytes = 16;
inline constexpr std::uint64_t kHeaderBits = kLeafHeaderBytes * 8;
inline constexpr std::uint64_t kMaxSize = 0xFFFF;
// High parts in a group of the guide, so few that they and their keys nearly always stand in one load of the words.
inline constexpr std::uint64_t kGroup = 16;
THIMBLE_INLINE std::uint64_t GuideBytes(std::uint64_t groups) { return RoundUp(2 + 2 * groups, 8); }
inline constexpr std::uint64_t kMaxRunWidth = 32;

THIMBLE_INLINE unsigned Popcount(std::uint64_t word) { return static_cast<unsigned>(__builtin_popcountll(word)); }
THIMBLE_INLINE unsigned LowestBit(std::uint64_t word) { return static_cast<unsigned>(__builtin_ctzll(word)); }
THIMBLE_INLINE unsigned HighestBit(std::uint64_t word) { return 63 - static_cast<unsigned>(__builtin_clzll(word)); }
// Bits that hold every value from 0 to `value`.
THIMBLE_INLINE unsigned WidthOf(std::uint64_t value) { return value == 0 ? 0 : HighestBit(value) + 1; }

// Position of the k-th set bit, counted from 0. Requires: k < Popcount(word); any other k gives a position below 64.
THIMBLE_INLINE unsigned SelectInWord(std::uint64_t word, unsigned k) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = kOnes << 7, kDiagonal = 0x8040201008040201;
  std::uint64_t sums = word - ((word >> 1) & 0x5555555555555555);
  sums = (sums & 0x3333333333333333) + ((sums >> 2) & 0x3333333333333333);
  sums = ((sums + (sums >> 4)) & 0x0F0F0F0F0F0F0F0F) * kOnes;  // byte i: set bits in bytes 0..i
  // Bytes whose sum is at most k end before the bit that is looked for.
  const std::uint64_t before = ((((k * kOnes) | kTops) - sums) & kTops) >> 7;
  const unsigned byte = static_cast<unsigned>((before * kOnes) >> 56) * 8;
  if (byte >= 64) return 63;
  const std::uint64_t rest = k - (((sums << 8) >> byte) & 0xFF);
  // The same within the byte, whose bits are spread to bytes.
  const std::uint64_t bits = (((word >> byte) & 0xFF) * kOnes) & kDiagonal;
  const std::uint64_t set = (((bits + (kTops - kOnes)) | bits) & kTops) >> 7;
  const std::uint64_t below = (((((rest & 0x7F) * kOnes) | kTops) - set * kOnes) & kTops) >> 7;
  return byte + (static_cast<unsigned>((below * kOnes) >> 56) & 7);
}

struct Hit {
  std::uint32_t index;  // keys below the one looked for
  bool found;
};

// Reads one leaf. Whatever the bytes say, no method reads past the page, and a leaf that contradicts itself is empty.
class Leaf {
 public:
  // `bytes` is what the page holds, at least 16.
  THIMBLE_INLINE Leaf(const std::byte* page, std::size_t bytes, unsigned value_bits) : page_(page), value_bits_(value_bits) {
    base_ = Load<std::uint64_t>(page);
    count_ = Load<std::uint32_t>(page + 8);
    const auto codec = Load<std::uint8_t>(page + 12);
    codec_ = static_cast<Codec>(codec & 3);
    length_width_ = codec >> 2;
    width_ = Load<std::uint8_t>(page + 13);
    size_ = Load<std::uint16_t>(page + 14);
    const bool runs = codec_ == kRuns;
    const std::uint64_t words = runs ? 0 : size_;
    const std::uint64_t records = length_width_ != 0 ? size_ : count_;
    const bool guided = codec_ == kEliasFano && value_bits > 0;
    groups_ = guided ? Load<std::uint16_t>(page + kLeafHeaderBytes) : 0;
    words_ = page + kLeafHeaderBytes + (guided ? GuideBytes(groups_) : 0);
    record_bits_ = std::uint64_t{width_} + length_width_ + value_bits;
    records_ = words_ + words * 8;
    const bool fits = static_cast<std::uint64_t>(records_ - page) * 8 + records * record_bits_ <= std::uint64_t{bytes} * 8;
    const bool valid = codec_ == kEliasFano ? width_ < 64 && length_width_ == 0
                       : codec_ == kBitmap  ? width_ == 0 && length_width_ == 0
                       : runs ? width_ <= 64 && length_width_ <= kMaxRunWidth && (length_width_ == 0 ? size_ == count_ : value_bits == 0)
                              : false;
    if (!valid || !fits) codec_ = kEmpty, count_ = 0, size_ = 0, groups_ = 0, words_ = records_ = page + kLeafHeaderBytes;
  }

  std::uint64_t base() const { return base_; }
  std::uint32_t count() const { return count_; }
  Codec codec() const { return codec_; }
  unsigned width() const { return width_; }
  unsigned length_width() const { return length_width_; }
  unsigned size() const { return size_; }
  std::uint64_t record_bits() const { return record_bits_; }
  const std::byte* records() const { return records_; }
  const std::byte* words() const { return words_; }
  // Groups of the guide; 0 if there is none.
  unsigned groups() const { return groups_; }
  // Keys below the group. Requires: group < groups().
  THIMBLE_INLINE std::uint64_t BelowGroup(std::uint64_t group) const { return Load<std::uint16_t>(page_ + kLeafHeaderBytes + 2 + group * 2); }
  // What stands before the words.
  std::uint64_t head_bits() const { return static_cast<std::uint64_t>(words_ - page_) * 8; }
  // What it uses of its page: a multiple of 8.
  std::size_t bytes() const {
    const std::uint64_t records = codec_ == kRuns ? size_ : count_;
    return static_cast<std::size_t>(RoundUp(static_cast<std::uint64_t>(records_ - page_) + (records * record_bits_ + 7) / 8, 8));
  }
  THIMBLE_INLINE std::uint64_t Word(std::uint64_t i) const { return Load<std::uint64_t>(words() + i * 8); }

  // Brings the record of the key that stands at so large a part of the leaf, about.
  THIMBLE_INLINE void Prefetch(double part) const {
    const double record = part * static_cast<double>(count_) * static_cast<double>(record_bits_) / 8;
    const std::byte* at = records_ + static_cast<std::int64_t>(record < 65536 ? record : 0);
    __builtin_prefetch(at - 40);
    __builtin_prefetch(at + 40);
  }

  THIMBLE_INLINE Hit Find(std::uint64_t key) const {
    if (key < base_) return {0, false};
    switch (codec_) {
      case kEliasFano: return FindEliasFano(key - base_);
      case kBitmap: return FindInBitmap(key - base_);
      case kRuns: return length_width_ == 0 ? FindInArray(key - base_) : FindInRuns(key - base_);
      default: return {0, false};
    }
  }

  THIMBLE_INLINE bool Contains(std::uint64_t key) const {
    if (codec_ != kBitmap) return Find(key).found;
    const std::uint64_t offset = key - base_;
    return key >= base_ && offset / 64 < size_ && (Word(offset / 64) >> (offset % 64) & 1) != 0;
  }

  // Requires: i < count().
  THIMBLE_INLINE std::uint64_t Key(std::uint32_t i) const {
    switch (codec_) {
      case kEliasFano: {
        const std::uint64_t at = SelectOne(i);
        return base_ + ((at - (at < i ? at : i)) << width_ | Record(i));
      }
      case kBitmap: return base_ + SelectOne(i);
      case kRuns: {
        if (length_width_ == 0) return base_ + Record(i);
        for (unsigned run = 0; run < size_; ++run) {
          const std::uint64_t length = RunLength(run);
          if (i < length) return base_ + Record(run) + i;
          i -= static_cast<std::uint32_t>(length);
        }
        return base_;
      }
      default: return base_;
    }
  }

  // Requires: i < count(), and a leaf with values.
  THIMBLE_INLINE std::uint64_t Value(std::uint32_t i) const { return ReadBits(records_, i * record_bits_ + width_, value_bits_); }

  // Calls run(first, keys that follow it) for every maximal or shorter run from key `from` on, in order.
  template <class F>
  THIMBLE_INLINE void ForEachRun(F run) const {
    if (codec_ == kEliasFano) {
      std::uint32_t i = 0;
      for (std::uint64_t w = 0; w < size_; ++w) {
        for (std::uint64_t word = Word(w); word != 0 && i < count_; word &= word - 1, ++i) {
          const std::uint64_t at = w * 64 + LowestBit(word);
          run(base_ + ((at - (at < i ? at : i)) << width_ | Record(i)), std::uint64_t{0});
        }
      }
    } else if (codec_ == kBitmap) {
      for (std::uint64_t w = 0; w < size_; ++w) {
        std::uint64_t word = Word(w);
        while (word != 0) {
          const unsigned first = LowestBit(word);
          const std::uint64_t rest = ~(word >> first);
          const unsigned length = rest == 0 ? 64 : LowestBit(rest);
          run(base_ + w * 64 + first, std::uint64_t{length} - 1);
          word &= first + length >= 64 ? 0 : ~std::uint64_t{0} << (first + length);
        }
      }
    } else if (codec_ == kRuns) {
      for (unsigned i = 0; i < size_; ++i) run(base_ + Record(i), RunLength(i) - 1);
    }
  }

  // Copies keys [first, first + n) to `out`. Requires: first + n <= count().
  THIMBLE_INLINE void Keys(std::uint32_t first, std::uint32_t n, std::uint64_t* out) const {
    if (n == 0) return;
    if (codec_ == kEliasFano || codec_ == kBitmap) {
      const std::uint64_t start = SelectOne(first);
      std::uint64_t w = start / 64;
      std::uint64_t word = w < size_ ? Word(w) & (~std::uint64_t{0} << (start % 64)) : 0;
      for (std::uint32_t i = first; i < first + n; ++i) {
        while (word == 0 && ++w < size_) word = Word(w);
        const std::uint64_t at = word != 0 ? w * 64 + LowestBit(word) : std::uint64_t{size_} * 64;
        *out++ = base_ + (codec_ == kBitmap ? at : (at - (at < i ? at : i)) << width_ | Record(i));
        word &= word - 1;
        if (w >= size_) word = 0;
      }
    } else if (length_width_ == 0) {
      for (std::uint32_t i = first; i < first + n; ++i) *out++ = base_ + Record(i);
    } else {
      for (unsigned run = 0; run < size_ && n > 0; ++run) {
        const std::uint64_t length = RunLength(run);
        if (first >= length) {
          first -= static_cast<std::uint32_t>(length);
          continue;
        }
        const std::uint64_t start = base_ + Record(run);
        for (; first < length && n > 0; ++first, --n) *out++ = start + first;
        first = 0;
      }
      while (n-- > 0) *out++ = base_;
    }
  }

  THIMBLE_INLINE std::uint64_t Record(std::uint64_t i) const { return ReadBits(records_, i * record_bits_, width_); }
  THIMBLE_INLINE std::uint64_t RunLength(std::uint64_t i) const {
    return ReadBits(records_, i * record_bits_ + width_, length_width_) + 1;
  }

  // The last run that does not begin after `offset`; -1 if there is none.
  THIMBLE_INLINE int RunBefore(std::uint64_t offset) const {
    if (size_ == 0) return -1;
    unsigned low = 0;
    for (unsigned length = size_; length > 1;) {
      const unsigned half = length / 2;
      low += half * static_cast<unsigned>(Record(low + half) <= offset);
      length -= half;
    }
    return static_cast<int>(low) - static_cast<int>(Record(low) > offset);
  }

  // Where the high part `high` begins in the unary words: just behind the high-th zero. size() * 64 if it lies past the end.
  THIMBLE_INLINE std::uint64_t BucketStart(std::uint64_t high) const {
    if (high == 0) return 0;
    if (groups_ == 0) return Select(high - 1, ~std::uint64_t{0}, 0) + 1;
    const std::uint64_t end = std::uint64_t{size_} * 64;
    if (high / kGroup >= groups_) return end;
    std::uint64_t at = high / kGroup * kGroup + BelowGroup(high / kGroup), zeros = high % kGroup;
    for (; zeros > 0 && at < end; at = at / 64 * 64 + 64) {
      const std::uint64_t word = ~Word(at / 64) & ~LowBits(at % 64);
      const unsigned n = Popcount(word);
      if (zeros <= n) return at / 64 * 64 + SelectInWord(word, static_cast<unsigned>(zeros) - 1) + 1;
      zeros -= n;
    }
    return at < end ? at : end;
  }

 private:
  THIMBLE_INLINE Hit FindEliasFano(std::uint64_t offset) const {
    const std::uint64_t high = offset >> width_, low = offset & LowBits(width_), end = std::uint64_t{size_} * 64;
    if (high > end) return {count_, false};
    std::uint64_t at = BucketStart(high);
    if (at >= end) return {count_, false};
    std::uint64_t i = at - high;
    while (at < end && i < count_) {
      // The bucket's keys in this word.
      const std::uint64_t rest = ~(Word(at / 64) >> (at % 64));
      std::uint64_t keys = LowestBit(rest | std::uint64_t{1} << 63);
      if (rest == 0) keys = 64;
      if (keys > count_ - i) keys = count_ - i;
      if (keys == 0) break;
      if (Record(i + keys - 1) < low) {
        i += keys;
        at += keys;
        if (at % 64 != 0) break;
        continue;
      }
      for (const std::uint64_t last = i + keys - 1; i < last && Record(i) < low;) ++i;
      return {static_cast<std::uint32_t>(i), Record(i) == low};
    }
    return {static_cast<std::uint32_t>(i < count_ ? i : count_), false};
  }

  THIMBLE_INLINE Hit FindInBitmap(std::uint64_t offset) const {
    if (offset / 64 >= size_) return {count_, false};
    const std::uint64_t word = Word(offset / 64);
    std::uint64_t below = Popcount(word & LowBits(offset % 64));
    for (std::uint64_t w = 0; w < offset / 64; ++w) below += Popcount(Word(w));
    const bool found = (word >> (offset % 64) & 1) != 0 && below < count_;
    return {static_cast<std::uint32_t>(below < count_ ? below : count_), found};
  }

  THIMBLE_INLINE Hit FindInArray(std::uint64_t offset) const {
    const int at = RunBefore(offset);
    if (at < 0) return {0, false};
    const bool found = Record(static_cast<unsigned>(at)) == offset;
    return {static_cast<std::uint32_t>(at + (found ? 0 : 1)), found};
  }

  THIMBLE_INLINE Hit FindInRuns(std::uint64_t offset) const {
    const int at = RunBefore(offset);
    if (at < 0) return {0, false};
    std::uint64_t below = 0;
    for (int run = 0; run < at; ++run) below += RunLength(static_cast<unsigned>(run));
    const std::uint64_t into = offset - Record(static_cast<unsigned>(at)), length = RunLength(static_cast<unsigned>(at));
    below += into < length ? into : length;
    const bool found = into < length && below < count_;
    return {static_cast<std::uint32_t>(below < count_ ? below : count_), found};
  }

  THIMBLE_INLINE std::uint64_t SelectOne(std::uint64_t i) const {
    // The last group that begins with a key not behind it, if the guide is right.
    std::uint64_t group = 0;
    for (std::uint64_t length = groups_; length > 1; length -= length / 2) group += length / 2 * static_cast<std::uint64_t>(BelowGroup(group + length / 2) <= i);
    const std::uint64_t below = groups_ > 0 ? BelowGroup(group) : 0, at = group * kGroup + below, w = at / 64;
    if (w == 0 || w >= size_ || below > i) return Select(i, 0, 0);
    return Select(i - below + Popcount(Word(w) & LowBits(at % 64)), 0, w);
  }

  // Position of the i-th set bit of the words from the w-th on, xor `flip`; size() * 64 if there are fewer. Four words are counted
  // at a time, and which of them it is is computed, not branched on.
  THIMBLE_INLINE std::uint64_t Select(std::uint64_t i, std::uint64_t flip, std::uint64_t w) const {
    for (; w + 4 <= size_; w += 4) {
      const std::uint64_t a = Popcount(Word(w) ^ flip), b = a + Popcount(Word(w + 1) ^ flip), c = b + Popcount(Word(w + 2) ^ flip);
      const std::uint64_t all = c + Popcount(Word(w + 3) ^ flip);
      if (i < all) {
        const std::uint64_t past_a = i >= a, past_b = i >= b, past_c = i >= c;
        i -= a * past_a + (b - a) * past_b + (c - b) * past_c;
        w += past_a + past_b + past_c;
        return w * 64 + SelectInWord(Word(w) ^ flip, static_cast<unsigned>(i));
      }
      i -= all;
    }
    for (; w < size_; ++w) {
      const std::uint64_t word = Word(w) ^ flip;
      const unsigned ones = Popcount(word);
      if (i < ones) return w * 64 + SelectInWord(word, static_cast<unsigned>(i));
      i -= ones;
    }
    return std::uint64_t{size_} * 64;
  }

  const std::byte* page_;
  const std::byte* words_;
  const std::byte* records_;
  std::uint64_t base_;
  std::uint64_t record_bits_;
  std::uint32_t count_;
  unsigned value_bits_;
  Codec codec_;
  std::uint8_t width_, length_width_;
  std::uint16_t size_, groups_;
};

}  // namespace thimble::sparse
