#include "thimble/raw_compact_dict.h"

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
constexpr unsigned kMaxIdBits = 56;
constexpr std::uint64_t kMaxKeyLength = std::uint64_t{1} << 48;
constexpr std::size_t kBatch = 64;

// An index of so many slots is grown when it would hold more than this.
constexpr std::uint64_t MaxSlotsUsed(std::uint64_t slots) { return slots - slots / 16; }

// A line begins with its fingerprints; the record numbers fill the rest of a cache line, or less where they are short.
constexpr unsigned kFingerprints = 16;
constexpr unsigned SlotsPerLine(unsigned id_bits) { return std::min(kFingerprints, (64 - kFingerprints) * 8 / id_bits); }
constexpr unsigned LineBytes(unsigned id_bits) { return std::min(64u, kFingerprints + kFingerprints * id_bits / 8); }

// 1 to 255: a slot that holds 0 is empty.
std::uint8_t FingerprintOf(std::uint64_t hash) {
  const auto low = static_cast<std::uint8_t>(hash);
  return static_cast<std::uint8_t>(low + (low == 0));
}

unsigned VarintBytes(std::uint64_t value) { return (static_cast<unsigned>(std::bit_width(value | 1)) + 6) / 7; }

void StoreVarint(std::byte* at, std::uint64_t value) {
  for (; value >= 128; value >>= 7) *at++ = static_cast<std::byte>(value | 128);
  *at = static_cast<std::byte>(value);
}

absl::Status CheckOptions(const RawCompactDict::Options& options) {
  if (options.key_bytes > 8) return absl::InvalidArgumentError("integer keys have 1 to 8 bytes");
  if (options.value_bytes > kMaxValueBytes) return absl::InvalidArgumentError("a value has at most 65535 bytes");
  return absl::OkStatus();
}

}  // namespace

// --- Layout

RawCompactDictView::Places RawCompactDictView::PlacesOf(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits) const {
  ImageLayout layout(kHeaderBytes);
  layout.Add(reserved, 8);
  const std::uint64_t index = layout.Add(lines, 8 * LineBytes(id_bits), kImageAlignment);
  const std::uint64_t dead = layout.Add(key_bytes_ == 0 ? 0 : reserved / record_bytes_, 1);
  return {index, dead, layout.image_bytes()};
}

void RawCompactDictView::Place() {
  record_bytes_ = key_bytes_ == 0 ? 0 : key_bytes_ + value_bytes_;
  key_mask_ = LowBits(8 * key_bytes_);
  numbers_ = key_bytes_ == 0 ? used_ : used_ / record_bytes_;
  integers_ = key_bytes_ == 0 ? 0 : numbers_;
  line_slots_ = SlotsPerLine(id_bits_);
  slot_mask_ = static_cast<std::uint32_t>(LowBits(line_slots_));
  line_bytes_ = LineBytes(id_bits_);
  id_mask_ = LowBits(id_bits_);
  const Places places = PlacesOf(reserved_, lines_, id_bits_);
  index_at_ = places.index;
  index_ = image_ + (lines_ == 0 ? 0 : index_at_);
  dead_at_ = places.dead;
  image_bytes_ = places.image_bytes;
}

bool RawCompactDictView::Configure(const ImageHeader& header) {
  const auto& p = header.parameters;
  key_bytes_ = static_cast<std::uint32_t>(p[0]);
  value_bytes_ = static_cast<std::uint32_t>(p[0] >> 32);
  reserved_ = p[1];
  used_ = p[2];
  dead_ = p[3];
  lines_ = p[4];
  id_bits_ = static_cast<unsigned>(std::min<std::uint64_t>(p[5], kMaxIdBits + 1));
  slots_used_ = p[6];
  count_ = header.count;
  seed_ = HashSeed(header.seed);
  if (key_bytes_ > 8 || value_bytes_ > kMaxValueBytes || id_bits_ == 0 || id_bits_ > kMaxIdBits) return false;
  Place();
  return image_bytes_ == header.image_bytes && used_ <= reserved_ && dead_ <= used_ && count_ <= numbers_ &&
         (key_bytes_ == 0 ? reserved_ : reserved_ / record_bytes_) <= id_mask_ && (record_bytes_ == 0 || used_ % record_bytes_ == 0) && slots_used_ / line_slots_ <= lines_;
}

