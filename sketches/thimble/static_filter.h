#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

// The read side of StaticFilter.
class StaticFilterView {
 public:
  static constexpr Kind kKind = Kind::kStaticFilter;

  static absl::StatusOr<StaticFilterView> Open(std::span<const std::byte> image);

  // Returns kDataLoss unless its parts fill the image without gap or overlap.
  absl::Status Verify() const { return ribbon_.Verify(); }

  std::span<const std::byte> image() const { return ribbon_.image; }

  // False: the key is not in the set. True: it is, or it is one of the FalsePositiveRate() of all others.
  template <HashableKey Key>
  bool Contains(const Key& key) const {
    return ContainsHash(Hash64(key, seed_));
  }
  bool ContainsHash(std::uint64_t hash) const { return ribbon_.Contains(hash); }

  // Looks up each of a range of keys; found[i] tells of the i-th. Prefetches, so that cache misses overlap. Returns how
  // many were found. Requires: found.size() >= the number of keys.
  template <class Keys>
  std::size_t ContainsMany(const Keys& keys, std::span<bool> found) const {
    std::size_t hits = 0, done = 0;
    ForHashBatches(keys, seed_, [&](std::span<const std::uint64_t> hashes) {
      hits += ribbon_.ContainsMany(hashes, &found[done]);
      done += hashes.size();
    });
    return hits;
  }

  double FalsePositiveRate() const;
  std::uint64_t size() const { return size_; }  // distinct keys
  std::uint64_t capacity() const { return size_; }
  double bits_per_key() const { return 8.0 * static_cast<double>(image().size()) / static_cast<double>(size_ == 0 ? 1 : size_); }
  std::uint64_t seed() const { return seed_; }

 private:
  Ribbon ribbon_;
  std::uint64_t seed_ = 0;
  std::uint64_t size_ = 0;
};

// Remembers a set of keys that is known beforehand, in hardly more bits than any filter needs.
//
//   StaticFilter::Builder builder({.false_positive_rate = 1.0 / 256});
//   for (const std::string& url : urls) builder.Add(url);
//   absl::StatusOr<StaticFilter> filter = std::move(builder).Finish();
//   filter->Contains("https://example.org/");
//
// Space    1.003 to 1.004 * log2(1 / rate) bits a key at a power of two, 1.016 * at 1 %; Bloom filters need 1.44 * and more
// Error    the rate asked for, whatever it is
// Time     Contains 2 to 6 times a Bloom filter's, ContainsMany about once; building 0.1 us a key and 10 bytes of memory, or
//          64 MiB in all when the keys can be visited several times (Replay)
// Threads  const methods are safe together; building uses as many as it is told
// Errors   Finish: kInvalidArgument for an impossible rate. It never fails for lack of luck, and keys may repeat
// Paper    Dillinger, Hübschle-Schneider, Sanders, Walzer, arXiv:2109.01892 (bumped ribbon retrieval)
class StaticFilter : public Owner<StaticFilterView> {
 public:
  struct Options {
    double false_positive_rate = 0.01;  // from 2^-48 to below 1
    std::uint64_t seed = 0;             // a secret one where an adversary may choose keys
    unsigned threads = 1;
  };

  class Builder {
   public:
    explicit Builder(const Options& options);

    template <HashableKey Key>
    void Add(const Key& key) {
      ribbon_.Add(Hash64(key, options_.seed));
    }
    void AddHash(std::uint64_t hash) { ribbon_.Add(hash); }
    std::uint64_t size() const { return ribbon_.size(); }

    // Builds in `buffer`, which grows as it must; an empty one stands for the heap.
    absl::StatusOr<StaticFilter> Finish(Buffer buffer = Buffer()) &&;

   private:
    friend class StaticFilter;
    Options options_;
    RibbonBuilder ribbon_;
  };

  // Builds in no more than `scratch_bytes` of memory beside the filter (but 24 MiB a thread): for_each_key(add) calls add(key)
  // for each of about `keys` keys, the same ones each time, and is called several times.
  template <class ForEachKey>
  static absl::StatusOr<StaticFilter> Replay(const Options& options, std::uint64_t keys, std::uint64_t scratch_bytes, ForEachKey for_each_key,
                                             Buffer buffer = Buffer()) {
    Builder builder(options);
    const auto add = [&builder](const auto& key) { builder.Add(key); };
    return FromReplay(builder, keys, scratch_bytes, [&] { for_each_key(add); }, std::move(buffer));
  }

  static absl::StatusOr<StaticFilter> Open(Buffer buffer);
  Stats stats() const;

 private:
  using Owner::Owner;
  static absl::StatusOr<StaticFilter> FromReplay(Builder& builder, std::uint64_t keys, std::uint64_t scratch_bytes,
                                                 const std::function<void()>& replay, Buffer buffer);
  static absl::StatusOr<StaticFilter> FromImage(Buffer image, std::uint64_t peak_bytes);

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
