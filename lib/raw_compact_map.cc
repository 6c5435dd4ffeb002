#include "thimble/raw_compact_map.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>
#include <vector>

#include "status_macros.h"
#include "thimble/byte_match.h"
#include "thimble/bytes.h"
#include "thimble/hash.h"

namespace thimble {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kInFlight = 16;
// How far an insertion may push others along to make room.
constexpr unsigned kMaxChain = 64;

constexpr std::uint64_t kMultipliers[] = {0x9E3779B97F4A7C15u, 0xD1342543DE82EF95u};

constexpr std::uint64_t InverseOf(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;  // Newton: each step doubles the bits that are right
  return inverse;
}

// The most entries before the table grows.
constexpr std::uint64_t MaxCount(std::uint64_t blocks, unsigned block_slots) {
  const std::uint64_t slots = blocks * block_slots;
  return blocks == 1 ? slots : slots - slots / 20;
}

}  // namespace

// --- Hashes

std::uint64_t RawCompactMapView::Permute(std::uint64_t key) const {
  // Each step is a bijection of the words of this width.
  if (key_bytes_ == 8) [[likely]] {
    std::uint64_t x = (key ^ seed_) * kMultipliers[0];
    x = (x ^ x >> 32) * kMultipliers[1];
    return x ^ x >> 32;
  }
  const unsigned bits = 8 * key_bytes_;
  const std::uint64_t mask = LowBits(bits);
  std::uint64_t x = key ^ (seed_ & mask);
  for (const std::uint64_t multiplier : kMultipliers) {
    x = (x * multiplier) & mask;
    x ^= x >> (bits / 2);
  }
  return x << (64 - bits);
}

std::uint64_t RawCompactMapView::KeyOf(std::uint64_t hash) const {
  const unsigned bits = 8 * key_bytes_;
  const std::uint64_t mask = LowBits(bits);
  std::uint64_t x = hash >> (64 - bits);
  for (int i = 1; i >= 0; --i) {
    x ^= x >> (bits / 2);
    x = (x * InverseOf(kMultipliers[i])) & mask;
  }
  return x ^ (seed_ & mask);
}

RawCompactMapView::Parts RawCompactMapView::PartsOf(std::uint64_t hash) const {
  // Hashes of one home have fractions at least `blocks` units apart, so the fraction's low log2(blocks) bits say nothing.
  const Wide product = Wide{hash} * blocks_;
  const std::uint64_t remainder = static_cast<std::uint64_t>(product) >> remainder_shift_;
  return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint16_t>(remainder & (kDisplaced - 1u)), remainder >> kTagBits};
}

std::uint64_t RawCompactMapView::HashOf(const Parts& parts) const {
  const std::uint64_t remainder = parts.rest << kTagBits | parts.tag;
  const Wide floor = Wide{parts.home} << 64 | remainder << remainder_shift_;
  const Wide unit = Wide{blocks_} << (64 - 8 * key_bytes_);
  return static_cast<std::uint64_t>((floor + unit - 1) / unit) << (64 - 8 * key_bytes_);
}

// --- Reading

unsigned RawCompactMapView::CountOf(const std::byte* block) const {
  return std::min<unsigned>(Load<std::uint16_t>(block), block_slots_);
}

std::uint64_t RawCompactMapView::RestAt(const std::byte* block, unsigned slot) const {
  const unsigned bit = slot * rest_bits_;
  return (Load<std::uint64_t>(block + rests_at_ + bit / 8) >> (bit % 8)) & rest_mask_;
}

std::uint64_t RawCompactMapView::HashAt(std::uint64_t block, unsigned slot) const {
  const auto tag = Load<std::uint16_t>(Block(block) + 2 + 2 * slot);
  const std::uint64_t before = block == 0 ? blocks_ - 1 : block - 1;
  return HashOf({(tag & kDisplaced) != 0 ? before : block, static_cast<std::uint16_t>(tag & (kDisplaced - 1u)), RestAt(Block(block), slot)});
}

inline unsigned RawCompactMapView::SlotIn(std::uint64_t block, std::uint16_t tag, std::uint64_t rest) const {
  const std::byte* at = Block(block);
  // Word 0 is the count.
  std::uint64_t found = MatchWords(at, block_slots_ + 1, tag) & (LowBits(CountOf(at)) << 1);
  for (; found != 0; found &= found - 1) {
    const auto slot = static_cast<unsigned>(std::countr_zero(found)) - 1;
    if (RestAt(at, slot) == rest) [[likely]] return slot;
  }
  return kNoSlot;
}

