#include "sparse_leaf_edit.h"

#include <algorithm>
#include <cstring>

#include "cpu.h"
#include "inline.h"
#include "thimble/bits.h"

namespace thimble::sparse {
namespace {

// Moves bits [from, end) up by `by`. Requires: `data` is where words begin; all that is touched lies below the word that holds
// bit end + by - 1, that word included.
THIMBLE_INLINE void ShiftUp(std::byte* data, std::uint64_t from, std::uint64_t end, unsigned by) {
  if (from == end) return;
  const auto word = [data](std::uint64_t i) { return Load<std::uint64_t>(data + i * 8); };
  const std::uint64_t first = (from + by) / 64, last = (end + by - 1) / 64, words = by / 64;
  const unsigned shift = by % 64;
  const std::uint64_t kept_below = word(first) & LowBits((from + by) % 64);
  const unsigned top = (end + by - 1) % 64 + 1;
  const std::uint64_t kept_above = word(last) & ~LowBits(top);
  std::uint64_t i = last;
  if (shift != 0) {
    // Four words at a time, from the top; all that is read lies at or below what is written.
    typedef std::uint64_t Words __attribute__((vector_size(32)));
    for (; i > first + 4; i -= 4) {
      Words high, low;
      std::memcpy(&high, data + (i - 3 - words) * 8, sizeof high);
      std::memcpy(&low, data + (i - 4 - words) * 8, sizeof low);
      high = high << shift | low >> (64 - shift);
      std::memcpy(data + (i - 3) * 8, &high, sizeof high);
    }
  }
  for (; i > first; --i) {
    const std::uint64_t high = word(i - words), low = i > words ? word(i - words - 1) : 0;
    Store(data + i * 8, shift == 0 ? high : high << shift | low >> (64 - shift));
  }
  const std::uint64_t high = word(first - words), low = first > words ? word(first - words - 1) : 0;
  const std::uint64_t moved = shift == 0 ? high : high << shift | low >> (64 - shift);
  Store(data + first * 8, (moved & ~LowBits((from + by) % 64)) | kept_below);
  Store(data + last * 8, (word(last) & LowBits(top)) | kept_above);
}

// Moves bits [from + by, end) down by `by`; the `by` bits at the end become zero. `data` as for ShiftUp.
void ShiftDown(std::byte* data, std::uint64_t from, std::uint64_t end, unsigned by) {
  for (std::uint64_t at = from; at < end; at += 64) {
    const unsigned width = static_cast<unsigned>(std::min<std::uint64_t>(64, end - at));
    const std::uint64_t source = at + by;
    const unsigned there = source >= end ? 0 : static_cast<unsigned>(std::min<std::uint64_t>(width, end - source));
    WriteBits(data, at, width, there == 0 ? 0 : ReadBits(data, source, there));
  }
}

void SetWordBit(std::byte* words, std::uint64_t bit) {
  words[bit / 8] |= static_cast<std::byte>(1u << (bit % 8));
}

// Counts a key of a high part in the guide, or one less.
THIMBLE_INLINE void CountInGuide(const Leaf& leaf, std::byte* page, std::uint64_t high, std::uint16_t change) {
  std::byte* guide = page + kLeafHeaderBytes + 2;
  for (std::uint64_t group = high / kGroup + 1; group < leaf.groups(); ++group) {
    Store(guide + group * 2, static_cast<std::uint16_t>(Load<std::uint16_t>(guide + group * 2) + change));
  }
}

THIMBLE_INLINE Change InsertInEliasFano(const Leaf& leaf, std::byte* page, std::uint64_t page_bits, unsigned value_bits,
                                        std::uint64_t key, std::uint64_t value) {
  const std::uint64_t offset = key - leaf.base(), high = offset >> leaf.width(), unary = std::uint64_t{leaf.size()} * 64;
  if (high >= unary) return Change::kNoRoom;
  const Hit hit = leaf.Find(key);
  const std::uint64_t at = high + hit.index;
  std::byte* words = page + leaf.head_bits() / 8;
  std::byte* records = words + unary / 8;
  if (hit.found) {
    WriteBits(records, hit.index * leaf.record_bits() + leaf.width(), value_bits, value);
    return Change::kNothing;
  }
  const std::uint64_t records_end = leaf.count() * leaf.record_bits();
  if (at >= unary || (leaf.Word(leaf.size() - 1) >> 63) != 0 ||
      leaf.head_bits() + unary + records_end + leaf.record_bits() > page_bits) {
    return Change::kNoRoom;
  }
  if (value_bits > 0) {
    if (high / kGroup >= leaf.groups() || leaf.count() >= kMaxSize) return Change::kNoRoom;
    CountInGuide(leaf, page, high, 1);
  }
  ShiftUp(words, at, unary - 1, 1);
  SetWordBit(words, at);
  const unsigned bits = static_cast<unsigned>(leaf.record_bits());
  ShiftUp(records, hit.index * leaf.record_bits(), records_end, bits);
  WriteBits(records, hit.index * leaf.record_bits(), leaf.width(), offset);
  WriteBits(records, hit.index * leaf.record_bits() + leaf.width(), value_bits, value);
  Store(page + 8, leaf.count() + 1);
  return Change::kDone;
}

THIMBLE_INLINE Change InsertInBitmap(const Leaf& leaf, std::byte* page, std::uint64_t page_bits, unsigned value_bits, std::uint64_t key,
                                     std::uint64_t value) {
  const std::uint64_t offset = key - leaf.base();
  if (offset / 64 >= leaf.size()) return Change::kNoRoom;
  std::byte* records = page + kLeafHeaderBytes + leaf.size() * 8;
  if (leaf.Contains(key)) {
    if (value_bits > 0) WriteBits(records, leaf.Find(key).index * value_bits, value_bits, value);
    return Change::kNothing;
  }
  if (value_bits > 0) {
    const std::uint64_t end = leaf.count() * std::uint64_t{value_bits}, at = leaf.Find(key).index * std::uint64_t{value_bits};
    if (kHeaderBits + leaf.size() * 64 + end + value_bits > page_bits) return Change::kNoRoom;
    ShiftUp(records, at, end, value_bits);
    WriteBits(records, at, value_bits, value);
  }
  SetWordBit(page + kLeafHeaderBytes, offset);
  Store(page + 8, leaf.count() + 1);
  return Change::kDone;
}

// Changes the records of a leaf of runs.
class RunEditor {
 public:
  RunEditor(const Leaf& leaf, std::byte* page, std::uint64_t page_bits, unsigned value_bits)
      : leaf_(leaf), page_(page), page_bits_(page_bits), value_bits_(value_bits), bits_(static_cast<unsigned>(leaf.record_bits())), size_(leaf.size()) {}

