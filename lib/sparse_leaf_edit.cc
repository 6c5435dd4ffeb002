#include "sparse_leaf_edit.h"

#include <algorithm>
#include <cstring>

#include "cpu.h"

namespace thimble::sparse {
namespace {

constexpr std::uint64_t kHeaderBits = kLeafHeaderBytes * 8;
constexpr std::uint64_t kMaxSize = 0xFFFF;

void WriteBits(std::byte* to, std::uint64_t bit, unsigned width, std::uint64_t value) {
  std::byte* at = to + bit / 8;
  const unsigned shift = bit % 8;
  const std::uint64_t mask = LowBits(width);
  Store(at, (Load<std::uint64_t>(at) & ~(mask << shift)) | ((value & mask) << shift));
  if (shift + width > 64) {
    const unsigned over = shift + width - 64;
    at[8] = static_cast<std::byte>((static_cast<std::uint64_t>(at[8]) & ~LowBits(over)) | ((value & mask) >> (64 - shift)));
  }
}

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

struct EliasFanoSize {
  std::uint8_t width;
  std::uint64_t words, bits;
};

// The best split of keys into high and low parts. Requires: count > 0.
EliasFanoSize BestEliasFano(std::uint64_t count, std::uint64_t range, unsigned value_bits) {
  const unsigned guess = WidthOf(range / count);
  EliasFanoSize best{0, 0, ~std::uint64_t{0}};
  for (unsigned width = guess > 2 ? guess - 2 : 0; width <= std::min(guess + 1, 63u); ++width) {
    const std::uint64_t words = ((range >> width) + count) / 64 + 1;
    const std::uint64_t bits = kHeaderBits + words * 64 + count * (width + value_bits);
    if (words <= kMaxSize && bits < best.bits) best = {static_cast<std::uint8_t>(width), words, bits};
  }
  return best;
}

// The largest n in [0, most] for which fits(n); fits(0) is taken as true, and fits is monotone.
template <class Fits>
std::size_t Largest(std::size_t most, Fits fits) {
  std::size_t low = 0;
  while (low < most) {
    const std::size_t middle = low + (most - low + 1) / 2;
    fits(middle) ? low = middle : most = middle - 1;
  }
  return low;
}

void WriteHeader(std::byte* page, std::uint64_t base, std::uint64_t count, Codec codec, unsigned width, unsigned length_width,
                 std::uint64_t size) {
  Store(page, base);
  Store(page + 8, static_cast<std::uint32_t>(count));
  Store(page + 12, static_cast<std::uint8_t>(codec | length_width << 2));
  Store(page + 13, static_cast<std::uint8_t>(width));
  Store(page + 14, static_cast<std::uint16_t>(size));
}

// Writes fields of bits one behind the other, to zeroed bytes.
class BitWriter {
 public:
  explicit BitWriter(std::byte* to) : to_(to) {}
  THIMBLE_INLINE void Add(std::uint64_t value, unsigned width) {
    value &= LowBits(width);
    word_ |= value << used_;
    used_ += width;
    if (used_ < 64) return;
    Store(to_, word_);
    to_ += 8;
    used_ -= 64;
    word_ = used_ == 0 ? 0 : value >> (width - used_);
  }
  // Writes what is left, no byte more.
  void Finish() {
    for (; used_ > 0; used_ -= std::min(used_, 8u), word_ >>= 8) *to_++ = static_cast<std::byte>(word_);
  }

