#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/filter.h"
#include "thimble/hash.h"
#include "thimble/image.h"
#include "thimble/owner.h"
#include "thimble/ribbon.h"

namespace thimble {

// The read side of StaticMap.
class StaticMapView {
 public:
  static constexpr Kind kKind = Kind::kStaticMap;

  static absl::StatusOr<StaticMapView> Open(std::span<const std::byte> image);

  // Returns kDataLoss unless its parts fill the image without gap or overlap.
  absl::Status Verify() const { return ribbon_.Verify(); }

  std::span<const std::byte> image() const { return ribbon_.image; }

  // The value of a key that was added; any value for another key.
  template <HashableKey Key>
  std::uint64_t Find(const Key& key) const {
    return FindHash(Hash64(key, seed_));
  }
  std::uint64_t FindHash(std::uint64_t hash) const { return ribbon_.Value(hash); }

  // The values of a range of keys, with cache misses overlapped. Requires: values.size() >= the number of keys.
  template <class Keys>
  void FindMany(const Keys& keys, std::span<std::uint64_t> values) const {
    std::size_t done = 0;
    ForHashBatches(keys, seed_, [&](std::span<const std::uint64_t> hashes) {
      ribbon_.Values(hashes, &values[done]);
      done += hashes.size();
    });
  }

  std::uint64_t size() const { return size_; }  // distinct keys
  unsigned value_bits() const { return ribbon_.bits; }
  double bits_per_key() const { return 8.0 * static_cast<double>(image().size()) / static_cast<double>(size_ == 0 ? 1 : size_); }
  std::uint64_t seed() const { return seed_; }

 private:
  Ribbon ribbon_;
  std::uint64_t seed_ = 0;
  std::uint64_t size_ = 0;
};

// Maps keys to values of a few bits without storing the keys: it answers for keys that it has, and says anything for others.
//
//   StaticMap::Builder builder({.value_bits = 3});
//   for (const auto& [host, shard] : shards) builder.Add(host, shard);
//   absl::StatusOr<StaticMap> shard_of = std::move(builder).Finish();
//   shard_of->Find("example.org");
//
// Space    1.004 * value_bits bits a key, at 8 bits; the shorter the values, the more the 0.02 bits of bookkeeping weigh
// Time     Find as StaticFilter; building takes 20 bytes of memory a key
// Threads  const methods are safe together; building uses as many as it is told
// Errors   Finish: kInvalidArgument if a key has two values, a value more than value_bits bits, or value_bits is not 1 ... 64.
//          Two keys of one 64-bit hash count as one key: n keys have such a pair with probability n^2 / 2^65; then choose
//          another seed
// Paper    Dillinger, Hübschle-Schneider, Sanders, Walzer, arXiv:2109.01892 (bumped ribbon retrieval)
class StaticMap : public Owner<StaticMapView> {
 public:
  struct Options {
    unsigned value_bits = 8;
    std::uint64_t seed = 0;
    unsigned threads = 1;
  };

  class Builder {
   public:
    explicit Builder(const Options& options);

    template <HashableKey Key>
    void Add(const Key& key, std::uint64_t value) {
      AddHash(Hash64(key, options_.seed), value);
    }
    void AddHash(std::uint64_t hash, std::uint64_t value) {
      all_bits_ |= value;
      ribbon_.Add(hash, value);
    }
    std::uint64_t size() const { return ribbon_.size(); }

    // Builds in `buffer`, which grows as it must; an empty one stands for the heap.
    absl::StatusOr<StaticMap> Finish(Buffer buffer = Buffer()) &&;

   private:
    Options options_;
    RibbonBuilder ribbon_;
    std::uint64_t all_bits_ = 0;
  };

  static absl::StatusOr<StaticMap> Open(Buffer buffer);
  Stats stats() const;

 private:
  using Owner::Owner;
  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
