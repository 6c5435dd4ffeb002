#include "thimble/raw_compact_map.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#include "byte_match.h"
#include "status_macros.h"
#include "thimble/bytes.h"
#include "thimble/hash.h"

namespace thimble {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t kMaxValueBytes = 65535;
constexpr std::size_t kBatch = 16;
constexpr unsigned kNoSlot = ~0u;
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

absl::Status CheckOptions(const RawCompactMap::Options& options) {
  if (options.key_bytes == 0 || options.key_bytes > 8) return absl::InvalidArgumentError("integer keys have 1 to 8 bytes");
  if (options.value_bytes > kMaxValueBytes) return absl::InvalidArgumentError("a value has at most 65535 bytes");
  return absl::OkStatus();
}

}  // namespace

// --- Layout

std::uint64_t RawCompactMapView::BytesOf(std::uint64_t blocks, unsigned block_slots, std::uint64_t spilled) const {
  RawCompactMapView shaped = *this;
  shaped.Shape(blocks, block_slots, spilled);
  return shaped.image_bytes_;
}

void RawCompactMapView::Shape(std::uint64_t blocks, unsigned block_slots, std::uint64_t spilled) {
  blocks_ = blocks;
  block_slots_ = block_slots;
  spilled_ = spilled;
  quotient_bits_ = static_cast<unsigned>(std::bit_width(blocks)) - 1;
  const unsigned remainder_bits = 8 * key_bytes_ - std::min(quotient_bits_, 8 * key_bytes_);
  remainder_shift_ = 64 - remainder_bits;
  rest_bits_ = remainder_bits - std::min(kTagBits, remainder_bits);
  rest_mask_ = LowBits(rest_bits_);
  ImageLayout block(2);
  block.Add(block_slots, 16, 1);
  rests_at_ = block.Add(block_slots, rest_bits_, 1);
  values_at_ = block.Add(block_slots, 8 * value_bytes_, 1);
  block_bytes_ = RoundUp(values_at_ + std::uint64_t{block_slots} * value_bytes_, 8);
  ImageLayout layout(kHeaderBytes);
  layout.Add(blocks, 8 * block_bytes_);
  spill_at_ = layout.Add(spilled, 8 * (8 + value_bytes_));
  image_bytes_ = layout.image_bytes();
}

bool RawCompactMapView::Configure(const ImageHeader& header) {
  const auto& p = header.parameters;
  key_bytes_ = static_cast<std::uint32_t>(p[0]);
  value_bytes_ = static_cast<std::uint32_t>(p[0] >> 32);
  count_ = header.count;
  seed_ = header.seed;
  if (key_bytes_ == 0 || key_bytes_ > 8 || value_bytes_ > kMaxValueBytes) return false;
  if (p[1] == 0 || (key_bytes_ < 8 && p[1] > LowBits(8 * key_bytes_))) return false;
  if (p[2] != 7 && p[2] != 15 && p[2] != 31 && p[2] != kMaxSlots) return false;
  Shape(p[1], static_cast<unsigned>(p[2]), p[3]);
  return image_bytes_ == header.image_bytes && count_ <= slots() + spilled_;
}

ImageHeader RawCompactMapView::Header() const {
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = image_bytes_, .count = count_, .used_bytes = image_bytes_, .seed = seed_};
  header.parameters = {key_bytes_ | std::uint64_t{value_bytes_} << 32, blocks_, block_slots_, spilled_};
  return header;
}

absl::StatusOr<RawCompactMapView> RawCompactMapView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != kHeaderBytes) return absl::DataLossError("CompactMap: bad header length");
  if (header.hash_scheme != HashScheme::kThimble) return absl::UnimplementedError("CompactMap: unknown hash scheme");
  RawCompactMapView view;
  view.image_ = image.data();
  if (!view.Configure(header)) return absl::DataLossError("CompactMap: sizes do not add up");
  return view;
}

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
  std::array<std::uint64_t, kBatch> hashes;
  for (std::size_t from = 0; from < keys.size(); from += kBatch) {
    const std::size_t size = std::min(kBatch, keys.size() - from);
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

absl::Status RawCompactMapView::Verify() const {
  std::uint64_t entries = spilled_;
  for (std::uint64_t block = 0; block < blocks_; ++block) {
    const auto count = Load<std::uint16_t>(Block(block));
    if (count > block_slots_) return absl::DataLossError("CompactMap: a block holds more than its slots");
    entries += count;
    for (unsigned slot = 0; slot < count; ++slot) {
      const Location found = Locate(HashAt(block, slot));
      if (found.block != block || found.slot != slot) return absl::DataLossError("CompactMap: an entry is not found under its key");
    }
  }
  for (std::uint64_t i = 0; i < spilled_; ++i) {
    const std::uint64_t hash = Load<std::uint64_t>(Spilled(i));
    if (Permute(KeyOf(hash)) != hash || Locate(hash).block != blocks_ + i) return absl::DataLossError("CompactMap: a damaged spilled entry");
  }
  if (entries != count_) return absl::DataLossError("CompactMap: the count is wrong");
  return absl::OkStatus();
}

// --- Making

RawCompactMap::RawCompactMap(RawCompactMapView view, Buffer buffer) : Owner(view, std::move(buffer)) { peak_bytes_ = this->buffer().size(); }

std::uint64_t RawCompactMap::ImageBytes(const Options& options) {
  RawCompactMapView view;
  RawCompactMap empty(view, Buffer());
  empty.key_bytes_ = options.key_bytes;
  empty.value_bytes_ = options.value_bytes;
  return empty.BytesOf(1, 7, 0);
}

absl::StatusOr<RawCompactMap> RawCompactMap::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<RawCompactMap> RawCompactMap::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  const std::uint64_t bytes = ImageBytes(options);
  if (buffer.size() < bytes) return absl::InvalidArgumentError("CompactMap: the buffer is too small");
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = bytes, .used_bytes = bytes, .seed = options.seed};
  header.parameters = {options.key_bytes | std::uint64_t{options.value_bytes} << 32, 1, 7, 0};
  header.Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const RawCompactMapView empty, ViewOf(buffer));
  return RawCompactMap(empty, std::move(buffer));
}

RawCompactMap::RawCompactMap(const Options& options) : RawCompactMap(Make(options).value()) {}

absl::StatusOr<RawCompactMap> RawCompactMap::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const RawCompactMapView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return RawCompactMap(view, std::move(buffer));
}

void RawCompactMap::WriteHeader() { Header().Write(buffer().bytes()); }

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
      THIMBLE_ASSIGN_OR_RETURN(value, Spill(hash));
    }
    std::memcpy(value, waiting.data() + at + 8, value_bytes_);
  }
  WriteHeader();
  return absl::OkStatus();
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