 private:
  std::byte* to_;
  std::uint64_t word_ = 0;
  unsigned used_ = 0;
};

void SetWordBit(std::byte* words, std::uint64_t bit) {
  words[bit / 8] |= static_cast<std::byte>(1u << (bit % 8));
}

// Words for the high parts, with room for as many keys as the page can take.
std::uint64_t RoomyWords(std::uint64_t count, std::uint64_t range, std::uint64_t possible, unsigned record_bits, unsigned width,
                         std::uint64_t page_bits) {
  const double bits = static_cast<double>(page_bits - kHeaderBits);
  // Keys to come are expected to lie as far apart as those that are here, up to the last possible one.
  const double unary = static_cast<double>(range >> width) + 1, per_key = record_bits + 1.0;
  const double dense = bits / (per_key + unary / static_cast<double>(count));
  const double span = std::min(static_cast<double>(possible >> width), unary * dense / static_cast<double>(count)) + 1;
  const double keys = std::max(0.0, (bits - span) / per_key);
  const std::uint64_t wanted = static_cast<std::uint64_t>(std::min(span + keys, bits)) / 64 + 1;
  const std::uint64_t least = ((range >> width) + count) / 64 + 1;
  const std::uint64_t most = (page_bits - kHeaderBits - count * record_bits) / 64;
  return std::max(least, std::min({wanted, most, kMaxSize}));
}

THIMBLE_INLINE Change InsertInEliasFano(const Leaf& leaf, std::byte* page, std::uint64_t page_bits, unsigned value_bits,
                                        std::uint64_t key, std::uint64_t value) {
  const std::uint64_t offset = key - leaf.base(), high = offset >> leaf.width(), unary = std::uint64_t{leaf.size()} * 64;
  if (high >= unary) return Change::kNoRoom;
  const Hit hit = leaf.Find(key);
  const std::uint64_t at = high + hit.index;
  std::byte* records = page + kLeafHeaderBytes + unary / 8;
  if (hit.found) {
    WriteBits(records, hit.index * leaf.record_bits() + leaf.width(), value_bits, value);
    return Change::kNothing;
  }
  const std::uint64_t records_end = leaf.count() * leaf.record_bits();
  if (at >= unary || (leaf.Word(leaf.size() - 1) >> 63) != 0 ||
      kHeaderBits + unary + records_end + leaf.record_bits() > page_bits) {
    return Change::kNoRoom;
  }
  ShiftUp(page + kLeafHeaderBytes, at, unary - 1, 1);
  SetWordBit(page + kLeafHeaderBytes, at);
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
  if (offset > LowBits(leaf.width())) return Change::kNoRoom;
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
    if (!editor.HasRoom()) return Change::kNoRoom;
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
    editor.Set(at, first + 1, length - 2);
  } else {
    if (!editor.HasRoom()) return Change::kNoRoom;
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
  if (leaf.codec() == kEliasFano) {
    ShiftDown(page + kLeafHeaderBytes, (offset >> leaf.width()) + index, unary, 1);
  } else {
    page[kLeafHeaderBytes + offset / 8] &= ~static_cast<std::byte>(1u << (offset % 8));
  }
  if (leaf.record_bits() > 0) {
    ShiftDown(page + kLeafHeaderBytes + unary / 8, index * leaf.record_bits(), leaf.count() * leaf.record_bits(),
              static_cast<unsigned>(leaf.record_bits()));
  }
  Store(page + 8, leaf.count() - 1);
  return Change::kDone;
}

#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 Change InsertAvx2(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
  return Insert(page, bytes, value_bits, key, value);
}
#endif

}  // namespace

THIMBLE_INLINE void Entries::AddInline(std::uint64_t first, std::uint64_t more) {
  // Keys with values do not come as runs, so theirs are only kept together.
  const std::uint64_t longest = value_bits_ > 0 ? 15 : (std::uint64_t{1} << 30) - 1;
  if (!runs_.empty() && runs_.back().last() + 1 == first && runs_.back().more + more < longest) {
    runs_.back().more += more + 1;
    ends_.back() += more + 1;
    return;
  }
  while (more > longest) {
    runs_.push_back({first, longest});
    ends_.push_back(ends_.back() + longest + 1);
    first += longest + 1;
    more -= longest + 1;
  }
  runs_.push_back({first, more});
  ends_.push_back(ends_.back() + more + 1);
}

void Entries::Add(std::uint64_t first, std::uint64_t more) { AddInline(first, more); }

void Entries::Add(const Leaf& leaf) {
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) { AddInline(first, more); });
  if (value_bits_ > 0) {
    for (std::uint32_t i = 0; i < leaf.count(); ++i) AddValue(leaf.Value(i));
  }
}

void Entries::AddWith(const Leaf& leaf, std::uint64_t key, std::uint64_t value) {
  bool added = false;
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) {
    if (!added && key < first) {
      Add(key);
      added = true;
    }
    Add(first, more);
  });
  if (!added) Add(key);
  if (value_bits_ > 0) {
    const std::uint32_t index = leaf.Find(key).index;
    for (std::uint32_t i = 0; i < index; ++i) AddValue(leaf.Value(i));
    AddValue(value);
    for (std::uint32_t i = index; i < leaf.count(); ++i) AddValue(leaf.Value(i));
  }
}