ImageHeader RawCompactDictView::Header() const {
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = image_bytes_, .count = count_, .used_bytes = image_bytes_, .seed = seed_.value()};
  header.parameters = {key_bytes_ | std::uint64_t{value_bytes_} << 32, reserved_, used_, dead_, lines_, id_bits_, slots_used_};
  return header;
}

absl::StatusOr<RawCompactDictView> RawCompactDictView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != kHeaderBytes) return absl::DataLossError("CompactDict: bad header length");
  if (header.hash_scheme != HashScheme::kThimble) return absl::UnimplementedError("CompactDict: unknown hash scheme");
  RawCompactDictView view;
  view.image_ = image.data();
  if (!view.Configure(header)) return absl::DataLossError("CompactDict: sizes do not add up");
  return view;
}

// --- Reading

bool RawCompactDictView::Read(std::uint64_t number, Record& record) const {
  if (number >= numbers_) return false;
  record.number = number;
  if (key_bytes_ != 0) {
    record.begin = number * record_bytes_;
    record.end = record.begin + record_bytes_;
    record.integer = Load<std::uint64_t>(image_ + kHeaderBytes + record.begin) & key_mask_;
    record.value = image_ + kHeaderBytes + record.begin + key_bytes_;
    record.dead = dead_ != 0 && ((Load<std::uint8_t>(image_ + dead_at_ + number / 8) >> (number % 8)) & 1) != 0;
    return true;
  }
  std::uint64_t at = number, length = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (at >= used_ || shift > 49) return false;
    const auto byte = Load<std::uint8_t>(image_ + kHeaderBytes + at++);
    length |= std::uint64_t{byte & 127u} << shift;
    if (byte < 128) break;
  }
  record.dead = (length & 1) != 0;
  length /= 2;
  if (length > used_ - at || value_bytes_ > used_ - at - length) return false;
  record.begin = number;
  record.text = {reinterpret_cast<const char*>(image_ + kHeaderBytes + at), length};
  record.value = image_ + kHeaderBytes + at + length;
  record.end = at + length + value_bytes_;
  return true;
}

inline std::uint64_t RawCompactDictView::HomeOf(std::uint64_t hash) const {
  return static_cast<std::uint64_t>(Wide{hash} * lines_ >> 64);
}

inline std::uint64_t RawCompactDictView::IdAt(const std::byte* line, unsigned slot) const {
  const unsigned bit = slot * id_bits_;
  return (Load<std::uint64_t>(line + kFingerprints + bit / 8) >> (bit % 8)) & id_mask_;
}

// Bit i says that slot i has this fingerprint; what stands behind the line's last slot is no slot's.
inline std::uint32_t RawCompactDictView::Match(const std::byte* line, std::uint8_t fingerprint) const {
  return MatchBytes16(line, fingerprint) & slot_mask_;
}

// The number in the first slot of the key's line that has its fingerprint, which is the key's in nearly every hit.
inline std::uint64_t RawCompactDictView::FirstCandidate(std::uint64_t hash) const {
  const std::byte* line = LineAt(HomeOf(hash));
  const std::uint32_t found = Match(line, FingerprintOf(hash));
  return found == 0 ? kAbsent : IdAt(line, static_cast<unsigned>(std::countr_zero(found)));
}

template <class Matches>
RawCompactDictView::Found RawCompactDictView::Search(std::uint64_t hash, Matches matches) const {
  const std::uint8_t fingerprint = FingerprintOf(hash);
  std::uint64_t line = HomeOf(hash);
  for (std::uint64_t probed = 0; probed < lines_; ++probed) {
    const std::byte* at = LineAt(line);
    for (std::uint32_t found = Match(at, fingerprint); found != 0; found &= found - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(found));
      if (const std::uint64_t number = IdAt(at, slot); matches(number)) return {number, line, slot};
    }
    if (Match(at, 0) != 0) break;
    if (++line == lines_) line = 0;
  }
  return {};
}

