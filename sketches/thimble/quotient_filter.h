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

class QuotientFilter;

// The read side of QuotientFilter.
//
//   header | directory: 2^depth words for each root: u26 page number, u6 depth of the page | pages of blocks of 64 bytes
//
// A hash chooses a root, a block of its page, a bucket of the block, and leaves a remainder. The remainder's first bits choose
// the root's page, and the rest, followed by the epoch, is the entry. When a block is full, one of its groups of buckets keeps
// some entries as guests in another block of the page, where they are told apart by the group and not the bucket. A page that
// is full splits in two: one bit of each remainder moves to the page's number, so no entry forgets anything, and the entries
// get shorter as the pages get more.
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
    return ContainsHash(seed_.Hash(key));
  }
  bool ContainsHash(std::uint64_t hash) const { return kernels_->contains(*this, hash); }

  // How often the key was added and not removed: never less, and hardly ever more, where duplicates are counted. Else 0 or 1.
  template <HashableKey Key>
  std::uint64_t Count(const Key& key) const {
    return CountHash(seed_.Hash(key));
  }
  std::uint64_t CountHash(std::uint64_t hash) const;

  // Looks up each of a range of keys; found[i] tells of the i-th. Prefetches, so that cache misses overlap. Returns how
  // many were found. Requires: found.size() >= the number of keys.
  template <class Keys>
  std::size_t ContainsMany(const Keys& keys, std::span<bool> found) const {
    std::size_t hits = 0, done = 0;
    ForHashBatches(keys, seed(), [&](std::span<const std::uint64_t> hashes) {
      hits += kernels_->contains_many(*this, hashes, &found[done]);
      done += hashes.size();
    });
    return hits;
  }

  double FalsePositiveRate() const;  // expected now, by a thousand blocks
  std::uint64_t size() const { return size_; }
  std::uint64_t capacity() const { return capacity_; }  // the most keys for which the rate is promised
  double bits_per_key() const { return 8.0 * static_cast<double>(image_.size()) / static_cast<double>(size_ == 0 ? 1 : size_); }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t seed() const { return seed_.value(); }

 protected:
  friend class QuotientFilter;
  friend struct QuotientKernels;
  static constexpr std::size_t kHeaderBytes = 128;
  static constexpr unsigned kMaxRemainderBits = 50;

  // Chosen at Open, by the instruction set.
  struct Kernels {
    bool (*contains)(const QuotientFilterView& view, std::uint64_t hash);
    std::size_t (*contains_many)(const QuotientFilterView& view, std::span<const std::uint64_t> hashes, bool* found);
    absl::Status (*add)(QuotientFilter& filter, std::uint64_t hash);
    absl::Status (*add_many)(QuotientFilter& filter, std::span<const std::uint64_t> hashes);
  };
  // What a hash says.
  struct Place {
    std::uint64_t root;
    unsigned block, bucket;
    std::uint64_t remainder;  // of a page that never split
  };
  // Where a place's page is, and how long its entries are.
  struct Page {
    const std::byte* at;
    unsigned depth, remainder_bits;
  };

  // Calls visit(place, epoch) for every entry. The bucket of a guest's place is one of guests, in the block where it lives.
  template <class Visit>
  void ForEntries(Visit visit) const;

  std::span<const std::byte> image_;
  const Kernels* kernels_ = nullptr;
  std::uint64_t roots_ = 0, pages_ = 0, page_bytes_ = 0, pages_at_ = 0, size_ = 0, capacity_ = 0, epoch_ = 0;
  HashSeed seed_;
  unsigned blocks_ = 0;          // of a page
  unsigned buckets_ = 0;         // of a block
  unsigned remainder_bits_ = 0;  // of a page that never split
  unsigned epoch_bits_ = 0, directory_depth_ = 0;
  unsigned byte_depth_ = 0;  // of pages whose entries are bytes for the kernels; more than any depth if there are none
  unsigned byte_slots_ = 0;
  std::array<std::uint16_t, 8> guest_distance_{};
  bool counts_duplicates_ = false;
};

