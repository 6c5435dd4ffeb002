#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/bloom_filter.h"
#include "thimble/buffer.h"
#include "thimble/filter.h"
#include "thimble/hash.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// The read side of ScalableBloomFilter: stages one behind the other, each the image of a BloomFilter in the classic layout,
// at a multiple of 64 bytes.
class ScalableBloomFilterView {
 public:
  static constexpr Kind kKind = Kind::kScalableBloomFilter;
  static constexpr std::size_t kMaxStages = 48;

  static absl::StatusOr<ScalableBloomFilterView> Open(std::span<const std::byte> image);

  // Returns kDataLoss unless every stage is one, and they lie one behind the other.
  absl::Status Verify() const;

  std::span<const std::byte> image() const { return image_; }

  // False: the key was never added. True: it was, or it is one of the FalsePositiveRate() of all others. The newest stage,
  // which holds most keys, is asked first.
  template <HashableKey Key>
  bool Contains(const Key& key) const {
    return ContainsHash(Hash64(key, seed_));
  }
  bool ContainsHash(std::uint64_t hash) const {
    for (std::size_t i = stages_; i-- > 0;) {
      if (stage_[i].ContainsHash(hash)) return true;
    }
    return false;
  }

  double FalsePositiveRate() const;      // expected now
  std::uint64_t size() const { return size_; }  // keys added that were not found already
  std::uint64_t capacity() const;        // of all stages that there are
  std::size_t stages() const { return stages_; }
  double bits_per_key() const;
  std::uint64_t seed() const { return seed_; }

 protected:
  friend class ScalableBloomFilter;
  static constexpr std::size_t kHeaderBytes = 128;

  std::span<const std::byte> image_;
  std::array<BloomFilterView, kMaxStages> stage_;
  std::size_t stages_ = 0;
  std::uint64_t seed_ = 0, first_capacity_ = 0, size_ = 0, newest_keys_ = 0;
  double rate_ = 0, growth_ = 0, tightening_ = 0;
};

// A BloomFilter for an unknown number of keys: when the newest stage is full, a larger one with a lower rate begins. There are up
// to 48, by default for 179 million keys.
//
//   ScalableBloomFilter seen({.first_capacity = 1000, .false_positive_rate = 0.01});
//   absl::Status added = seen.Add(url);
//
// Space    over a growth from 1,000 keys to 10 million on average 2.0 times a BloomFilter made for the size
// Error    the rate asked for, all stages together, at every size
// Time     Add and Contains probe the stages from the newest on: few, for it holds most keys, if the key is there; all, if not
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument for impossible options; Add: kResourceExhausted when no stage more fits
// Paper    Almeida, Baquero, Preguiça, Hutchison 2007
class ScalableBloomFilter : public Owner<ScalableBloomFilterView> {
 public:
  struct Options {
    std::uint64_t first_capacity = 1000;
    double false_positive_rate = 0.01;  // of all stages together
    double growth = 1.25;               // how many times larger the next stage is; from 1.1 to 16
    double tightening = 0.9;            // how many times lower its rate is; from 0.1 to 0.99
    std::uint64_t seed = 0;             // a secret one where an adversary may choose keys
  };

  explicit ScalableBloomFilter(const Options& options);
  static absl::StatusOr<ScalableBloomFilter> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<ScalableBloomFilter> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<ScalableBloomFilter> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);  // before it grows

  // Outstanding views end with it, for the filter may grow. A key that is found already is not added again.
  template <HashableKey Key>
  absl::Status Add(const Key& key) {
    return AddHash(Hash64(key, seed()));
  }
  absl::Status AddHash(std::uint64_t hash);

  Stats stats() const { return {.live_bytes = image().size(), .slack_bytes = buffer().size() - image().size(), .peak_bytes = buffer().size()}; }

 private:
  using Owner::Owner;
  absl::Status AddStage();
  void WriteHeader();

  std::uint64_t image_bytes_ = 0;
  std::uint64_t unknown_bytes_ = 0;  // of a buffer that was opened: what lies behind the image may be anything up to there
};

}  // namespace thimble
