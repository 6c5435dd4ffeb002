#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"

namespace thimble {

// What StaticFilter and StaticMap are made of: a function from 64-bit hashes to values of a few bits that holds the values
// and not the hashes, in 0.3 % more than their bits. Users need nothing of this header.
//
// A key's value is the xor of those of 64 neighbouring slots that its coefficients select: a linear equation over GF(2),
// and a table that holds all keys solves all equations. Keys are sorted by their first slot and eliminated in that order.
// There are 4.5 % more keys than slots, so that hardly a slot stays empty; a key without a place is bumped, with its
// neighbours in the first 16, 36 or all 128 starts of its bucket (two bits tell which), to a smaller layer of the same
// kind. Shards of about 2^18 keys are solved one by one, which bounds the memory to build, and are independent of one another.
//
// Space    1.003 * bits a key, and 32 bytes for each 2^18 keys; building takes up to 10 bytes a key, 20 with values
//
//   header | one record for each shard | shards, each at a multiple of 64 bytes
//   record: u64 first word, with the shard's seed in the upper 16 bits; u32 blocks[6], of each layer, 0 behind the last
//   shard:  layers, each: 2 bits a bucket of 128 starts | blocks of 64 slots, a word for each bit of the values
//
// Every word of a block holds one bit of 64 slots' values. The first blocks of a layer are narrow (`bits` words), the
// others wide (one more): so a filter meets rates between the powers of two.
struct Ribbon {
  static constexpr std::size_t kLayers = 6;
  static constexpr std::size_t kHeaderBytes = 64;
  static constexpr std::size_t kRecordBytes = 32;
  static constexpr unsigned kOffsetBits = 48;
  static constexpr unsigned kMaxBits = 64;

  // One set for each instruction set, and for short values.
  struct Kernels {
    std::uint64_t (*value)(const Ribbon& ribbon, std::uint64_t hash);
    bool (*contains)(const Ribbon& ribbon, std::uint64_t hash);
    void (*values)(const Ribbon& ribbon, std::span<const std::uint64_t> hashes, std::uint64_t* values);
    std::size_t (*contains_many)(const Ribbon& ribbon, std::span<const std::uint64_t> hashes, bool* found);
  };

  static absl::StatusOr<Ribbon> Open(std::span<const std::byte> image, const ImageHeader& header);
  absl::Status Verify() const;

  // The value of a hash that was added; any value for another one.
  std::uint64_t Value(std::uint64_t hash) const { return kernels.value(*this, hash); }
  void Values(std::span<const std::uint64_t> hashes, std::uint64_t* values) const { kernels.values(*this, hashes, values); }
  // Whether the value of a hash is its fingerprint, as every added one's is where values were not given.
  bool Contains(std::uint64_t hash) const { return kernels.contains(*this, hash); }
  std::size_t ContainsMany(std::span<const std::uint64_t> hashes, bool* found) const { return kernels.contains_many(*this, hashes, found); }

  const std::byte* Record(std::uint64_t shard) const { return image.data() + kHeaderBytes + shard * kRecordBytes; }

  std::span<const std::byte> image;
  std::uint64_t words = 0;         // of the image, but for the slack
  std::uint64_t shards = 1;
  std::uint32_t bits = 0;          // of a value in a narrow block
  std::uint64_t narrow_share = 0;  // of each layer's blocks, in units of 2^-32
  Kernels kernels{};

 private:
  static Kernels KernelsFor(std::uint32_t bits, bool wide);
};

// Makes the image of a Ribbon from hashes, in one pass that keeps them all (8 bytes each, 16 with values) or in several that
// keep those of a window of shards each.
class RibbonBuilder {
 public:
  struct Options {
    Kind kind = Kind::kNone;
    std::uint64_t seed = 0;
    std::uint32_t bits = 0;
    std::uint64_t narrow_share = std::uint64_t{1} << 32;
    bool has_values = false;  // else a key's value is its fingerprint
    unsigned threads = 1;
  };
  explicit RibbonBuilder(const Options& options) : options_(options) {}

  void Add(std::uint64_t hash, std::uint64_t value = 0);
  std::uint64_t size() const { return size_; }

  // One pass: everything that was added. The buffer grows as it must; an empty one is the heap.
  absl::StatusOr<Buffer> Finish(Buffer buffer);

  // Several: `replay` adds every key to this builder each time that it is called.
  absl::StatusOr<Buffer> Replay(std::uint64_t keys, std::uint64_t scratch_bytes, const std::function<void()>& replay, Buffer buffer);

  std::uint64_t peak_bytes() const { return peak_bytes_; }

 private:
  absl::Status Begin(std::uint64_t keys, Buffer buffer);
  absl::Status SolveWindow();
  absl::StatusOr<Buffer> End();

  Options options_;
  Buffer pending_;           // hashes, or hash and value alternating
  std::uint64_t size_ = 0;   // of them
  std::uint64_t window_begin_ = 0, window_end_ = ~std::uint64_t{0};  // of shards; only their keys are taken
  std::uint64_t shards_ = 0;  // 0 until it is known
  std::uint64_t count_ = 0;   // distinct keys solved
  std::uint64_t end_word_ = 0;
  std::uint64_t peak_bytes_ = 0;
  Buffer image_;
};

}  // namespace thimble
