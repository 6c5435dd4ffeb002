#include "sparse_leaf_plan.h"

#include <algorithm>
#include <cstring>

#include "thimble/bytes.h"

namespace thimble::sparse {
namespace {

// Groups of a guide up to a high part.
std::uint64_t GroupsFor(std::uint64_t high) { return high / kGroup + 1; }

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
  // The guide is not weighed: a larger width would make it smaller, and buckets longer.
  if (value_bits > 0 && best.words > 0) {
    const std::uint64_t groups = GroupsFor(range >> best.width);
    best.bits = groups <= kMaxSize && count <= kMaxSize ? best.bits + GuideBytes(groups) * 8 : ~std::uint64_t{0};
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
  // The same of at most 56 bits where no more than 7 bits wait, and 8 bytes may be written.
  THIMBLE_INLINE void AddAtOnce(std::uint64_t value, unsigned width) {
    word_ |= value << used_;
    Store(to_, word_);
    used_ += width;
    to_ += used_ / 8;
    word_ >>= used_ / 8 * 8;
    used_ %= 8;
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

struct Room {
  std::uint64_t words, groups;
};

// Words for the high parts and groups of the guide, with room for as many keys as the page can take.
Room RoomFor(std::uint64_t count, std::uint64_t range, std::uint64_t possible, unsigned record_bits, unsigned width, bool guided,
             std::uint64_t page_bits) {
  const double bits = static_cast<double>(page_bits - kHeaderBits);
  // Keys to come are expected to lie as far apart as those that are here, up to the last possible one.
  const double unary = static_cast<double>(range >> width) + 1, per_key = record_bits + 1.0, per_high = guided ? 1 + 16.0 / kGroup : 1;
  const double dense = bits / (per_key + per_high * unary / static_cast<double>(count));
  const double span = std::min(static_cast<double>(possible >> width), unary * dense / static_cast<double>(count)) + 1;
  const double keys = std::max(0.0, (bits - span * per_high) / per_key);
  const std::uint64_t wanted = static_cast<std::uint64_t>(std::min(span + keys, bits)) / 64 + 1;
  const std::uint64_t least = ((range >> width) + count) / 64 + 1;
  std::uint64_t free = (page_bits - kHeaderBits - count * record_bits) / 64 * 64, groups = 0;
  if (guided) {
    const std::uint64_t most = std::min((free - least * 64 - 16) / 16, kMaxSize);
    groups = std::clamp(GroupsFor(static_cast<std::uint64_t>(std::min(span, bits))), GroupsFor(range >> width), most);
    free -= GuideBytes(groups) * 8;
  }
  return {std::max(least, std::min({wanted, free / 64, kMaxSize})), groups};
}

// Writes the guide to words that are written.
void WriteGuide(const std::byte* words, std::uint64_t size, std::uint64_t count, std::uint64_t groups, std::byte* guide) {
  Store(guide, static_cast<std::uint16_t>(groups));
  std::uint64_t group = 0, below = 0;
  const auto pass = [&](std::uint64_t high) {  // all groups up to the high part's begin with the next key
    for (; group < groups && group * kGroup <= high; ++group) Store(guide + 2 + group * 2, static_cast<std::uint16_t>(below));
  };
  for (std::uint64_t w = 0; w < size; ++w) {
    for (std::uint64_t word = Load<std::uint64_t>(words + w * 8); word != 0 && below < count; word &= word - 1) {
      pass(w * 64 + LowestBit(word) - below);
      ++below;
    }
  }
  pass(groups * kGroup);
}

// The most runs that fit as runs.
LeafPlan PlanRuns(const Entries& entries, std::size_t from, std::uint64_t bits) {
  const unsigned value_bits = entries.value_bits();
  const std::uint64_t first = entries[from].first;
  const std::size_t most = std::min<std::size_t>(entries.size() - from, kMaxSize);
  std::size_t runs = 0;
  unsigned width = 0, length_width = 0;
  while (runs < most) {
    // As many as fit with the widths so far, then wider ones for the next.
    const std::uint64_t offsets = LowBits(width), lengths = LowBits(length_width), record_bits = std::uint64_t{width} + length_width + value_bits;
    const std::size_t fit = record_bits == 0 ? most : static_cast<std::size_t>(std::min<std::uint64_t>(most, (bits - kHeaderBits) / record_bits));
    const auto fits = [&](const Run& run) { return (((run.first - first) & ~offsets) | (run.more & ~lengths)) == 0; };
    while (runs < fit && fits(entries[from + runs])) ++runs;
    if (runs >= fit) break;
    const Run& next = entries[from + runs];
    if (value_bits > 0 && next.more > 0) break;
    const unsigned wider = std::max(width, WidthOf(next.first - first)), longer = std::max(length_width, WidthOf(next.more));
    if (kHeaderBits + (runs + 1) * (std::uint64_t{wider} + longer + value_bits) > bits) break;
    width = wider, length_width = longer;
  }
  while (runs > 0 && entries.Count(from, from + runs) > ~std::uint32_t{0} >> 1) --runs;
  return {kRuns, static_cast<std::uint8_t>(width), static_cast<std::uint8_t>(length_width), runs, kHeaderBits + runs * (std::uint64_t{width} + length_width + value_bits)};
}

}  // namespace

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

  if (const LeafPlan plan = PlanRuns(entries, from, bits); plan.runs > 0) offer(plan);
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
    const std::uint64_t range = last - first;
    const Room room = tight ? Room{((range >> plan.width) + count) / 64 + 1, GroupsFor(range >> plan.width)}
                            : RoomFor(count, range, std::max(last, last_possible) - first, static_cast<unsigned>(record_bits), plan.width, value_bits > 0, page_bits);
    std::byte* guide = words;
    if (value_bits > 0) words += GuideBytes(room.groups);
    size = room.words;
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
    if (value_bits > 0) WriteGuide(words, size, count, room.groups, guide);
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
    std::size_t i = from;
    if (value_bits == 0 && record_bits >= 8 && record_bits <= 56 && plan.runs > 8) {
      // The last eight records take 8 bytes and more.
      const unsigned width = plan.width, bits = static_cast<unsigned>(record_bits);
      const Run *run = &entries[from], *const end = run + plan.runs - 8;
      for (; run != end; ++run) writer.AddAtOnce((run->first - base) | run->more << width, bits);
      i = from + plan.runs - 8;
    }
    for (; i < from + plan.runs; ++i) {
      const std::uint64_t offset = entries[i].first - base, behind = value_bits > 0 ? *value++ : entries[i].more;
      if (record_bits <= 64 && plan.width < 64) {
        writer.Add(offset | behind << plan.width, static_cast<unsigned>(record_bits));
      } else {
        writer.Add(offset, plan.width);
        writer.Add(behind, plan.length_width + value_bits);
      }
    }
    writer.Finish();
  }
  WriteHeader(page, base, count, plan.codec, plan.width, plan.length_width, size);
  return tight ? Leaf(page, bytes, value_bits).bytes() : bytes;
}

}  // namespace thimble::sparse
