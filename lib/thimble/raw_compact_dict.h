#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/hash.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// The untyped half of CompactDict, for tools and for key types known at run time only: keys are integers of key_bytes bytes
// or strings, values are runs of value_bytes bytes. Programs use <thimble/compact_dict.h>.
//
// Image, header of 128 bytes and then
//
//   records    one after another in the order of insertion. Integer keys: key, value. String keys: varint(2 * length + dead),
//              key, value
//   index      lines of a cache line, or shorter ones of 16 + 2 * id_bits bytes: 16 fingerprints, one byte a slot (0 is an
//              empty slot), and the slots' record numbers, id_bits each. Lines of 64 bytes have so many slots as numbers
//              fit, 16 up to 24 bits. A record number is an ordinal for integer keys, a byte offset for strings; all ones
//              mark a slot whose record was erased. A key lies in the first slot that was free from line
//              floor(hash * lines / 2^64) on
//   dead bits  one a record, for integer keys
//
//   parameters: key bytes (0: strings) + value bytes * 2^32, record bytes reserved, used, dead, lines, id bits, slots used
//
// Growth moves no record: the buffer grows by 1/64, and the index slides up behind the longer run of records. The index
// holds nothing that the records do not, so it grows by 1/16 where it stands, refilled from them: there is never a second copy.
//
// Space    as CompactDict: the record, and (1 + log2(n) / 8) * 1.07 to 1.14 bytes of index
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
  std::uint64_t seed() const { return seed_.value(); }

  // The key's value, or null. A key of the other type is never found.
  const std::byte* Find(std::uint64_t key) const;
  const std::byte* Find(std::string_view key) const;

  // Find for each key, with the memory accesses of a batch overlapped. Requires: values.size() >= keys.size().
  void FindMany(std::span<const std::uint64_t> keys, std::span<const std::byte*> values) const;
  void FindMany(std::span<const std::string_view> keys, std::span<const std::byte*> values) const;

  // Moves on to the next entry, in the order of insertion; false after the last.
  bool Next(Entry& entry) const;

 protected:
  static constexpr std::uint64_t kAbsent = ~std::uint64_t{0};
  static constexpr std::size_t kHeaderBytes = 128;

  struct Record {
    std::uint64_t number = 0;
    std::uint64_t begin = 0, end = 0;  // in the run of records
    bool dead = false;
    std::uint64_t integer = 0;
    std::string_view text;
    const std::byte* value = nullptr;
  };

  struct Found {
    std::uint64_t number = kAbsent, line = 0;
    unsigned slot = 0;
  };

  struct Places {
    std::uint64_t index, dead, image_bytes;
  };

  ImageHeader Header() const;
  Places PlacesOf(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits) const;
  // Takes sizes from a header; false if they make no sense or do not add up to its image_bytes.
  bool Configure(const ImageHeader& header);
  void Place();  // computes what follows from the sizes

  bool Read(std::uint64_t number, Record& record) const;
  std::uint64_t HashOf(const Record& record) const { return key_bytes_ == 0 ? seed_.Hash(record.text) : seed_.Hash(record.integer); }
  std::uint64_t HomeOf(std::uint64_t hash) const;
  const std::byte* LineAt(std::uint64_t line) const { return index_ + line * line_bytes_; }
  std::uint32_t Match(const std::byte* line, std::uint8_t fingerprint) const;
  std::uint64_t IdAt(const std::byte* line, unsigned slot) const;
  std::uint64_t FirstCandidate(std::uint64_t hash) const;
  const std::byte* FindFrom(std::uint64_t candidate, std::uint64_t key, std::uint64_t hash) const;
  const std::byte* FindFrom(std::uint64_t candidate, std::string_view key, std::uint64_t hash) const;
  const std::byte* FindAmongAll(std::uint64_t key, std::uint64_t hash) const;
  Found Locate(std::uint64_t key, std::uint64_t hash) const;
  Found Locate(std::string_view key, std::uint64_t hash) const;
  template <class Matches>
  Found Search(std::uint64_t hash, Matches matches) const;
  template <class Key>
  void FindBatches(std::span<const Key> keys, std::span<const std::byte*> values) const;

  const std::byte* image_ = nullptr;
  std::uint64_t image_bytes_ = 0;
  std::uint64_t count_ = 0;
  HashSeed seed_;
  std::uint32_t key_bytes_ = 0, value_bytes_ = 0;
  std::uint64_t reserved_ = 0, used_ = 0, dead_ = 0;  // bytes of records
  std::uint64_t lines_ = 0, slots_used_ = 0;
  unsigned id_bits_ = 0;

  std::uint64_t record_bytes_ = 0, key_mask_ = 0;  // of integer keys
  std::uint64_t numbers_ = 0;                      // record numbers are below it
  std::uint64_t integers_ = 0;                     // the same with integer keys, 0 with strings
  std::uint64_t line_bytes_ = 0, id_mask_ = 0;
  unsigned line_slots_ = 0;
  std::uint32_t slot_mask_ = 0;
  const std::byte* index_ = nullptr;               // some readable bytes while it has no line
  std::uint64_t index_at_ = 0, dead_at_ = 0;
};

class RawCompactDict : public Owner<RawCompactDictView> {
 public:
  struct Options {
    std::uint32_t key_bytes = 8;    // 1 to 8 for integer keys, 0 for strings
    std::uint32_t value_bytes = 8;  // below 64 Ki
    std::uint64_t seed = 0;
  };
  // What Insert found or made. `value` ends with the next Insert or Erase.
  struct Slot {
    std::byte* value;
    bool inserted;  // then the value is zero
  };

  explicit RawCompactDict(const Options& options);
  static absl::StatusOr<RawCompactDict> Make(const Options& options);
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
  absl::Status Relayout(std::uint64_t reserved, std::uint64_t lines, unsigned id_bits);
  void Squeeze();
  void FillIndex();
  void AddSlot(std::uint64_t hash, std::uint64_t number);
  void SetId(std::uint64_t line, unsigned slot, std::uint64_t id);
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
