#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/bytes.h"
#include "thimble/fingerprint_index.h"
#include "thimble/hash.h"
#include "thimble/image.h"
#include "thimble/owner.h"
#include "thimble/raw_map.h"

namespace thimble {

// The untyped half of CompactDict, for tools and for key types known at run time only: keys are integers of key_bytes bytes
// or strings, values are runs of value_bytes bytes. Programs use <thimble/compact_dict.h>.
//
// Image, header of 128 bytes and then
//
//   index      from the keys' hashes to record numbers: <thimble/fingerprint_index.h>
//   records    one after another in the order of insertion. Integer keys: key, value. String keys: varint(2 * length + dead),
//              key, value. A record's number is its ordinal, and for strings its byte offset
//   dead bits  one a record, for integer keys, while any is dead
//
// The hash of an integer key is the xor of the two halves of (key ^ seed * 0x9E3779B97F4A7C15) * 0xD1342543DE82EF95, 128 bits,
// as fewer instructions let the machine overlap more lookups; that of a string is Hash64.
//
//   parameters: key bytes (0: strings) + value bytes * 2^32, record bytes reserved, used, dead, lines, id bits, slots used
//
// Records are added at the end, where the buffer grows by 1/256. The index holds nothing that they do not, so it grows by
// 1/13 where it stands: the records slide up, and it is refilled from them. There is never a second copy.
//
// Space    as CompactDict: the record, and (1 + log2(n) / 8) * 1.10 to 1.18 bytes of index
class RawCompactDictView {
 public:
  static constexpr Kind kKind = Kind::kCompactDict;

  // One record. Iteration starts from a default one: for (Entry entry; dict.Next(entry);) ...
  struct Entry {
    std::uint64_t next = 0;            // where Next goes on
    std::uint64_t integer = 0;         // the key, one of these two
    std::string_view text;
    const std::byte* value = nullptr;  // value_bytes() bytes, not aligned
  };

  static absl::StatusOr<RawCompactDictView> Open(std::span<const std::byte> image);
  // Returns kDataLoss unless every record is found under its key and the index holds nothing else.
  absl::Status Verify() const;

  std::span<const std::byte> image() const { return {image_, image_bytes_}; }
  std::uint64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::uint32_t key_bytes() const { return key_bytes_; }
  std::uint32_t value_bytes() const { return value_bytes_; }
  bool has_string_keys() const { return key_bytes_ == 0; }
  std::uint64_t seed() const { return seed_; }

  // The key's value, or null. A key of the other type is never found.
  const std::byte* Find(std::uint64_t key) const;
  const std::byte* Find(std::string_view key) const;
  // Find where the compiler knows the widths. The machine has as many lookups under way as it has room for their
  // instructions, and these are two thirds of Find's. Requires: they are the dict's.
  template <std::uint32_t kKeyBytes, std::uint32_t kValueBytes>
  const std::byte* FindSized(std::uint64_t key) const {
    const std::uint64_t candidate = index_.First(HashOf(key));
    if (candidate < integers_) [[likely]] {
      const std::byte* record = records_ + candidate * (kKeyBytes + kValueBytes);
      if ((Load<std::uint64_t>(record) & LowBits(8 * kKeyBytes)) == key) [[likely]] return record + kKeyBytes;
    } else if (candidate == FingerprintIndex::kAbsent) {
      return nullptr;
    }
    return FindAmongAll(key);
  }

  // Find for each key, with the memory accesses of a batch overlapped. Requires: values.size() >= keys.size().
  void FindMany(std::span<const std::uint64_t> keys, std::span<const std::byte*> values) const;
  void FindMany(std::span<const std::string_view> keys, std::span<const std::byte*> values) const;

  // Moves on to the next entry, in the order of insertion; false after the last.
  bool Next(Entry& entry) const;

 protected:
  static constexpr std::size_t kHeaderBytes = 128;

  struct Record {
    std::uint64_t number = 0;
    std::uint64_t begin = 0, end = 0;  // in the run of records
    bool dead = false;
    std::uint64_t integer = 0;
    std::string_view text;
    const std::byte* value = nullptr;
  };