void Entries::AddWithout(const Leaf& leaf, std::uint64_t key) {
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) {
    if (key < first || key - first > more) return Add(first, more);
    if (key > first) Add(first, key - first - 1);
    if (key - first < more) Add(key + 1, more - (key - first) - 1);
  });
  if (value_bits_ > 0) {
    const std::uint32_t index = leaf.Find(key).index;
    for (std::uint32_t i = 0; i < leaf.count(); ++i) {
      if (i != index) AddValue(leaf.Value(i));
    }
  }
}

void Entries::Drop(std::size_t runs) {
  if (value_bits_ > 0) values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(Count(0, runs)));
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(runs));
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(runs));
}

void Entries::clear() {
  runs_.clear();
  values_.clear();
  ends_.assign(1, 0);
}

LeafPlan PlanLeaf(Entries& entries, std::size_t from, std::uint64_t bits, std::uint64_t bitmap_bits) {
  const unsigned value_bits = entries.value_bits();
  const std::size_t left = entries.size() - from;
  const std::uint64_t first = entries[from].first;
  const auto last = [&](std::size_t runs) { return entries[from + runs - 1].last(); };
  const auto count = [&](std::size_t runs) { return entries.Count(from, from + runs); };
  LeafPlan best;
  const auto offer = [&](const LeafPlan& plan) {
    if (plan.runs > best.runs || (plan.runs == best.runs && plan.bits < best.bits)) best = plan;
  };

  const auto elias_fano = [&](std::size_t runs) { return BestEliasFano(count(runs), last(runs) - first, value_bits); };
  const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(left, bits / (value_bits + 1)));
  if (const std::size_t runs = Largest(most, [&](std::size_t n) { return elias_fano(n).bits <= bits; }); runs > 0) {
    offer({kEliasFano, elias_fano(runs).width, 0, runs, elias_fano(runs).bits});
  }

  const auto bitmap = [&](std::size_t runs) {
    const std::uint64_t words = (last(runs) - first / 64 * 64) / 64 + 1;
    return words > kMaxSize ? ~std::uint64_t{0} : kHeaderBits + words * 64 + count(runs) * value_bits;
  };
  const std::uint64_t budget = value_bits == 0 ? bitmap_bits : bits;
  const std::size_t most_bits = static_cast<std::size_t>(std::min<std::uint64_t>(left, budget));
  if (const std::size_t runs = Largest(most_bits, [&](std::size_t n) { return bitmap(n) <= budget; }); runs > 0) {
    LeafPlan plan{kBitmap, 0, 0, runs, bitmap(runs)};
    const std::uint64_t reach = (budget - kHeaderBits) / 64 * 64, base = first / 64 * 64;
    if (value_bits == 0 && runs < left && base + reach > base) {
      const Run& behind = entries[from + runs];
      plan.end = base + reach;
      if (behind.first < plan.end) plan.tail = {behind.first, plan.end - behind.first - 1}, plan.tail_keys = plan.end - behind.first;
    }
    offer(plan);
  }

  LeafPlan plan{kRuns, 0, 0, 0, 0};
  unsigned length_width = 0;
  for (std::size_t runs = 1; runs <= std::min<std::size_t>(left, kMaxSize); ++runs) {
    const Run& run = entries[from + runs - 1];
    if (value_bits > 0 && run.more > 0) break;
    length_width = std::max(length_width, WidthOf(run.more));
    const unsigned width = WidthOf(run.first - first);
    const std::uint64_t need = kHeaderBits + runs * (width + length_width + value_bits);
    if (need > bits || count(runs) > ~std::uint32_t{0} >> 1) break;
    plan = {kRuns, static_cast<std::uint8_t>(width), static_cast<std::uint8_t>(length_width), runs, need};
  }
  if (plan.runs > 0) offer(plan);
  if (best.tail_keys > 0) entries.Cut(from + best.runs, best.tail_keys);
  return best;
}