RawCompactDictView::Found RawCompactDictView::Locate(std::uint64_t key, std::uint64_t hash) const {
  if (key_bytes_ == 0 || (key & ~key_mask_) != 0) return {};
  return Search(hash, [&](std::uint64_t number) {
    return number < numbers_ && (Load<std::uint64_t>(image_ + kHeaderBytes + number * record_bytes_) & key_mask_) == key;
  });
}

RawCompactDictView::Found RawCompactDictView::Locate(std::string_view key, std::uint64_t hash) const {
  if (key_bytes_ != 0) return {};
  return Search(hash, [&](std::uint64_t number) {
    Record record;
    return Read(number, record) && record.text == key;
  });
}

// The shorter this path, the more independent lookups the machine overlaps.
inline const std::byte* RawCompactDictView::FindFrom(std::uint64_t candidate, std::uint64_t key, std::uint64_t hash) const {
  if (candidate < integers_) [[likely]] {
    const std::byte* record = image_ + kHeaderBytes + candidate * record_bytes_;
    if ((Load<std::uint64_t>(record) & key_mask_) == key) [[likely]] return record + key_bytes_;
  }
  return FindAmongAll(key, hash);
}

const std::byte* RawCompactDictView::Find(std::uint64_t key) const {
  const std::uint64_t hash = seed_.Hash(key);
  return FindFrom(FirstCandidate(hash), key, hash);
}

const std::byte* RawCompactDictView::FindAmongAll(std::uint64_t key, std::uint64_t hash) const {
  const std::uint64_t number = Locate(key, hash).number;
  return number == kAbsent ? nullptr : image_ + kHeaderBytes + number * record_bytes_ + key_bytes_;
}

const std::byte* RawCompactDictView::FindFrom(std::uint64_t candidate, std::string_view key, std::uint64_t hash) const {
  Record record;
  if (key_bytes_ == 0 && Read(candidate, record) && record.text == key) return record.value;
  return Read(Locate(key, hash).number, record) ? record.value : nullptr;
}

const std::byte* RawCompactDictView::Find(std::string_view key) const {
  const std::uint64_t hash = seed_.Hash(key);
  return FindFrom(FirstCandidate(hash), key, hash);
}

template <class Key>
void RawCompactDictView::FindBatches(std::span<const Key> keys, std::span<const std::byte*> values) const {
  assert(values.size() >= keys.size());
  std::array<std::uint64_t, kBatch> hashes, candidates;
  for (std::size_t from = 0; from < keys.size(); from += kBatch) {
    const std::size_t size = std::min(kBatch, keys.size() - from);
    for (std::size_t i = 0; i < size; ++i) {
      hashes[i] = seed_.Hash(keys[from + i]);
      __builtin_prefetch(LineAt(HomeOf(hashes[i])));
    }
    for (std::size_t i = 0; i < size; ++i) {
      candidates[i] = FirstCandidate(hashes[i]);
      if (candidates[i] < numbers_) __builtin_prefetch(image_ + kHeaderBytes + candidates[i] * (key_bytes_ == 0 ? 1 : record_bytes_));
    }
    for (std::size_t i = 0; i < size; ++i) values[from + i] = FindFrom(candidates[i], keys[from + i], hashes[i]);
  }
}

void RawCompactDictView::FindMany(std::span<const std::uint64_t> keys, std::span<const std::byte*> values) const {
  FindBatches(keys, values);
}

void RawCompactDictView::FindMany(std::span<const std::string_view> keys, std::span<const std::byte*> values) const {
  FindBatches(keys, values);
}

