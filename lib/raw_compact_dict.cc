#include "thimble/raw_compact_dict.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <type_traits>
#include <utility>

#include "status_macros.h"
#include "thimble/bytes.h"
#include "thimble/hash.h"

namespace thimble {
namespace {

constexpr std::uint64_t kMaxKeyLength = std::uint64_t{1} << 48;
constexpr std::size_t kMostWaiting = 64;
constexpr std::uint64_t kNobody = ~std::uint64_t{0};

// An index of so many lines is refilled, longer if need be, when it would hold more than this.
constexpr std::uint64_t MaxSlotsUsed(std::uint64_t lines, std::uint64_t slots) { return lines == 1 ? slots : slots - slots / 11; }
// And it is 11/13 full then: the less it is filled, the fewer keys lie away from home.
constexpr std::uint64_t LinesFor(std::uint64_t count, unsigned line_slots) {
  return count <= line_slots ? 1 : (count * 13 / 11 + line_slots - 1) / line_slots;
}

unsigned VarintBytes(std::uint64_t value) { return (static_cast<unsigned>(std::bit_width(value | 1)) + 6) / 7; }

void StoreVarint(std::byte* at, std::uint64_t value) {
  for (; value >= 128; value >>= 7) *at++ = static_cast<std::byte>(value | 128);
  *at = static_cast<std::byte>(value);
}

absl::Status CheckDictOptions(const RawCompactDict::Options& options) {
  if (options.key_bytes > 8) return absl::InvalidArgumentError("integer keys have 1 to 8 bytes");
  if (options.value_bytes > RawMapOptions::kMaxValueBytes) return absl::InvalidArgumentError("a value has at most 65535 bytes");
  return absl::OkStatus();
}

}  // namespace

// --- Making

RawCompactDict::RawCompactDict(RawCompactDictView view, Buffer buffer) : Owner(view, std::move(buffer)) { peak_bytes_ = this->buffer().size(); }

std::uint64_t RawCompactDict::ImageBytes(const Options&) { return ImageLayout(kHeaderBytes).image_bytes(); }

absl::StatusOr<RawCompactDict> RawCompactDict::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckDictOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<RawCompactDict> RawCompactDict::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckDictOptions(options));
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

absl::Status RawCompactDict::GrowBuffer(std::uint64_t bytes) {
  const std::uint64_t held = buffer().size();
  THIMBLE_RETURN_IF_ERROR(buffer().Grow(bytes));
  // What the heap grows below 1 MiB is copied, and both copies count.
  peak_bytes_ = std::max<std::uint64_t>(peak_bytes_, buffer().size() + (held < (1u << 20) && held < buffer().size() ? held : 0));
  image_ = data();
  return absl::OkStatus();
}

absl::Status RawCompactDict::Relayout(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits) {
  const std::uint64_t records_before = RecordsAt(), dead_before = dead_at_;
  const std::uint64_t dead_bytes = image_bytes_ - kImageSlack - dead_at_;
  const bool same_index = lines == index_.lines() && id_bits == index_.id_bits();
  THIMBLE_RETURN_IF_ERROR(GrowBuffer(PlacesOf(reserved, lines, id_bits, dead_ != 0).image_bytes));
  reserved_ = reserved;
  Place(lines, id_bits);

  // From the back, so that nothing is overwritten before it has moved; what comes free is zero again.
  if (dead_ != 0) std::memmove(data() + dead_at_, data() + dead_before, dead_bytes);
  std::memset(data() + dead_at_ + (dead_ != 0 ? dead_bytes : 0), 0, image_bytes_ - dead_at_ - (dead_ != 0 ? dead_bytes : 0));
  std::memmove(data() + RecordsAt(), data() + records_before, used_);
  std::memset(data() + RecordsAt() + used_, 0, dead_at_ - RecordsAt() - used_);
  if (!same_index) FillIndex();
  WriteHeader();
  return absl::OkStatus();
}

absl::Status RawCompactDict::MakeRoom(std::uint64_t record_bytes) {
  std::uint64_t reserved = reserved_, lines = index_.lines();
  unsigned id_bits = index_.id_bits();
  if (record_bytes > reserved - used_) {
    // By 1/256; smaller ones take larger steps, as the heap copies them, and so do those with dead bits, which move.
    const std::uint64_t step = std::max(used_ / (dead_ == 0 ? 256 : 64), std::min<std::uint64_t>(used_ / 8, 16384));
    reserved = RoundUp(used_ + std::max(record_bytes, step), 64);
    const std::uint64_t numbers = key_bytes_ == 0 ? reserved : reserved / record_bytes_;
    id_bits = std::max(id_bits, FingerprintIndex::IdBitsFor(static_cast<unsigned>(std::bit_width(numbers))));  // all ones lead nowhere
  }
  const bool full = slots_used_ + 1 > MaxSlotsUsed(lines, index_.slots());
  // Dead records leave the index when it is refilled, so the live ones decide.
  if (full || id_bits != index_.id_bits()) lines = std::max(lines, LinesFor(count_ + 1, FingerprintIndex::SlotsPerLine(id_bits)));
  const bool same_index = lines == index_.lines() && id_bits == index_.id_bits();
  if (reserved != reserved_ || !same_index) THIMBLE_RETURN_IF_ERROR(Relayout(reserved, lines, id_bits));
  if (full && same_index) FillIndex();
  return absl::OkStatus();
}

