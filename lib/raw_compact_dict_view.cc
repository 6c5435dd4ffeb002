#include "thimble/raw_compact_dict.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "status_macros.h"
#include "thimble/bytes.h"
#include "thimble/hash.h"

namespace thimble {
namespace {

constexpr std::size_t kBatch = 64;

}  // namespace

// --- Layout

RawCompactDictView::Places RawCompactDictView::PlacesOf(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits, bool some_dead) const {
  ImageLayout layout(kHeaderBytes);
  layout.Add(lines, 8 * FingerprintIndex::LineBytes(id_bits), kImageAlignment);
  const std::uint64_t records = layout.Add(reserved, 8);
  const std::uint64_t dead = layout.Add(key_bytes_ != 0 && some_dead ? reserved / record_bytes_ : 0, 1);
  return {records, dead, layout.image_bytes()};
}

void RawCompactDictView::Place(std::uint64_t lines, unsigned id_bits) {
  record_bytes_ = key_bytes_ == 0 ? 0 : key_bytes_ + value_bytes_;
  key_mask_ = LowBits(8 * key_bytes_);
  key_seed_ = seed_ * 0x9E3779B97F4A7C15u;
  numbers_ = key_bytes_ == 0 ? used_ : used_ / record_bytes_;
  integers_ = key_bytes_ == 0 ? 0 : numbers_;
  const Places places = PlacesOf(reserved_, lines, id_bits, dead_ != 0);
  // An index of no line reads the header as one.
  index_ = FingerprintIndex(image_ + (lines == 0 ? 0 : kHeaderBytes), lines, id_bits);
  records_ = image_ + places.records;
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
  slots_used_ = p[6];
  count_ = header.count;
  seed_ = header.seed;
  if (key_bytes_ > 8 || value_bytes_ > RawMapOptions::kMaxValueBytes || p[5] == 0 || p[5] > FingerprintIndex::kMaxIdBits) return false;
  Place(p[4], static_cast<unsigned>(p[5]));
  return image_bytes_ == header.image_bytes && used_ <= reserved_ && dead_ <= used_ && count_ <= numbers_ &&
         (key_bytes_ == 0 ? reserved_ : reserved_ / record_bytes_) <= index_.erased_id() &&
         (record_bytes_ == 0 || used_ % record_bytes_ == 0) && slots_used_ <= index_.slots();
}

ImageHeader RawCompactDictView::Header() const {
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = image_bytes_, .count = count_, .used_bytes = image_bytes_, .seed = seed_};
  header.parameters = {key_bytes_ | std::uint64_t{value_bytes_} << 32, reserved_, used_, dead_, index_.lines(), index_.id_bits(), slots_used_};
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
    record.integer = Load<std::uint64_t>(records_ + record.begin) & key_mask_;
    record.value = records_ + record.begin + key_bytes_;
    record.dead = dead_ != 0 && ((Load<std::uint8_t>(image_ + dead_at_ + number / 8) >> (number % 8)) & 1) != 0;
    return true;
  }
  std::uint64_t at = number, length = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (at >= used_ || shift > 49) return false;
    const auto byte = Load<std::uint8_t>(records_ + at++);
    length |= std::uint64_t{byte & 127u} << shift;
    if (byte < 128) break;
  }
  record.dead = (length & 1) != 0;
  length /= 2;
  if (length > used_ - at || value_bytes_ > used_ - at - length) return false;
  record.begin = number;
  record.text = {reinterpret_cast<const char*>(records_ + at), length};
  record.value = records_ + at + length;
  record.end = at + length + value_bytes_;
  return true;
}

FingerprintIndex::Found RawCompactDictView::Locate(std::uint64_t key, std::uint64_t hash) const {
  if (key_bytes_ == 0 || (key & ~key_mask_) != 0) return {};
  return index_.Search(hash, [&](std::uint64_t number) {
    return number < numbers_ && (Load<std::uint64_t>(records_ + number * record_bytes_) & key_mask_) == key;
  });
}

FingerprintIndex::Found RawCompactDictView::Locate(std::string_view key, std::uint64_t hash) const {
  if (key_bytes_ != 0) return {};
  return index_.Search(hash, [&](std::uint64_t number) {
    Record record;
    return Read(number, record) && record.text == key;
  });
}

const std::byte* RawCompactDictView::FindAmongAll(std::uint64_t key) const {
  const std::uint64_t number = Locate(key, HashOf(key)).id;
  return number == FingerprintIndex::kAbsent ? nullptr : records_ + number * record_bytes_ + key_bytes_;
}

const std::byte* RawCompactDictView::FindAmongAll(std::string_view key) const {
  Record record;
  return Read(Locate(key, HashOf(key)).id, record) ? record.value : nullptr;
}

// These two with FingerprintIndex::First are the whole of nearly every lookup.
inline const std::byte* RawCompactDictView::FindFrom(std::uint64_t candidate, std::uint64_t key) const {
  if (candidate < integers_) [[likely]] {
    const std::byte* record = records_ + candidate * record_bytes_;
    if ((Load<std::uint64_t>(record) & key_mask_) == key) [[likely]] return record + key_bytes_;
  } else if (candidate == FingerprintIndex::kAbsent) {
    return nullptr;
  }
  return FindAmongAll(key);
}

inline const std::byte* RawCompactDictView::FindFrom(std::uint64_t candidate, std::string_view key) const {
  if (candidate == FingerprintIndex::kAbsent) return nullptr;
  Record record;
  if (key_bytes_ == 0 && Read(candidate, record) && record.text == key) return record.value;
  return FindAmongAll(key);
}

const std::byte* RawCompactDictView::Find(std::uint64_t key) const { return FindFrom(index_.First(HashOf(key)), key); }

const std::byte* RawCompactDictView::Find(std::string_view key) const { return FindFrom(index_.First(HashOf(key)), key); }

template <class Key>
void RawCompactDictView::FindBatches(std::span<const Key> keys, std::span<const std::byte*> values) const {
  assert(values.size() >= keys.size());
  std::array<std::uint64_t, kBatch> hashes, candidates;
  for (std::size_t from = 0; from < keys.size(); from += kBatch) {
    const std::size_t size = std::min(kBatch, keys.size() - from);
    for (std::size_t i = 0; i < size; ++i) {
      hashes[i] = HashOf(keys[from + i]);
      __builtin_prefetch(index_.HomeOf(hashes[i]));
    }
    for (std::size_t i = 0; i < size; ++i) {
      candidates[i] = index_.First(hashes[i]);
      if (candidates[i] < numbers_) __builtin_prefetch(RecordAt(candidates[i]));
    }
    for (std::size_t i = 0; i < size; ++i) values[from + i] = FindFrom(candidates[i], keys[from + i]);
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
    const FingerprintIndex::Found found = key_bytes_ == 0 ? Locate(record.text, hash) : Locate(record.integer, hash);
    if (found.id != number) return absl::DataLossError("CompactDict: a record is not found under its key");
  }
  if (end != used_) return absl::DataLossError("CompactDict: a damaged record");
  if (live != count_ || dead != dead_) return absl::DataLossError("CompactDict: the counts are wrong");
  std::uint64_t occupied = 0, erased = 0;
  if (!index_.Count(occupied, erased)) return absl::DataLossError("CompactDict: a slot where none can be");
  // Each slot that a record found is another one, so equal counts leave no slot that points elsewhere.
  if (occupied != live + erased || occupied != slots_used_) return absl::DataLossError("CompactDict: the index holds more than the records");
  return absl::OkStatus();
}

}  // namespace thimble