RawCompactMapView::Location RawCompactMapView::Locate(std::uint64_t hash) const {
  const Parts parts = PartsOf(hash);
  unsigned slot = SlotIn(parts.home, parts.tag, parts.rest);
  if (slot != kNoSlot) [[likely]] return {parts.home, slot};
  const std::uint64_t behind = Behind(parts.home);
  slot = SlotIn(behind, parts.tag | kDisplaced, parts.rest);
  if (slot != kNoSlot) return {behind, slot};
  for (std::uint64_t i = 0; i < spilled_; ++i) {
    if (Load<std::uint64_t>(Spilled(i)) == hash) return {blocks_ + i, 0};
  }
  return {0, kNoSlot};
}

inline const std::byte* RawCompactMapView::ValueOf(const Location& location) const {
  if (location.slot == kNoSlot) return nullptr;
  return location.block < blocks_ ? ValueAt(Block(location.block), location.slot) : Spilled(location.block - blocks_) + 8;
}

inline const std::byte* RawCompactMapView::FindHashed(std::uint64_t hash) const {
  // Nearly every hit is the first candidate at home. The shorter this path, the more independent lookups the machine overlaps.
  const Parts parts = PartsOf(hash);
  const std::byte* at = Block(parts.home);
  const std::uint64_t found = MatchWords(at, block_slots_ + 1, parts.tag) >> 1;
  if (found != 0) [[likely]] {
    const auto slot = static_cast<unsigned>(std::countr_zero(found));
    if (RestAt(at, slot) == parts.rest && slot < Load<std::uint16_t>(at)) [[likely]] return ValueAt(at, slot);
  }
  return ValueOf(Locate(hash));
}

const std::byte* RawCompactMapView::Find(std::uint64_t key) const {
  if ((key & ~LowBits(8 * key_bytes_)) != 0) return nullptr;
  return FindHashed(Permute(key));
}

void RawCompactMapView::FindMany(std::span<const std::uint64_t> keys, std::span<const std::byte*> values) const {
  assert(values.size() >= keys.size());
  std::array<std::uint64_t, kInFlight> hashes;
  for (std::size_t from = 0; from < keys.size(); from += kInFlight) {
    const std::size_t size = std::min(kInFlight, keys.size() - from);
    for (std::size_t i = 0; i < size; ++i) {
      hashes[i] = Permute(keys[from + i] & LowBits(8 * key_bytes_));
      const std::byte* block = Block(PartsOf(hashes[i]).home);
      __builtin_prefetch(block);
      __builtin_prefetch(block + 64);
    }
    for (std::size_t i = 0; i < size; ++i) {
      const Parts parts = PartsOf(hashes[i]);
      const std::byte* block = Block(parts.home);
      const std::uint64_t found = MatchWords(block, block_slots_ + 1, parts.tag) & ~std::uint64_t{1};
      if (found == 0) {
        __builtin_prefetch(Block(Behind(parts.home)));
        __builtin_prefetch(Block(Behind(parts.home)) + 64);
        continue;
      }
      const auto slot = static_cast<unsigned>(std::countr_zero(found)) - 1;
      __builtin_prefetch(block + rests_at_ + slot * rest_bits_ / 8);
      __builtin_prefetch(ValueAt(block, slot));
    }
    for (std::size_t i = 0; i < size; ++i) {
      values[from + i] = (keys[from + i] & ~LowBits(8 * key_bytes_)) != 0 ? nullptr : FindHashed(hashes[i]);
    }
  }
}

bool RawCompactMapView::Next(Entry& entry) const {
  std::uint64_t block = entry.next / (kMaxSlots + 1);
  auto slot = static_cast<unsigned>(entry.next % (kMaxSlots + 1));
  for (; block < blocks_; ++block, slot = 0) {
    if (slot >= CountOf(Block(block))) continue;
    entry.next = block * (kMaxSlots + 1) + slot + 1;
    entry.integer = KeyOf(HashAt(block, slot));
    entry.value = ValueAt(Block(block), slot);
    return true;
  }
  const std::uint64_t i = block - blocks_;
  if (i >= spilled_) return false;
  entry.next = (block + 1) * (kMaxSlots + 1);
  entry.integer = KeyOf(Load<std::uint64_t>(Spilled(i)));
  entry.value = Spilled(i) + 8;
  return true;
}