// A set that keys can leave again, and that need not know how large it will be: it grows a page at a time and keeps its rate.
//
//   QuotientFilter sessions({.capacity = 1000, .max_capacity = 100'000'000, .count_duplicates = true});
//   absl::Status added = sessions.Add(id);
//   sessions.Remove(id);
//
//   QuotientFilter seen({.capacity = 1'000'000, .epoch_bits = 4});   // a window of this epoch and the 15 before
//   seen.Add(request); ... seen.Advance();
//
// Space    11.0 bits a key at 0.44 % when made for its size; each doubling of max_capacity beyond capacity adds a bit to the
//          entries of a filter that has not grown yet; each epoch bit adds 1.1
// Error    the rate asked for, within 5 %, up to capacity keys; up to max_capacity a quarter more, as pages that are about to split
//          keep more guests: at most 0.50 % where 0.44 % were asked for
// Removal  of keys that were added, from a filter with count_duplicates. Without it, keys that look alike, as many as the rate
//          says, share an entry: removing one makes the others unfindable
// Time     Contains and Add one cache line, one in twenty times two; ContainsMany, AddMany overlap the misses; Advance O(n)
// Merge    Merge adds the entries of another filter of the same options
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument for impossible options; Add, Merge: kResourceExhausted when no remainder bit is left to split
//          by, the buffer cannot grow, or a key is counted more often than a block has slots. Remove refuses a key that is
//          surely absent; one that is a false positive takes another key's entry away
// Paper    Bender et al. 2012 (quotient filter); Pandey et al. 2021 (vector quotient filter: unary buckets in a cache line);
//          guests: Breslow and Jayasena 2018 (Morton filter's overflow tracking); spare hash bits against growth: Dayan et
//          al., Aleph Filter, arXiv:2404.04703
class QuotientFilter : public Owner<QuotientFilterView> {
 public:
  struct Options {
    std::uint64_t capacity = 0;           // keys to make room for now
    std::uint64_t max_capacity = 0;       // keys to keep the rate for; at least capacity, which 0 stands for
    double false_positive_rate = 0.0044;  // at most
    std::uint64_t seed = 0;               // a secret one where an adversary may choose keys
    unsigned epoch_bits = 0;              // up to 8; a key lives for 2^epoch_bits - 1 calls of Advance
    // Of a key, up to the slots of a block (49), so that keys can be removed. Else adding it again only renews its epoch.
    bool count_duplicates = false;
  };

  explicit QuotientFilter(const Options& options);
  static absl::StatusOr<QuotientFilter> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<QuotientFilter> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<QuotientFilter> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);  // before it grows

  // Outstanding views end with these, for the filter may grow.
  template <HashableKey Key>
  absl::Status Add(const Key& key) {
    return AddHash(seed_.Hash(key));
  }
  absl::Status AddHash(std::uint64_t hash) { return kernels_->add(*this, hash); }
  // Adds each of a range of keys, up to the first error. Prefetches, so that cache misses overlap.
  template <class Keys>
  absl::Status AddMany(const Keys& keys) {
    absl::Status status;
    ForHashBatches(keys, seed(), [&](std::span<const std::uint64_t> hashes) {
      if (status.ok()) status = kernels_->add_many(*this, hashes);
    });
    return status;
  }
  absl::Status Merge(const QuotientFilterView& other);  // may keep a few of the keys of both twice

  // Takes one addition back; false if the key was surely not in the set. For filters with count_duplicates.
  template <HashableKey Key>
  bool Remove(const Key& key) {
    return RemoveHash(seed_.Hash(key));
  }
  bool RemoveHash(std::uint64_t hash);

  // Begins a new epoch and forgets the keys that were last added 2^epoch_bits epochs ago.
  void Advance();

  Stats stats() const;

 private:
  using Owner::Owner;
  friend struct QuotientKernels;
  static absl::StatusOr<ImageHeader> HeaderFor(const Options& options);
  absl::Status AddSlowly(const Place& place);
  absl::Status AddPlace(const Place& place, std::uint64_t epoch);
  bool Insert(const Page& page, unsigned block, unsigned bucket, std::uint64_t entry);
  struct Found {
    std::byte* block;
    unsigned bucket;
    int entry;  // or -1
  };
  Found Find(const Page& page, const Place& place);
  bool MakeRoom(const Page& page, unsigned block, int depth);
  void FlagGuests(const Page& page);
  void FlagHome(const Page& page, unsigned block, unsigned group);
  std::byte* Writable(const Page& page) { return data() + (page.at - image().data()); }
  absl::Status Split(const Place& place);
  absl::Status DoubleDirectory();
  absl::Status GrowTo(std::uint64_t bytes);
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