  struct Places {
    std::uint64_t records, dead, image_bytes;
  };

  ImageHeader Header() const;
  Places PlacesOf(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits, bool some_dead) const;
  // Takes sizes from a header; false if they make no sense or do not add up to its image_bytes.
  bool Configure(const ImageHeader& header);
  void Place(std::uint64_t lines, unsigned id_bits);  // computes what follows from the sizes

  bool Read(std::uint64_t number, Record& record) const;
  std::uint64_t HashOf(std::uint64_t key) const {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{key ^ key_seed_} * 0xD1342543DE82EF95u;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  std::uint64_t HashOf(std::string_view key) const { return Hash64(key, seed_); }
  std::uint64_t HashOf(const Record& record) const { return key_bytes_ == 0 ? HashOf(record.text) : HashOf(record.integer); }
  std::uint64_t RecordsAt() const { return static_cast<std::uint64_t>(records_ - image_); }
  const std::byte* RecordAt(std::uint64_t number) const { return records_ + number * (key_bytes_ == 0 ? 1 : record_bytes_); }
  const std::byte* FindFrom(std::uint64_t candidate, std::uint64_t key) const;
  const std::byte* FindFrom(std::uint64_t candidate, std::string_view key) const;
  const std::byte* FindAmongAll(std::uint64_t key) const;
  const std::byte* FindAmongAll(std::string_view key) const;
  FingerprintIndex::Found Locate(std::uint64_t key, std::uint64_t hash) const;
  FingerprintIndex::Found Locate(std::string_view key, std::uint64_t hash) const;
  template <class Key>
  void FindBatches(std::span<const Key> keys, std::span<const std::byte*> values) const;

  const std::byte* image_ = nullptr;
  std::uint64_t image_bytes_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t seed_ = 0;
  std::uint32_t key_bytes_ = 0, value_bytes_ = 0;
  std::uint64_t reserved_ = 0, used_ = 0, dead_ = 0;  // bytes of records
  std::uint64_t slots_used_ = 0;

  std::uint64_t record_bytes_ = 0, key_mask_ = 0, key_seed_ = 0;  // of integer keys
  std::uint64_t numbers_ = 0;   // record numbers are below it
  std::uint64_t integers_ = 0;  // the same with integer keys, 0 with strings
  FingerprintIndex index_;
  const std::byte* records_ = nullptr;
  std::uint64_t dead_at_ = 0;
};

class RawCompactDict : public Owner<RawCompactDictView> {
 public:
  using Options = RawMapOptions;
  using Slot = RawMapSlot;

  explicit RawCompactDict(const Options& options);
  static absl::StatusOr<RawCompactDict> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<RawCompactDict> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);  // of an empty one
  static absl::StatusOr<RawCompactDict> Open(Buffer buffer);

  // Returns the buffer's error when it cannot grow; nothing has changed then. Requires: a key of the dict's type.
  absl::StatusOr<Slot> Insert(std::uint64_t key);
  absl::StatusOr<Slot> Insert(std::string_view key);

  // False if the key is absent. Squeezes erased records out when they are more than an eighth of the live ones.
  bool Erase(std::uint64_t key);
  bool Erase(std::string_view key);

  void Clear();

  Stats stats() const;

 private:
  RawCompactDict(RawCompactDictView view, Buffer buffer);

  template <class Key>
  absl::StatusOr<Slot> InsertKey(Key key, std::uint64_t hash, std::uint64_t bytes);
  template <class Key>
  bool EraseKey(Key key, std::uint64_t hash);
  absl::Status MakeRoom(std::uint64_t record_bytes);
  absl::Status GrowBuffer(std::uint64_t bytes);
  absl::Status Relayout(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits);
  bool MarkDead(const Record& record);
  void Squeeze(std::uint64_t also_dead);
  void FillIndex();
  void AddSlot(std::uint64_t hash, std::uint64_t number);
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