// --- Placing

std::byte* RawCompactMap::Append(std::uint64_t block, std::uint16_t tag, std::uint64_t rest) {
  std::byte* at = MutableBlock(block);
  const unsigned slot = CountOf(at);
  Store(at, static_cast<std::uint16_t>(slot + 1));
  Store(at + 2 + 2 * slot, tag);
  SetRest(at, slot, rest);
  return at + values_at_ + slot * value_bytes_;
}

void RawCompactMap::SetRest(std::byte* block, unsigned slot, std::uint64_t rest) {
  const unsigned bit = slot * rest_bits_;
  std::byte* word = block + rests_at_ + bit / 8;
  Store(word, (Load<std::uint64_t>(word) & ~(rest_mask_ << (bit % 8))) | rest << (bit % 8));
}

void RawCompactMap::Remove(std::uint64_t block, unsigned slot) {
  std::byte* at = MutableBlock(block);
  const unsigned last = CountOf(at) - 1;
  Store(at + 2 + 2 * slot, Load<std::uint16_t>(at + 2 + 2 * last));
  SetRest(at, slot, RestAt(at, last));
  std::memmove(at + values_at_ + slot * value_bytes_, at + values_at_ + last * value_bytes_, value_bytes_);
  Store(at, static_cast<std::uint16_t>(last));
}

// Frees a slot of a full block: the first block behind it that has room takes an entry from the one before it, and so on back.
// While the table spreads, the first blocks are not there yet, so nothing wraps around to them.
bool RawCompactMap::MakeRoom(std::uint64_t block) {
  std::array<std::uint64_t, kMaxChain> chain;
  std::array<unsigned, kMaxChain> moved;
  unsigned length = 0;
  std::uint64_t end = block;
  for (; CountOf(Block(end)) == block_slots_; end = Behind(end)) {
    if (length == kMaxChain || (length > 0 && end == block) || (spreading_ && Behind(end) == 0)) return false;
    const std::byte* at = Block(end);
    unsigned slot = 0;
    while (slot < block_slots_ && (Load<std::uint16_t>(at + 2 + 2 * slot) & kDisplaced) != 0) ++slot;
    if (slot == block_slots_) return false;
    chain[length] = end;
    moved[length++] = slot;
  }
  while (length > 0) {
    const std::uint64_t from = chain[--length];
    const std::byte* at = Block(from);
    const auto tag = static_cast<std::uint16_t>(Load<std::uint16_t>(at + 2 + 2 * moved[length]) | kDisplaced);
    std::byte* value = Append(Behind(from), tag, RestAt(at, moved[length]));
    std::memcpy(value, ValueAt(at, moved[length]), value_bytes_);
    Remove(from, moved[length]);
  }
  return true;
}

// Adds an entry that is not there, and returns where its value belongs; null if neither of its blocks has or gets room.
std::byte* RawCompactMap::Place(std::uint64_t hash) {
  const Parts parts = PartsOf(hash);
  if (CountOf(Block(parts.home)) < block_slots_) return Append(parts.home, parts.tag, parts.rest);
  const std::uint64_t behind = Behind(parts.home);
  if (behind == parts.home || (spreading_ && behind == 0)) return nullptr;
  if (CountOf(Block(behind)) == block_slots_ && !MakeRoom(behind)) return nullptr;
  return Append(behind, parts.tag | kDisplaced, parts.rest);
}

absl::StatusOr<std::byte*> RawCompactMap::Spill(std::uint64_t hash) {
  THIMBLE_RETURN_IF_ERROR(GrowBuffer(BytesOf(blocks_, block_slots_, spilled_ + 1)));
  Shape(blocks_, block_slots_, spilled_ + 1);
  std::byte* at = data() + spill_at_ + (spilled_ - 1) * (8 + value_bytes_);
  Store(at, hash);
  std::memset(at + 8, 0, image_bytes_ - (static_cast<std::uint64_t>(at - data()) + 8));
  WriteHeader();
  return at + 8;
}

// --- Growing