bool RawCompactDictView::Next(Entry& entry) const {
  Record record;
  while (Read(entry.next, record)) {
    entry.next = key_bytes_ == 0 ? record.end : record.number + 1;
    if (record.dead) continue;
    entry.integer = record.integer;
    entry.text = record.text;
    entry.value = record.value;
    return true;
  }
  return false;
}

absl::Status RawCompactDictView::Verify() const {
  std::uint64_t live = 0, dead = 0, end = 0;
  Record record;
  for (std::uint64_t number = 0; Read(number, record); number = key_bytes_ == 0 ? record.end : number + 1) {
    end = record.end;
    if (record.dead) {
      dead += record.end - record.begin;
      continue;
    }
    ++live;
    const std::uint64_t hash = HashOf(record);
    const Found found = key_bytes_ == 0 ? Locate(record.text, hash) : Locate(record.integer, hash);
    if (found.number != number) return absl::DataLossError("CompactDict: a record is not found under its key");
  }
  if (end != used_) return absl::DataLossError("CompactDict: a damaged record");
  if (live != count_ || dead != dead_) return absl::DataLossError("CompactDict: the counts are wrong");
  std::uint64_t occupied = 0, erased = 0;
  for (std::uint64_t line = 0; line < lines_; ++line) {
    for (unsigned slot = 0; slot < kFingerprints; ++slot) {
      if (LineAt(line)[slot] == std::byte{0}) continue;
      if (slot >= line_slots_) return absl::DataLossError("CompactDict: a slot behind a line's last");
      ++occupied;
      erased += IdAt(LineAt(line), slot) == id_mask_;
    }
  }
  // Each slot that a record found is another one, so equal counts leave no slot that points elsewhere.
  if (occupied != live + erased || occupied != slots_used_) return absl::DataLossError("CompactDict: the index holds more than the records");
  return absl::OkStatus();
}

// --- Making

RawCompactDict::RawCompactDict(RawCompactDictView view, Buffer buffer) : Owner(view, std::move(buffer)) { peak_bytes_ = this->buffer().size(); }

std::uint64_t RawCompactDict::ImageBytes(const Options&) { return ImageLayout(kHeaderBytes).image_bytes(); }

absl::StatusOr<RawCompactDict> RawCompactDict::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<RawCompactDict> RawCompactDict::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  if (buffer.size() < ImageBytes(options)) return absl::InvalidArgumentError("CompactDict: the buffer is too small");
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = ImageBytes(options), .used_bytes = ImageBytes(options), .seed = options.seed};
  header.parameters = {options.key_bytes | std::uint64_t{options.value_bytes} << 32, 0, 0, 0, 0, 8, 0};
  header.Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const RawCompactDictView empty, ViewOf(buffer));
  return RawCompactDict(empty, std::move(buffer));
}

RawCompactDict::RawCompactDict(const Options& options) : RawCompactDict(Make(options).value()) {}

absl::StatusOr<RawCompactDict> RawCompactDict::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const RawCompactDictView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return RawCompactDict(view, std::move(buffer));
}

void RawCompactDict::WriteHeader() { Header().Write(buffer().bytes()); }

// --- Growing

absl::Status RawCompactDict::Relayout(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits) {
  const std::uint64_t index_before = index_at_, index_bytes = dead_at_ - index_at_;
  const std::uint64_t dead_before = dead_at_, dead_bytes = image_bytes_ - kImageSlack - dead_at_;
  const bool same_index = lines == lines_ && id_bits == id_bits_;
  const std::uint64_t held = buffer().size();
  THIMBLE_RETURN_IF_ERROR(buffer().Grow(PlacesOf(reserved, lines, id_bits).image_bytes));
  // What the heap grows below 1 MiB is copied, and both copies count.
  peak_bytes_ = std::max<std::uint64_t>(peak_bytes_, buffer().size() + (held < (1u << 20) && held < buffer().size() ? held : 0));
  image_ = data();
  reserved_ = reserved;
  lines_ = lines;
  id_bits_ = id_bits;
  Place();

  // From the back, so that nothing is overwritten before it has moved; what comes free is zero again.
  std::memmove(data() + dead_at_, data() + dead_before, dead_bytes);
  std::memset(data() + dead_at_ + dead_bytes, 0, image_bytes_ - dead_at_ - dead_bytes);
  if (same_index) {
    std::memmove(data() + index_at_, data() + index_before, index_bytes);
    std::memset(data() + index_before, 0, index_at_ - index_before);
  } else {
    std::memset(data() + index_before, 0, dead_at_ - index_before);
    FillIndex();
  }
  WriteHeader();
  return absl::OkStatus();
}