  bool HasRoom() const { return kHeaderBits + (size_ + 1) * bits_ <= page_bits_ && size_ < kMaxSize; }
  // Whether a run may begin there: the width is that of the first keys of the runs that are here, not of those behind them.
  bool Fits(std::uint64_t first) const { return first <= LowBits(leaf_.width()); }
  void Insert(std::uint64_t at, std::uint64_t first, std::uint64_t more_or_value) {
    ShiftUp(records(), at * bits_, size_ * bits_, bits_);
    Set(at, first, more_or_value);
    ++size_;
  }
  void Set(std::uint64_t at, std::uint64_t first, std::uint64_t more_or_value) {
    WriteBits(records(), at * bits_, leaf_.width(), first);
    WriteBits(records(), at * bits_ + leaf_.width(), leaf_.length_width() + value_bits_, more_or_value);
  }
  void Erase(std::uint64_t at) {
    ShiftDown(records(), at * bits_, size_ * bits_, bits_);
    --size_;
  }
  void Finish(std::uint32_t count) {
    Store(page_ + 8, count);
    Store(page_ + 14, static_cast<std::uint16_t>(size_));
  }

 private:
  std::byte* records() const { return page_ + kLeafHeaderBytes; }

  const Leaf& leaf_;
  std::byte* page_;
  std::uint64_t page_bits_;
  unsigned value_bits_;
  unsigned bits_;
  std::uint64_t size_;
};

Change InsertInRuns(const Leaf& leaf, std::byte* page, std::uint64_t page_bits, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
  const std::uint64_t offset = key - leaf.base();
  RunEditor editor(leaf, page, page_bits, value_bits);
  const int at = leaf.RunBefore(offset);
  const bool before = at >= 0, after = static_cast<unsigned>(at + 1) < leaf.size();
  const auto index = static_cast<unsigned>(at);
  const std::uint64_t first = before ? leaf.Record(index) : 0, length = before ? leaf.RunLength(index) : 0;
  if (before && offset - first < length) {
    if (value_bits > 0) editor.Set(index, first, value);
    return Change::kNothing;
  }
  const std::uint64_t most = leaf.length_width() == 0 ? 0 : LowBits(leaf.length_width());  // keys that may follow the first
  const bool joins_before = most > 0 && before && offset == first + length;
  const bool joins_after = most > 0 && after && leaf.Record(index + 1) == offset + 1;
  const std::uint64_t length_after = joins_after ? leaf.RunLength(index + 1) : 0;
  if (joins_before && joins_after && length + length_after <= most) {
    editor.Set(index, first, length + length_after);
    editor.Erase(index + 1);
  } else if (joins_before && length <= most) {
    editor.Set(index, first, length);
  } else if (joins_after && length_after <= most) {
    editor.Set(index + 1, offset, length_after);
  } else {
    if (!editor.HasRoom() || !editor.Fits(offset)) return Change::kNoRoom;
    editor.Insert(index + 1, offset, value_bits > 0 ? value : 0);
  }
  editor.Finish(leaf.count() + 1);
  return Change::kDone;
}

THIMBLE_INLINE Change Insert(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
  const Leaf leaf(page, bytes, value_bits);
  if (key < leaf.base() || leaf.count() == ~std::uint32_t{0}) return Change::kNoRoom;
  switch (leaf.codec()) {
    case kEliasFano: return InsertInEliasFano(leaf, page, bytes * 8, value_bits, key, value);
    case kBitmap: return InsertInBitmap(leaf, page, bytes * 8, value_bits, key, value);
    case kRuns: return InsertInRuns(leaf, page, bytes * 8, value_bits, key, value);
    default: return Change::kNoRoom;
  }
}

Change EraseFromRuns(const Leaf& leaf, std::byte* page, std::uint64_t page_bits, unsigned value_bits, std::uint64_t offset) {
  RunEditor editor(leaf, page, page_bits, value_bits);
  const auto at = static_cast<unsigned>(leaf.RunBefore(offset));
  const std::uint64_t first = leaf.Record(at), length = leaf.RunLength(at), below = offset - first, above = length - 1 - below;
  if (length == 1) {
    editor.Erase(at);
  } else if (above == 0) {
    editor.Set(at, first, length - 2);
  } else if (below == 0) {
    if (!editor.Fits(first + 1)) return Change::kNoRoom;
    editor.Set(at, first + 1, length - 2);
  } else {
    if (!editor.HasRoom() || !editor.Fits(offset + 1)) return Change::kNoRoom;
    editor.Set(at, first, below - 1);
    editor.Insert(at + 1, offset + 1, above - 1);
  }
  editor.Finish(leaf.count() - 1);
  return Change::kDone;
}

THIMBLE_INLINE Change Erase(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key) {
  const Leaf leaf(page, bytes, value_bits);
  if (!leaf.Contains(key)) return Change::kNothing;
  const std::uint64_t offset = key - leaf.base();
  if (leaf.codec() == kRuns) return EraseFromRuns(leaf, page, bytes * 8, value_bits, offset);
  const std::uint64_t index = leaf.codec() == kBitmap && value_bits == 0 ? 0 : leaf.Find(key).index;
  const std::uint64_t unary = std::uint64_t{leaf.size()} * 64;
  std::byte* words = page + leaf.head_bits() / 8;
  if (leaf.codec() == kEliasFano) {
    ShiftDown(words, (offset >> leaf.width()) + index, unary, 1);
    CountInGuide(leaf, page, offset >> leaf.width(), 0xFFFF);
  } else {
    page[kLeafHeaderBytes + offset / 8] &= ~static_cast<std::byte>(1u << (offset % 8));
  }
  if (leaf.record_bits() > 0) {
    ShiftDown(words + unary / 8, index * leaf.record_bits(), leaf.count() * leaf.record_bits(),
              static_cast<unsigned>(leaf.record_bits()));
  }
  Store(page + 8, leaf.count() - 1);
  return Change::kDone;
}

THIMBLE_NOINLINE Change InsertPortable(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
  return Insert(page, bytes, value_bits, key, value);
}
#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 Change InsertAvx2(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
  return Insert(page, bytes, value_bits, key, value);
}
#endif

}  // namespace