std::size_t WriteLeaf(const LeafPlan& plan, const Entries& entries, std::size_t from, std::uint64_t last_possible, bool tight,
                      std::byte* page, std::size_t bytes) {
  const unsigned value_bits = entries.value_bits();
  const std::uint64_t first = entries[from].first;
  const std::uint64_t last = plan.tail_keys > 0 ? plan.tail.last() : entries[from + plan.runs - 1].last();
  const std::uint64_t count = entries.Count(from, from + plan.runs), page_bits = std::uint64_t{bytes} * 8;
  const std::uint64_t* value = entries.Values(from);
  std::memset(page, 0, bytes);
  std::byte* words = page + kLeafHeaderBytes;
  std::uint64_t base = first, size = 0;
  const std::uint64_t record_bits = std::uint64_t{plan.width} + plan.length_width + value_bits;
  std::byte* records = words;
  if (plan.codec == kEliasFano) {
    size = tight ? (((last - first) >> plan.width) + count) / 64 + 1
                 : RoomyWords(count, last - first, std::max(last, last_possible) - first, static_cast<unsigned>(record_bits), plan.width, page_bits);
    records = words + size * 8;
    BitWriter writer(records);
    std::uint64_t unary = 0, at = 0, record = 0;  // the word at hand, which it is, and the record
    for (std::size_t i = from; i < from + plan.runs; ++i) {
      for (std::uint64_t key = entries[i].first, last_key = entries[i].last();; ++key) {
        const std::uint64_t bit = ((key - base) >> plan.width) + record++;
        if (bit / 64 != at) {
          Store(words + at * 8, unary);
          at = bit / 64;
          unary = 0;
        }
        unary |= std::uint64_t{1} << (bit % 64);
        writer.Add(key - base, plan.width);
        if (value_bits > 0) writer.Add(*value++, value_bits);
        if (key == last_key) break;
      }
    }
    Store(words + at * 8, unary);
    writer.Finish();
  } else if (plan.codec == kBitmap) {
    base = first / 64 * 64;
    // With values a bitmap leaves room for them; without, it reaches as far as it can.
    const std::uint64_t reach = std::max(last - base, std::min(std::max(last, last_possible) - base, page_bits - kHeaderBits - 1));
    size = (tight || value_bits > 0 ? last - base : reach) / 64 + 1;
    records = words + size * 8;
    const auto set = [&](const Run& run) {
      for (std::uint64_t at = run.first - base, end = run.last() - base + 1; at < end;) {
        const unsigned width = static_cast<unsigned>(std::min(end - at, 64 - at % 64));
        Store(words + at / 64 * 8, Load<std::uint64_t>(words + at / 64 * 8) | LowBits(width) << (at % 64));
        at += width;
      }
    };
    for (std::size_t i = from; i < from + plan.runs; ++i) set(entries[i]);
    if (plan.tail_keys > 0) set(plan.tail);
    BitWriter writer(records);
    for (std::uint64_t i = 0; value_bits > 0 && i < count; ++i) writer.Add(*value++, value_bits);
    writer.Finish();
  } else {
    size = plan.runs;
    BitWriter writer(records);
    for (std::size_t i = from; i < from + plan.runs; ++i) {
      writer.Add(entries[i].first - base, plan.width);
      writer.Add(value_bits > 0 ? *value++ : entries[i].more, plan.length_width + value_bits);
    }
    writer.Finish();
  }
  WriteHeader(page, base, count, plan.codec, plan.width, plan.length_width, size);
  return tight ? Leaf(page, bytes, value_bits).bytes() : bytes;
}

Change InsertInLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value) {
#if THIMBLE_HAS_AVX2_KERNELS
  static const bool avx2 = ActiveCpuLevel() == CpuLevel::kAvx2;
  if (avx2) return InsertAvx2(page, bytes, value_bits, key, value);
#endif
  return Insert(page, bytes, value_bits, key, value);
}

Change EraseFromLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key) {
  return Erase(page, bytes, value_bits, key);
}

std::uint64_t UsedBits(const Leaf& leaf) {
  if (leaf.codec() == kBitmap) return kHeaderBits + leaf.size() * 64 + leaf.count() * leaf.record_bits();
  if (leaf.codec() == kRuns) return kHeaderBits + leaf.size() * leaf.record_bits();
  std::uint64_t words = leaf.size();
  while (words > 0 && leaf.Word(words - 1) == 0) --words;
  return kHeaderBits + words * 64 + leaf.count() * leaf.record_bits();
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
  // A high part that was shifted out of 64 bits would show as a key below the one before.
  if (leaf.codec() == kEliasFano && leaf.width() > 0 && leaf.size() > 0) {
    unsigned w = leaf.size();
    while (w > 0 && leaf.Word(w - 1) == 0) --w;
    if (w == 0) return false;
    const std::uint64_t top = (w - 1) * 64 + HighestBit(leaf.Word(w - 1)) - (leaf.count() - 1);
    if (top > ~std::uint64_t{0} >> leaf.width() || (top << leaf.width()) > ~std::uint64_t{0} - leaf.base()) return false;
  }
  return right && count == leaf.count() && ones == leaf.count();
}

}  // namespace thimble::sparse