absl::Status RawCompactMap::GrowBuffer(std::uint64_t bytes) {
  const std::uint64_t held = buffer().size();
  THIMBLE_RETURN_IF_ERROR(buffer().Grow(bytes));
  image_ = data();
  // What the heap grows below 1 MiB is copied, and both copies count.
  peak_bytes_ = std::max<std::uint64_t>(peak_bytes_, buffer().size() + (held < (1u << 20) && held < buffer().size() ? held : 0));
  return absl::OkStatus();
}

absl::Status RawCompactMap::Spread(std::uint64_t blocks, unsigned block_slots) {
  // Room for what may spill, so that nothing can fail below.
  THIMBLE_RETURN_IF_ERROR(GrowBuffer(BytesOf(blocks, block_slots, spilled_ + 64)));
  const RawCompactMapView before = *this;
  const std::size_t entry_bytes = 8 + value_bytes_;
  std::vector<std::byte> waiting(before.image_ + spill_at_, before.image_ + spill_at_ + spilled_ * entry_bytes);
  std::vector<std::byte> entries(block_slots_ * entry_bytes);
  Shape(blocks, block_slots, 0);
  spreading_ = true;
  std::uint64_t first = blocks_;  // blocks from here on are made
  const auto make = [&](std::uint64_t block) {
    while (first > block) std::memset(MutableBlock(--first), 0, block_bytes_);
  };
  for (std::uint64_t block = before.blocks_; block-- > 0;) {
    const unsigned count = before.CountOf(before.Block(block));
    for (unsigned slot = 0; slot < count; ++slot) {
      Store(entries.data() + slot * entry_bytes, before.HashAt(block, slot));
      std::memcpy(entries.data() + slot * entry_bytes + 8, before.ValueAt(before.Block(block), slot), value_bytes_);
    }
    for (unsigned slot = 0; slot < count; ++slot) {
      const std::byte* entry = entries.data() + slot * entry_bytes;
      const auto hash = Load<std::uint64_t>(entry);
      const std::uint64_t home = PartsOf(hash).home;
      // Near the front the new blocks still cover old ones.
      std::byte* value = nullptr;
      if (home * block_bytes_ >= block * before.block_bytes_) {
        make(home);
        value = Place(hash);
      }
      if (value != nullptr) {
        std::memcpy(value, entry + 8, value_bytes_);
      } else {
        waiting.insert(waiting.end(), entry, entry + entry_bytes);
      }
    }
  }
  make(0);
  spreading_ = false;
  std::memset(data() + kHeaderBytes + blocks_ * block_bytes_, 0, image_bytes_ - kHeaderBytes - blocks_ * block_bytes_);
  for (std::size_t at = 0; at < waiting.size(); at += entry_bytes) {
    const auto hash = Load<std::uint64_t>(waiting.data() + at);
    std::byte* value = Place(hash);
    if (value == nullptr) {
      const absl::StatusOr<std::byte*> spilled = Spill(hash);
      if (!spilled.ok()) {
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(at));
        Gather(before, std::move(waiting));
        return spilled.status();
      }
      value = *spilled;
    }
    std::memcpy(value, waiting.data() + at + 8, value_bytes_);
  }
  WriteHeader();
  return absl::OkStatus();
}