Change InsertInLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) return InsertAvx2(page, bytes, value_bits, key, value);
#endif
  return InsertPortable(page, bytes, value_bits, key, value);
}

Change EraseFromLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key) {
  return Erase(page, bytes, value_bits, key);
}

namespace {

// Words up to the last that is not zero.
std::uint64_t UsedWords(const Leaf& leaf) {
  std::uint64_t words = leaf.size();
  while (words > 0 && leaf.Word(words - 1) == 0) --words;
  return words;
}

// The last key's high part. Requires: so many words are used, and not 0; any leaf gives some number.
std::uint64_t LastHigh(const Leaf& leaf, std::uint64_t words) {
  return (words - 1) * 64 + HighestBit(leaf.Word(words - 1)) - (leaf.count() - 1);
}

// Whether the guide has every group that keys are in, and says what is below each.
bool VerifyGuide(const Leaf& leaf, std::uint64_t last_high) {
  if (last_high / kGroup >= leaf.groups()) return false;
  std::uint64_t group = 0, i = 0;
  bool right = true;
  const auto pass = [&](std::uint64_t high) {
    for (; group < leaf.groups() && group * kGroup <= high; ++group) right = right && leaf.BelowGroup(group) == i;
  };
  for (std::uint64_t w = 0; w < leaf.size(); ++w) {
    for (std::uint64_t word = leaf.Word(w); word != 0; word &= word - 1, ++i) pass(w * 64 + LowestBit(word) - i);
  }
  pass(leaf.groups() * kGroup);
  return right;
}

}  // namespace

