#pragma once

#include <array>
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

// The read side of QuotientFilter.
//
//   header | directory: u32 page numbers, 2^depth for each root | pages
//   page:   u16 entries, u8 depth, zero[5] | 512 buckets in unary: a one for each entry, then a zero | entries
//
// A hash chooses a root (the high half of its product with their number) and leaves a fraction (the low half). The fraction's
// first bits choose the page, the next nine the bucket, and the rest, the remainder, is the entry, followed by its epoch.
// A page that is full splits in two: one bit of each remainder moves to the page's number, so no entry forgets anything, and
// the entries get shorter as the pages get more.
class QuotientFilterView {
 public:
  static constexpr Kind kKind = Kind::kQuotientFilter;

  static absl::StatusOr<QuotientFilterView> Open(std::span<const std::byte> image);

  // Returns kDataLoss if the directory does not name every page where its keys are looked for, or a page contradicts itself.
  absl::Status Verify() const;

  std::span<const std::byte> image() const { return image_; }

  // False: the key is not in the set. True: it is, or it is one of the FalsePositiveRate() of all others.
  template <HashableKey Key>
  bool Contains(const Key& key) const {
    return CountHash(Hash64(key, seed_)) > 0;
  }
  bool ContainsHash(std::uint64_t hash) const { return CountHash(hash) > 0; }

  // How often the key was added and not removed: never less, and hardly ever more. 0 or 1 unless duplicates are counted.
  template <HashableKey Key>
  std::uint64_t Count(const Key& key) const {
    return CountHash(Hash64(key, seed_));
  }
  std::uint64_t CountHash(std::uint64_t hash) const;

  // Looks up each of a range of keys; found[i] tells of the i-th. Prefetches, so that cache misses overlap. Returns how
  // many were found. Requires: found.size() >= the number of keys.
  template <class Keys>
  std::size_t ContainsMany(const Keys& keys, std::span<bool> found) const {
    std::size_t hits = 0, done = 0;
    ForHashBatches(keys, seed_, [&](std::span<const std::uint64_t> hashes) {
      hits += ContainsHashes(hashes, &found[done]);
      done += hashes.size();
    });
    return hits;
  }

  double FalsePositiveRate() const;  // expected now
  std::uint64_t size() const { return size_; }
  std::uint64_t capacity() const { return capacity_; }  // the most keys for which the rate is promised
  double bits_per_key() const { return 8.0 * static_cast<double>(image_.size()) / static_cast<double>(size_ == 0 ? 1 : size_); }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t seed() const { return seed_; }

 protected:
  friend class QuotientFilter;
  static constexpr std::size_t kHeaderBytes = 128;
  static constexpr unsigned kBucketBits = 9;
  static constexpr unsigned kMaxRemainderBits = 50;

  // A hash as the filter sees it.
  struct Place {
    std::uint64_t root, fraction;
  };
  // A page that was checked once, and the numbers that its depth gives.
  struct Page {
    const std::byte* at;
    unsigned depth, remainder_bits, entry_bits, slots, unary_words;
    std::uint64_t entries;
  };

  Place PlaceOf(std::uint64_t hash) const;
  std::uint64_t DirectoryIndex(const Place& place) const;
  bool PageAt(std::uint64_t number, Page* page) const;
  bool PageOf(const Place& place, Page* page) const;
  std::size_t ContainsHashes(std::span<const std::uint64_t> hashes, bool* found) const;
  // Calls visit(place, epoch) for every entry, in the order of the hashes.
  template <class Visit>
  void ForEntries(Visit visit) const;

  std::span<const std::byte> image_;
  std::uint64_t roots_ = 0, pages_ = 0, page_bytes_ = 0, pages_at_ = 0, size_ = 0, capacity_ = 0, seed_ = 0, epoch_ = 0;
  unsigned remainder_bits_ = 0;  // of a page that never split
  unsigned epoch_bits_ = 0, directory_depth_ = 0;
  bool counts_duplicates_ = false;
  std::array<std::uint16_t, kMaxRemainderBits + 1> slots_{};  // of a page, by its depth
};

// A set that keys can leave again, and that need not know how large it will be: it grows a page at a time and keeps its rate.
//
//   QuotientFilter sessions({.capacity = 1000, .max_capacity = 100'000'000});
//   absl::Status added = sessions.Add(id);
//   sessions.Remove(id);
//
//   QuotientFilter seen({.capacity = 1'000'000, .epoch_bits = 4});   // a window of 15 epochs
//   seen.Add(request); ... seen.Advance();
//
// Space    11.1 bits a key at 0.44 % when made for its size; each doubling of max_capacity beyond capacity adds a bit to the
//          entries of a filter that has not grown yet; each epoch bit adds 1.1
// Error    the rate asked for, up to max_capacity keys
// Time     Contains two or three cache misses; Add moves half a page of about 800 bytes; Advance O(n)
// Merge    Merge adds the entries of another filter of the same options
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument for impossible options; Add, Merge: kResourceExhausted when no remainder bit is left to split
//          by, or the buffer cannot grow. Remove refuses a key that is surely absent; one that is a false positive takes
//          another key's entry away, so remove only what was added
// Paper    Bender et al. 2012 (quotient filter); Pandey et al. 2021 (vector quotient filter: unary buckets in a block); spare
//          hash bits against growth: Dayan et al., Aleph Filter, arXiv:2404.04703
class QuotientFilter : public Owner<QuotientFilterView> {
 public:
  struct Options {
    std::uint64_t capacity = 0;           // keys to make room for now
    std::uint64_t max_capacity = 0;       // keys to keep the rate for; at least capacity, which 0 stands for
    double false_positive_rate = 0.0044;  // at most
    std::uint64_t seed = 0;               // a secret one where an adversary may choose keys
    unsigned epoch_bits = 0;              // up to 8; a key lives for 2^epoch_bits - 1 calls of Advance
    bool count_duplicates = false;        // else adding a key again changes nothing but its epoch
  };

  explicit QuotientFilter(const Options& options);
  static absl::StatusOr<QuotientFilter> Make(const Options& options);
  static absl::StatusOr<QuotientFilter> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<QuotientFilter> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);  // before it grows

  // Outstanding views end with these two, for the filter may grow.
  template <HashableKey Key>
  absl::Status Add(const Key& key) {
    return AddHash(Hash64(key, seed()));
  }
  absl::Status AddHash(std::uint64_t hash) { return AddPlace(PlaceOf(hash), epoch_); }
  absl::Status Merge(const QuotientFilterView& other);

  // False if the key was surely not in the set.
  template <HashableKey Key>
  bool Remove(const Key& key) {
    return RemoveHash(Hash64(key, seed()));
  }
  bool RemoveHash(std::uint64_t hash);

  // Begins a new epoch and forgets the keys that were last added 2^epoch_bits - 1 epochs ago.
  void Advance();

  Stats stats() const;

 private:
  using Owner::Owner;
  static absl::StatusOr<ImageHeader> HeaderFor(const Options& options);
  absl::Status AddPlace(const Place& place, std::uint64_t epoch);
  absl::Status Split(const Place& place);
  absl::Status DoubleDirectory();
  absl::Status GrowTo(std::uint64_t bytes);
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
