#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/filter.h"
#include "thimble/hash.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

class BloomFilter;

// How a Bloom filter spreads the bits of one key.
enum class BloomLayout : std::uint8_t {
  kBlocked = 0,  // k <= 8 bits in one run of 4 k bytes that begins at any byte: one cache line or two
  // k bits anywhere, as in Bloom's paper: 5 % smaller at 1 %, k cache lines. They step evenly, so that pairs of keys that begin and
  // step alike add 4 / (n b^2) to the rate, for n keys of b bits each: not for few keys at rates below 0.01 %.
  kClassic = 1,
};

// The read side of BloomFilter.
class BloomFilterView {
 public:
  static constexpr Kind kKind = Kind::kBloomFilter;

  static absl::StatusOr<BloomFilterView> Open(std::span<const std::byte> image);

  // Returns kDataLoss if a bit is set that no key sets.
  absl::Status Verify() const;

  std::span<const std::byte> image() const { return image_; }

  // False: the key was never added. True: it was, or it is one of the FalsePositiveRate() of all others.
  template <HashableKey Key>
  bool Contains(const Key& key) const {
    return ContainsHash(seed_.Hash(key));
  }
  // For callers who hash by themselves. All 64 bits must be well mixed.
  bool ContainsHash(std::uint64_t hash) const { return kernels_.contains(image_.data(), shape_, hash); }

  // Looks up each of a range of keys; found[i] tells of the i-th. Prefetches, so that cache misses overlap. Returns how
  // many were found. Requires: found.size() >= the number of keys.
  template <class Keys>
  std::size_t ContainsMany(const Keys& keys, std::span<bool> found) const {
    std::size_t hits = 0, done = 0;
    ForHashBatches(keys, seed(), [&](std::span<const std::uint64_t> hashes) {
      hits += kernels_.contains_many(image_.data(), shape_, hashes, &found[done]);
      done += hashes.size();
    });
    return hits;
  }

  // The share of absent keys that are found, expected: now, from the bits set (O(n)), or with `keys` distinct keys in it.
  double FalsePositiveRate() const;
  double FalsePositiveRate(std::uint64_t keys) const;

  // How many distinct keys were added, from the bits set; O(n). At capacity the standard error is below 0.5 / sqrt(n)
  // for rates to 0.2 and thousands of keys.
  double EstimateCount() const;

  std::uint64_t capacity() const { return capacity_; }  // the keys that it was made for
  double bits_per_key() const;                          // of the image, at capacity
  BloomLayout layout() const { return layout_; }
  unsigned probes() const { return shape_.k; }
  std::uint64_t seed() const { return seed_.value(); }

  // A copy of half the size with the same keys in it, for a filter that was made far too large. It can be done six times
  // at least; then returns kFailedPrecondition.
  absl::StatusOr<BloomFilter> Folded() const;

 protected:
  struct Shape {
    std::uint64_t positions;  // where a key's run may begin (blocked: bytes), or its bits (classic: bits)
    std::uint32_t k;          // bits a key
    std::uint32_t folds;      // high bits of the hash that folding took away
  };
  // One set for each layout, k and instruction set, chosen at Open. A lookup waits for memory, and the processor looks as far
  // ahead as it has room for instructions: so each one that a single call takes costs time.
  struct Kernels {
    bool (*contains)(const std::byte* image, const Shape& shape, std::uint64_t hash);
    void (*add)(std::byte* image, const Shape& shape, std::uint64_t hash);
    std::size_t (*contains_many)(const std::byte* image, const Shape& shape, std::span<const std::uint64_t> hashes, bool* found);
    void (*add_many)(std::byte* image, const Shape& shape, std::span<const std::uint64_t> hashes);
  };
  friend struct BloomKernels;

  static constexpr std::size_t kHeaderBytes = 128;

  const std::byte* bits() const { return image_.data() + kHeaderBytes; }
  double InteriorFill() const;
  absl::Status CheckSameShape(const BloomFilterView& other) const;

 private:
  std::span<const std::byte> image_;
  Shape shape_{};
  Kernels kernels_{};
  HashSeed seed_;
  std::uint64_t capacity_ = 0;
  BloomLayout layout_ = BloomLayout::kBlocked;

  friend class BloomFilter;
  friend class ConcurrentBloomFilter;
};

struct BloomFilterOptions {
  std::uint64_t capacity = 0;         // distinct keys
  double false_positive_rate = 0.01;  // at that many keys; 1e-12 at least
  std::uint64_t seed = 0;             // a secret one where an adversary may choose keys
  BloomLayout layout = BloomLayout::kBlocked;
};

// Remembers a set of keys in about ten bits each: never forgets one, and takes a few others for one.
//
//   BloomFilter seen({.capacity = 10'000'000, .false_positive_rate = 0.01});
//   seen.Add("thimble");
//   if (seen.Contains(word)) ...
//
// Space    1 %: 10.1 bits a key, 0.1 %: 15.9; classic 9.6 and 14.4
// Error    the rate asked for, at capacity: it is sized by the formula for blocks, so the measured rate meets it
// Time     Add, Contains O(1): a multiplication and one 32-byte load; AddMany, ContainsMany overlap the cache misses
// Merge    lossless: Merge equals adding the keys of both; Intersect keeps the keys of both, and some more false ones
// Threads  const methods are safe together; writers need exclusion (those of ConcurrentBloomFilter do not)
// Errors   Make: kInvalidArgument for an impossible rate or size or a short buffer; Merge, Intersect: kInvalidArgument
//          unless both have the same size, layout and seed
// Paper    Bloom 1970; blocks: Putze, Sanders, Singler 2007
class BloomFilter : public Owner<BloomFilterView> {
 public:
  using Options = BloomFilterOptions;

  explicit BloomFilter(const Options& options);
  static absl::StatusOr<BloomFilter> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<BloomFilter> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<BloomFilter> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);

  template <HashableKey Key>
  void Add(const Key& key) {
    AddHash(seed_.Hash(key));
  }
  void AddHash(std::uint64_t hash) { kernels_.add(data(), shape_, hash); }
  template <class Keys>
  void AddMany(const Keys& keys) {
    ForHashBatches(keys, seed(), [&](std::span<const std::uint64_t> hashes) { kernels_.add_many(data(), shape_, hashes); });
  }

  absl::Status Merge(const BloomFilterView& other);
  absl::Status Intersect(const BloomFilterView& other);

  Stats stats() const;

 private:
  friend class BloomFilterView;
  using Owner::Owner;
};

// A BloomFilter that many threads, or processes over one mapping, add to and query at once; the image is the same. Bits are
// set by atomic ORs of single bytes, so none is lost and nothing is ever torn.
//
// Space    as BloomFilter
// Time     Add: k loads, and an atomic OR for each bit that is not yet set
// Threads  Add and Contains are safe together; what else comes from the view needs exclusion from writers
// Errors   as BloomFilter
class ConcurrentBloomFilter : public Owner<BloomFilterView> {
 public:
  using Options = BloomFilterOptions;

  explicit ConcurrentBloomFilter(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<ConcurrentBloomFilter> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<ConcurrentBloomFilter> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options) { return BloomFilter::ImageBytes(options); }

  template <HashableKey Key>
  void Add(const Key& key) {
    AddHash(seed_.Hash(key));
  }
  template <HashableKey Key>
  bool Contains(const Key& key) const {
    return ContainsHash(seed_.Hash(key));
  }
  void AddHash(std::uint64_t hash);
  bool ContainsHash(std::uint64_t hash) const;

 private:
  using Owner::Owner;
};

}  // namespace thimble