absl::Status RawCompactDict::MakeRoom(std::uint64_t record_bytes) {
  std::uint64_t reserved = reserved_, lines = lines_;
  unsigned id_bits = id_bits_;
  if (record_bytes > reserved - used_) {
    // By 1/64, from 1 MiB on; smaller ones take larger steps, as the heap copies them.
    const std::uint64_t step = std::max(used_ / 64, std::min<std::uint64_t>(used_ / 8, 16384));
    reserved = RoundUp(used_ + std::max(record_bytes, step), 64);
    const std::uint64_t numbers = key_bytes_ == 0 ? reserved : reserved / record_bytes_;
    id_bits = std::max(id_bits, static_cast<unsigned>(std::bit_width(numbers)));  // all ones lead nowhere
  }
  const bool full = slots_used_ + 1 > MaxSlotsUsed(lines_ * line_slots_);
  // Dead records leave the index when it is refilled, so the live ones decide: it is 7/8 full then, and 15/16 at most.
  const unsigned line_slots = SlotsPerLine(id_bits);
  if (full || id_bits != id_bits_) lines = std::max(lines, ((count_ + 1) * 8 / 7 + line_slots - 1) / line_slots);
  if (reserved != reserved_ || lines != lines_ || id_bits != id_bits_) return Relayout(reserved, lines, id_bits);
  if (full) {
    std::memset(data() + index_at_, 0, dead_at_ - index_at_);
    FillIndex();
  }
  return absl::OkStatus();
}

void RawCompactDict::SetId(std::uint64_t line, unsigned slot, std::uint64_t id) {
  const unsigned bit = slot * id_bits_;
  std::byte* word = data() + index_at_ + line * line_bytes_ + kFingerprints + bit / 8;
  Store(word, (Load<std::uint64_t>(word) & ~(id_mask_ << (bit % 8))) | id << (bit % 8));
}

void RawCompactDict::AddSlot(std::uint64_t hash, std::uint64_t number) {
  std::uint64_t line = HomeOf(hash);
  std::uint32_t free = Match(LineAt(line), 0);
  while (free == 0) {
    if (++line == lines_) line = 0;
    free = Match(LineAt(line), 0);
  }
  const auto slot = static_cast<unsigned>(std::countr_zero(free));
  data()[index_at_ + line * line_bytes_ + slot] = std::byte{FingerprintOf(hash)};
  SetId(line, slot, number);
  ++slots_used_;
}

void RawCompactDict::FillIndex() {
  slots_used_ = 0;
  std::array<std::uint64_t, kBatch> hashes, numbers;
  std::size_t waiting = 0;
  const auto flush = [&] {
    for (std::size_t i = 0; i < waiting; ++i) AddSlot(hashes[i], numbers[i]);
    waiting = 0;
  };
  Record record;
  for (std::uint64_t number = 0; Read(number, record); number = key_bytes_ == 0 ? record.end : number + 1) {
    if (record.dead) continue;
    hashes[waiting] = HashOf(record);
    numbers[waiting] = number;
    __builtin_prefetch(LineAt(HomeOf(hashes[waiting])), 1);
    if (++waiting == kBatch) flush();
  }
  flush();
}

// --- Inserting and erasing

