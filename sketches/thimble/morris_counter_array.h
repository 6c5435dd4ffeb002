#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "thimble/morris_counter.h"
#include "thimble/owner.h"

namespace thimble {

// Reads a MorrisCounterArray.
class MorrisCounterArrayView {
 public:
  static constexpr Kind kKind = Kind::kMorrisCounterArray;

  static absl::StatusOr<MorrisCounterArrayView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  std::size_t size() const { return size_; }
  const MorrisScale& scale() const { return scale_; }
  std::uint64_t seed() const { return seed_; }

  // Requires of all: i < size().
  std::uint32_t State(std::size_t i) const;
  double Estimate(std::size_t i) const { return scale_.Value(State(i)); }
  double LowerBound(std::size_t i, double sigmas) const { return scale_.ValueWithin(State(i), sigmas).lower; }
  double UpperBound(std::size_t i, double sigmas) const { return scale_.ValueWithin(State(i), sigmas).upper; }

 private:
  friend class MorrisCounterArray;
  friend class ConcurrentMorrisCounterArray;
  explicit MorrisCounterArrayView(const MorrisScale& scale) : scale_(scale) {}

  std::span<const std::byte> image_;
  std::uint64_t size_ = 0;
  std::uint64_t seed_ = 0;
  MorrisScale scale_;
};

// Counts events of many kinds in a few bits each, approximately.
//
//   MorrisCounterArray hits({.counters = 100'000'000, .scale = *MorrisScale::ForLargest({.width = 6, .largest = 1e6})});
//   hits.Increment(page);
//   hits.Estimate(page);
//
// Space    counters * width bits + 136 bytes      100 M counters of 6 bits: 75,000,136 bytes
// Error    standard error sqrt((b - 1) / 2), b as the scale has it; exact up to the scale's prefix
// Time     Increment O(1), one cache miss, no branch; Add(i, n) O(log n)
// Merge    unbiased, as precise as one array of all; O(1) a counter
// Threads  const methods are safe together; writers need exclusion (or see ConcurrentMorrisCounterArray)
// Errors   Make: kInvalidArgument; Merge: kInvalidArgument for another size or scale
// Paper    as MorrisScale
class MorrisCounterArray : public Owner<MorrisCounterArrayView> {
 public:
  struct Options {
    std::uint64_t counters = 0;
    MorrisScale scale = *MorrisScale::ForLargest({});
    std::uint64_t seed = 1;  // of the random steps: the same calls give the same states
  };

  explicit MorrisCounterArray(const Options& options);
  static absl::StatusOr<MorrisCounterArray> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<MorrisCounterArray> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);
  static absl::StatusOr<MorrisCounterArray> Open(Buffer buffer);

  // Requires of all: i < size().
  void Increment(std::size_t i) { Put(i, scale().Next(State(i), random_())); }
  void IncrementMany(std::span<const std::uint64_t> indices);
  void Add(std::size_t i, std::uint64_t n) { Put(i, MorrisAdd(scale(), State(i), n, random_)); }
  absl::Status Merge(const MorrisCounterArrayView& other);
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  MorrisCounterArray(const MorrisCounterArrayView& view, Buffer buffer, std::uint64_t random_seed)
      : Owner(view, std::move(buffer)), random_(random_seed) {}
  void Put(std::size_t i, std::uint32_t state);

  MorrisRandom random_;
};

// A MorrisCounterArray of 2, 4, 8 or 16 bits a counter that any number of threads and processes count in at once. Steps are
// random for each thread, and so is the outcome.
//
// Space    as MorrisCounterArray, whose image it shares
// Error    as MorrisCounterArray
// Time     Increment O(1): a relaxed load, and a compare-and-swap if the counter steps
// Merge    open a MorrisCounterArray over the image
// Threads  every method is safe beside every other
// Errors   Make: kInvalidArgument for other widths
// Paper    as MorrisScale
class ConcurrentMorrisCounterArray : public Owner<MorrisCounterArrayView> {
 public:
  using Options = MorrisCounterArray::Options;

  explicit ConcurrentMorrisCounterArray(const Options& options);
  static absl::StatusOr<ConcurrentMorrisCounterArray> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<ConcurrentMorrisCounterArray> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options) { return MorrisCounterArray::ImageBytes(options); }
  static absl::StatusOr<ConcurrentMorrisCounterArray> Open(Buffer buffer);

  // Requires: i < size().
  void Increment(std::size_t i);
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  ConcurrentMorrisCounterArray(const MorrisCounterArrayView& view, Buffer buffer) : Owner(view, std::move(buffer)) {}
};

}  // namespace thimble