std::uint64_t UsedBits(const Leaf& leaf) {
  if (leaf.codec() == kBitmap) return kHeaderBits + leaf.size() * 64 + leaf.count() * leaf.record_bits();
  if (leaf.codec() == kRuns) return kHeaderBits + leaf.size() * leaf.record_bits();
  const std::uint64_t words = UsedWords(leaf), records = leaf.count() * leaf.record_bits();
  if (leaf.groups() == 0 || words == 0) return kHeaderBits + words * 64 + records;
  return kHeaderBits + GuideBytes(LastHigh(leaf, words) / kGroup + 1) * 8 + words * 64 + records;
}

bool VerifyLeaf(const Leaf& leaf) {
  if (leaf.codec() == kEmpty || leaf.count() == 0) return false;
  std::uint64_t count = 0, next = 0;
  bool right = true, any = false;
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) {
    right = right && first >= leaf.base() && (!any || first >= next) && first + more >= first && (!any || next != 0);
    next = first + more + 1;
    any = true;
    count += more + 1;
  });
  if (leaf.codec() == kRuns) return right && count == leaf.count();
  std::uint64_t ones = 0;
  for (unsigned w = 0; w < leaf.size(); ++w) ones += Popcount(leaf.Word(w));
  if (count != leaf.count() || ones != leaf.count()) return false;
  if (leaf.codec() == kEliasFano) {
    const std::uint64_t top = LastHigh(leaf, UsedWords(leaf));
    // A high part that was shifted out of 64 bits would show as a key below the one before.
    if (leaf.width() > 0 && (top > ~std::uint64_t{0} >> leaf.width() || (top << leaf.width()) > ~std::uint64_t{0} - leaf.base())) return false;
    if (leaf.record_bits() > leaf.width() && !VerifyGuide(leaf, top)) return false;
  }
  return right;
}

}  // namespace thimble::sparse