void RawCompactDict::AddSlot(std::uint64_t hash, std::uint64_t number) {
  index_.Add(data() + kHeaderBytes, hash, number);
  ++slots_used_;
}

void RawCompactDict::FillIndex() {
  std::memset(data() + kHeaderBytes, 0, RecordsAt() - kHeaderBytes);
  slots_used_ = 0;
  std::array<std::uint64_t, kMostWaiting> hashes, numbers;
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
    __builtin_prefetch(index_.HomeOf(hashes[waiting]), 1);
    if (++waiting == kMostWaiting) flush();
  }
  flush();
}

// --- Inserting and erasing

template <class Key>
absl::StatusOr<RawCompactDict::Slot> RawCompactDict::InsertKey(Key key, std::uint64_t hash, std::uint64_t bytes) {
  Record record;
  if (Read(Locate(key, hash).id, record)) return Slot{data() + (record.value - image_), false};
  if constexpr (std::is_same_v<Key, std::string_view>) {
    if (LiesIn(key, buffer().bytes())) return InsertKey(std::string_view(std::string(key)), hash, bytes);  // a part of one that is here
  }
  THIMBLE_RETURN_IF_ERROR(MakeRoom(bytes));
  std::byte* at = data() + RecordsAt() + used_;
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
  return InsertKey(key, HashOf(key), record_bytes_);
}

absl::StatusOr<RawCompactDict::Slot> RawCompactDict::Insert(std::string_view key) {
  assert(has_string_keys());
  if (key.size() >= kMaxKeyLength) return absl::InvalidArgumentError("CompactDict: a key has less than 2^48 bytes");
  return InsertKey(key, HashOf(key), VarintBytes(2 * key.size()) + key.size() + value_bytes_);
}

template <class Key>
bool RawCompactDict::EraseKey(Key key, std::uint64_t hash) {
  Record record;
  const FingerprintIndex::Found found = Locate(key, hash);
  if (!Read(found.id, record)) return false;
  slots_used_ -= index_.Erase(data() + kHeaderBytes, found);
  --count_;
  if (!MarkDead(record)) {
    Squeeze(record.number);
  } else if (dead_ > 64 && dead_ > (used_ - dead_) / 8) {
    Squeeze(kNobody);
  }
  WriteHeader();
  return true;
}

bool RawCompactDict::Erase(std::uint64_t key) { return EraseKey(key, HashOf(key)); }
bool RawCompactDict::Erase(std::string_view key) { return EraseKey(key, HashOf(key)); }

// False if there is no room for the dead bits, which the first dead record makes.
bool RawCompactDict::MarkDead(const Record& record) {
  if (key_bytes_ != 0 && dead_ == 0) {
    const std::uint64_t bytes = PlacesOf(reserved_, index_.lines(), index_.id_bits(), true).image_bytes;
    if (!GrowBuffer(bytes).ok()) return false;
    std::memset(data() + dead_at_, 0, bytes - dead_at_);
  }
  const bool first = dead_ == 0;
  dead_ += record.end - record.begin;
  if (first) Place(index_.lines(), index_.id_bits());
  if (key_bytes_ == 0) {
    data()[RecordsAt() + record.number] |= std::byte{1};
  } else {
    data()[dead_at_ + record.number / 8] |= std::byte{1} << record.number % 8;
  }
  return true;
}

void RawCompactDict::Squeeze(std::uint64_t also_dead) {
  std::uint64_t end = 0;
  Record record;
  for (std::uint64_t number = 0; Read(number, record); number = key_bytes_ == 0 ? record.end : number + 1) {
    if (record.dead || number == also_dead) continue;
    std::memmove(data() + RecordsAt() + end, data() + RecordsAt() + record.begin, record.end - record.begin);
    end += record.end - record.begin;
  }
  std::memset(data() + RecordsAt() + end, 0, image_bytes_ - RecordsAt() - end);
  used_ = end;
  dead_ = 0;
  Place(index_.lines(), index_.id_bits());
  FillIndex();
}

void RawCompactDict::Clear() {
  std::memset(data() + kHeaderBytes, 0, image_bytes_ - kHeaderBytes);
  used_ = dead_ = count_ = slots_used_ = 0;
  Place(index_.lines(), index_.id_bits());
  WriteHeader();
}

Stats RawCompactDict::stats() const {
  const std::uint64_t slack = reserved_ - used_ + (buffer().size() - image_bytes_);
  return {.live_bytes = image_bytes_ - (reserved_ - used_) - dead_, .slack_bytes = slack, .garbage_bytes = dead_, .peak_bytes = peak_bytes_};
}

}  // namespace thimble