// Undoes Spread, which ran out of bytes: brings all entries, of which `waiting` are in no block, back to as many blocks as there
// were, so that no more spill than did. Only keys that were chosen against the seed lead here.
void RawCompactMap::Gather(const RawCompactMapView& before, std::vector<std::byte> waiting) {
  const std::size_t entry_bytes = 8 + value_bytes_;
  for (std::uint64_t block = 0; block < blocks_; ++block) {
    for (unsigned slot = 0; slot < CountOf(Block(block)); ++slot) {
      waiting.resize(waiting.size() + entry_bytes);
      Store(waiting.data() + waiting.size() - entry_bytes, HashAt(block, slot));
      std::memcpy(waiting.data() + waiting.size() - value_bytes_, ValueAt(Block(block), slot), value_bytes_);
    }
  }
  waiting.insert(waiting.end(), Spilled(0), Spilled(spilled_));
  Shape(before.blocks_, before.block_slots_, 0);
  std::memset(data() + kHeaderBytes, 0, image_bytes_ - kHeaderBytes);
  std::vector<std::vector<const std::byte*>> homes(blocks_);
  for (std::size_t at = 0; at < waiting.size(); at += entry_bytes) {
    homes[PartsOf(Load<std::uint64_t>(waiting.data() + at)).home].push_back(waiting.data() + at);
  }
  // A block passes on what it has no room for, of its own, and so on around: the least that goes around once is what does.
  const std::uint64_t most = blocks_ == 1 ? 0 : block_slots_;
  const auto passed = [&](std::uint64_t block, std::uint64_t came) {
    return std::min({homes[block].size(), most, std::max<std::uint64_t>(homes[block].size() + came, block_slots_) - block_slots_});
  };
  std::uint64_t around = 0;
  for (std::uint64_t came = most + 1; came != around;) {
    came = around;
    for (std::uint64_t block = 0; block < blocks_; ++block) around = passed(block, around);
  }
  std::vector<const std::byte*> spills;
  for (std::uint64_t block = 0, came = around; block < blocks_; ++block) {
    const std::uint64_t behind = passed(block, came), kept = std::min(homes[block].size() - behind, block_slots_ - came);
    for (std::uint64_t i = 0; i < homes[block].size(); ++i) {
      const std::byte* entry = homes[block][i];
      const Parts parts = PartsOf(Load<std::uint64_t>(entry));
      if (i >= behind + kept) {
        spills.push_back(entry);
      } else {
        std::byte* value = i < behind ? Append(Behind(block), parts.tag | kDisplaced, parts.rest) : Append(block, parts.tag, parts.rest);
        std::memcpy(value, entry + 8, value_bytes_);
      }
    }
    came = behind;
  }
  Shape(blocks_, block_slots_, spills.size());
  std::memset(data() + spill_at_, 0, image_bytes_ - spill_at_);
  for (std::size_t i = 0; i < spills.size(); ++i) std::memcpy(data() + spill_at_ + i * entry_bytes, spills[i], entry_bytes);
  WriteHeader();
}

// --- Inserting and erasing

absl::StatusOr<RawCompactMap::Slot> RawCompactMap::Insert(std::uint64_t key) {
  assert((key & ~LowBits(8 * key_bytes_)) == 0);
  const std::uint64_t hash = Permute(key);
  if (const Location found = Locate(hash); found.slot != kNoSlot) return Slot{data() + (ValueOf(found) - image_), false};
  if (count_ + 1 > MaxCount(blocks_, block_slots_)) {
    if (block_slots_ < kMaxSlots) {
      THIMBLE_RETURN_IF_ERROR(Spread(1, 2 * block_slots_ + 1));
    } else {
      // Smaller ones take larger steps, as the heap copies them.
      const std::uint64_t step = blocks_ / (image_bytes_ < (1u << 20) ? 8 : 20);
      THIMBLE_RETURN_IF_ERROR(Spread(blocks_ + std::max<std::uint64_t>(1, step), kMaxSlots));
    }
  }
  std::byte* value = Place(hash);
  if (value == nullptr) {
    THIMBLE_ASSIGN_OR_RETURN(value, Spill(hash));
  }
  std::memset(value, 0, value_bytes_);
  ++count_;
  WriteHeader();
  return Slot{value, true};
}

bool RawCompactMap::Erase(std::uint64_t key) {
  if ((key & ~LowBits(8 * key_bytes_)) != 0) return false;
  const Location found = Locate(Permute(key));
  if (found.slot == kNoSlot) return false;
  if (found.block < blocks_) {
    Remove(found.block, found.slot);
  } else {
    const std::size_t entry_bytes = 8 + value_bytes_;
    std::byte* spill = data() + spill_at_;
    std::memmove(spill + (found.block - blocks_) * entry_bytes, spill + (spilled_ - 1) * entry_bytes, entry_bytes);
    Shape(blocks_, block_slots_, spilled_ - 1);
  }
  --count_;
  WriteHeader();
  return true;
}

void RawCompactMap::Clear() {
  Shape(blocks_, block_slots_, 0);
  std::memset(data() + kHeaderBytes, 0, image_bytes_ - kHeaderBytes);
  count_ = 0;
  WriteHeader();
}

Stats RawCompactMap::stats() const {
  const std::uint64_t free = slots() - (count_ - spilled_);
  const std::uint64_t slack = free * block_bytes_ / block_slots_;
  return {.live_bytes = image_bytes_ - slack, .slack_bytes = slack + (buffer().size() - image_bytes_), .peak_bytes = peak_bytes_};
}

}  // namespace thimble
