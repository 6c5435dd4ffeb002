#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/owner.h"
#include "thimble/raw_map.h"

namespace thimble {

// The untyped half of CompactMap, for tools and for key types known at run time only: keys are integers of key_bytes bytes,
// values are runs of value_bytes bytes. Programs use <thimble/compact_map.h>.
//
// A seeded bijection turns the key into a hash h, read as a fraction of 2^64. Its home is block q = floor(h * blocks), and
// what q does not say is the remainder, 64 - floor(log2(blocks)) bits of it for keys of 8 bytes: so a key is never stored
// whole. An entry lies in its home, or displaced in the block behind it when that is full.
//
//   block      u16 count, u16 tag[slots], remainder bits beyond the tag packed [slots], value[slots]
//              tag: 15 bits of the remainder, and on top whether the entry is displaced
//   spill      h and value of entries that found no room in either block: none, unless keys were chosen against the seed
//
//   parameters: key bytes + value bytes * 2^32, blocks, slots in a block (2^i - 1, 63 at most), spilled
//
// Entries stand in the order of their hashes, block by block, in any number of blocks. So the table grows by a twentieth
// where it stands: one pass from the back spreads the blocks over the longer run.
//
// Space    (key bits - log2(n / 58) + 1 + value bits) / 0.90 to 0.95, / 0.83 below 1 MiB, an entry
class RawCompactMap;

class RawCompactMapView {
 public:
  static constexpr Kind kKind = Kind::kCompactMap;

  // One entry. Iteration starts from a default one: for (Entry entry; map.Next(entry);) ...
  struct Entry {
    std::uint64_t next = 0;  // where Next goes on
    std::uint64_t integer = 0;
    const std::byte* value = nullptr;  // value_bytes() bytes, not aligned
  };

  static absl::StatusOr<RawCompactMapView> Open(std::span<const std::byte> image);
  // Returns kDataLoss unless every entry is found under its key, and none twice.
  absl::Status Verify() const;

  std::span<const std::byte> image() const { return {image_, image_bytes_}; }
  std::uint64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::uint32_t key_bytes() const { return key_bytes_; }
  std::uint32_t value_bytes() const { return value_bytes_; }
  std::uint64_t seed() const { return seed_; }
  std::uint64_t slots() const { return blocks_ * block_slots_; }

  // The key's value, or null.
  const std::byte* Find(std::uint64_t key) const;

  // Find for each key, with the memory accesses of a batch overlapped. Requires: values.size() >= keys.size().
  void FindMany(std::span<const std::uint64_t> keys, std::span<const std::byte*> values) const;

  // Moves on to the next entry, in no order that means anything; false after the last.
  bool Next(Entry& entry) const;

 private:
  friend class RawCompactMap;  // reads the former layout while it makes a new one

 protected:
  static constexpr std::size_t kHeaderBytes = 128;
  static constexpr unsigned kTagBits = 15;
  static constexpr std::uint16_t kDisplaced = 1u << kTagBits;
  static constexpr unsigned kMaxSlots = 63;
  static constexpr unsigned kNoSlot = ~0u;

  // A hash taken apart: its home, and the two parts of the remainder.
  struct Parts {
    std::uint64_t home;
    std::uint16_t tag;
    std::uint64_t rest;
  };

  struct Location {
    std::uint64_t block;  // of a spilled entry: blocks + its number
    unsigned slot;
  };

  ImageHeader Header() const;
  bool Configure(const ImageHeader& header);
  // The bytes of an image of so many blocks and spilled entries; kTooLarge if there is none.
  std::uint64_t BytesOf(std::uint64_t blocks, unsigned block_slots, std::uint64_t spilled) const;
  void Shape(std::uint64_t blocks, unsigned block_slots, std::uint64_t spilled);  // sets what follows from them

  std::uint64_t Permute(std::uint64_t key) const;
  std::uint64_t KeyOf(std::uint64_t hash) const;  // the inverse
  Parts PartsOf(std::uint64_t hash) const;
  std::uint64_t HashOf(const Parts& parts) const;  // the inverse

  const std::byte* Block(std::uint64_t block) const { return image_ + kHeaderBytes + block * block_bytes_; }
  unsigned CountOf(const std::byte* block) const;
  std::uint64_t RestAt(const std::byte* block, unsigned slot) const;
  const std::byte* ValueAt(const std::byte* block, unsigned slot) const { return block + values_at_ + slot * value_bytes_; }
  std::uint64_t HashAt(std::uint64_t block, unsigned slot) const;
  unsigned SlotIn(std::uint64_t block, std::uint16_t tag, std::uint64_t rest) const;
  Location Locate(std::uint64_t hash) const;
  const std::byte* ValueOf(const Location& location) const;
  const std::byte* FindHashed(std::uint64_t hash) const;
  std::uint64_t Behind(std::uint64_t block) const { return block + 1 == blocks_ ? 0 : block + 1; }
  const std::byte* Spilled(std::uint64_t i) const { return image_ + spill_at_ + i * (8 + value_bytes_); }

  const std::byte* image_ = nullptr;
  std::uint64_t image_bytes_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t seed_ = 0;
  std::uint32_t key_bytes_ = 0, value_bytes_ = 0;
  std::uint64_t blocks_ = 0, spilled_ = 0;
  unsigned block_slots_ = 0;

  unsigned quotient_bits_ = 0;  // floor(log2(blocks)): what the home tells of the hash
  unsigned remainder_shift_ = 0, rest_bits_ = 0;
  std::uint64_t rest_mask_ = 0;
  std::uint64_t block_bytes_ = 0, rests_at_ = 0, values_at_ = 0, spill_at_ = 0;
};

class RawCompactMap : public Owner<RawCompactMapView> {
 public:
  using Options = RawMapOptions;  // a key has 1 to 8 bytes
  using Slot = RawMapSlot;

  explicit RawCompactMap(const Options& options);
  static absl::StatusOr<RawCompactMap> Make(const Options& options);
  static absl::StatusOr<RawCompactMap> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);  // of an empty one
  static absl::StatusOr<RawCompactMap> Open(Buffer buffer);

  // Returns the buffer's error when it cannot grow; nothing has changed then. Requires: a key of key_bytes bytes.
  absl::StatusOr<Slot> Insert(std::uint64_t key);
  // False if the key is absent.
  bool Erase(std::uint64_t key);
  void Clear();

  Stats stats() const;

 private:
  RawCompactMap(RawCompactMapView view, Buffer buffer);

  std::byte* MutableBlock(std::uint64_t block) { return data() + kHeaderBytes + block * block_bytes_; }
  absl::Status GrowBuffer(std::uint64_t bytes);
  absl::Status Spread(std::uint64_t blocks, unsigned block_slots);
  void Gather(const RawCompactMapView& before, std::vector<std::byte> waiting);
  std::byte* Place(std::uint64_t hash);
  std::byte* Append(std::uint64_t block, std::uint16_t tag, std::uint64_t rest);
  bool MakeRoom(std::uint64_t block);
  void SetRest(std::byte* block, unsigned slot, std::uint64_t rest);
  void Remove(std::uint64_t block, unsigned slot);
  absl::StatusOr<std::byte*> Spill(std::uint64_t hash);
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
  bool spreading_ = false;
};

}  // namespace thimble