template <class Key>
absl::StatusOr<RawCompactDict::Slot> RawCompactDict::InsertKey(Key key, std::uint64_t hash, std::uint64_t bytes) {
  Record record;
  if (const Found found = Locate(key, hash); found.number != kAbsent && Read(found.number, record)) {
    return Slot{data() + (record.value - image_), false};
  }
  THIMBLE_RETURN_IF_ERROR(MakeRoom(bytes));
  std::byte* at = data() + kHeaderBytes + used_;
  const std::uint64_t number = key_bytes_ == 0 ? used_ : numbers_;
  if constexpr (std::is_same_v<Key, std::string_view>) {
    StoreVarint(at, 2 * key.size());
    at += bytes - key.size() - value_bytes_;
    std::copy_n(reinterpret_cast<const std::byte*>(key.data()), key.size(), at);
    at += key.size();
  } else {
    std::memcpy(at, &key, key_bytes_);
    at += key_bytes_;
  }
  std::memset(at, 0, value_bytes_);
  used_ += bytes;
  numbers_ = key_bytes_ == 0 ? used_ : number + 1;
  integers_ = key_bytes_ == 0 ? 0 : numbers_;
  ++count_;
  AddSlot(hash, number);
  WriteHeader();
  return Slot{at, true};
}

absl::StatusOr<RawCompactDict::Slot> RawCompactDict::Insert(std::uint64_t key) {
  assert(!has_string_keys() && (key & ~key_mask_) == 0);
  return InsertKey(key, seed_.Hash(key), record_bytes_);
}

absl::StatusOr<RawCompactDict::Slot> RawCompactDict::Insert(std::string_view key) {
  assert(has_string_keys());
  if (key.size() >= kMaxKeyLength) return absl::InvalidArgumentError("CompactDict: a key has less than 2^48 bytes");
  return InsertKey(key, seed_.Hash(key), VarintBytes(2 * key.size()) + key.size() + value_bytes_);
}

template <class Key>
bool RawCompactDict::EraseKey(Key key, std::uint64_t hash) {
  Record record;
  const Found found = Locate(key, hash);
  if (found.number == kAbsent || !Read(found.number, record)) return false;
  // The slot stays and leads nowhere, as the lines behind it may have been reached through it.
  SetId(found.line, found.slot, id_mask_);
  std::byte* mark = key_bytes_ == 0 ? data() + kHeaderBytes + found.number : data() + dead_at_ + found.number / 8;
  *mark |= std::byte{1} << (key_bytes_ == 0 ? 0 : found.number % 8);
  dead_ += record.end - record.begin;
  --count_;
  if (dead_ > 64 && dead_ > (used_ - dead_) / 8) Squeeze();
  WriteHeader();
  return true;
}

bool RawCompactDict::Erase(std::uint64_t key) { return EraseKey(key, seed_.Hash(key)); }
bool RawCompactDict::Erase(std::string_view key) { return EraseKey(key, seed_.Hash(key)); }

void RawCompactDict::Squeeze() {
  std::uint64_t end = 0;
  Record record;
  for (std::uint64_t number = 0; Read(number, record); number = key_bytes_ == 0 ? record.end : number + 1) {
    if (record.dead) continue;
    std::memmove(data() + kHeaderBytes + end, data() + kHeaderBytes + record.begin, record.end - record.begin);
    end += record.end - record.begin;
  }
  std::memset(data() + kHeaderBytes + end, 0, index_at_ - kHeaderBytes - end);
  used_ = end;
  dead_ = 0;
  Place();
  std::memset(data() + index_at_, 0, image_bytes_ - index_at_);
  FillIndex();
}

void RawCompactDict::Clear() {
  std::memset(data() + kHeaderBytes, 0, image_bytes_ - kHeaderBytes);
  used_ = dead_ = count_ = slots_used_ = 0;
  Place();
  WriteHeader();
}

Stats RawCompactDict::stats() const {
  const std::uint64_t slack = reserved_ - used_ + (buffer().size() - image_bytes_);
  return {.live_bytes = image_bytes_ - (reserved_ - used_) - dead_, .slack_bytes = slack, .garbage_bytes = dead_, .peak_bytes = peak_bytes_};
}

}  // namespace thimble
