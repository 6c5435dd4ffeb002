#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "thimble/interval.h"
#include "thimble/kmv_sketch.h"

namespace thimble {

// What a KmvMap keeps of a key: how often it came, and the sum, least and greatest of its values. Sums wrap around.
struct KeySummary {
  std::uint64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t min = 0;
  std::int64_t max = 0;
  friend bool operator==(const KeySummary&, const KeySummary&) = default;
};

// Reads a KmvMap.
class KmvMapView : public KmvSample {
 public:
  static constexpr Kind kKind = Kind::kKmvMap;

  static absl::StatusOr<KmvMapView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;

  // Requires: i < size().
  KeySummary Summary(std::size_t i) const;
  // What is held of a key; nothing if it is not in the sample.
  std::optional<KeySummary> Find(std::string_view key) const;
  std::optional<KeySummary> Find(std::uint64_t key) const;

  // Distinct keys, additions and the sum of all values, in the whole stream, at this many standard errors.
  Interval Keys(double sigmas = 2) const;
  Interval Count(double sigmas = 2) const;
  Interval Sum(double sigmas = 2) const;
  // The distinct keys whose summary satisfies the predicate: "users with more than ten visits".
  template <std::predicate<const KeySummary&> Predicate>
  double EstimateKeysWhere(Predicate predicate) const {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) kept += predicate(Summary(i)) ? 1 : 0;
    return static_cast<double>(kept) / sampling_rate();
  }

 private:
  friend class KmvMap;
  explicit KmvMapView(const KmvSample& sample) : KmvSample(sample) {}
  std::optional<KeySummary> FindHash(std::uint64_t hash) const;
};

// Sums by key over a uniform sample of k distinct keys, as Tuple sketches do: each sampled key's summary is exact, and totals
// and subset counts of the whole stream follow from them.
//
//   KmvMap visits({.k = 4096});
//   visits.Add(user, seconds);
//   visits.EstimateKeysWhere([](const KeySummary& s) { return s.count > 10; });
//
// Space    40 k + 80 bytes                         k = 4096: 163,920 bytes
// Error    exact up to k keys, then 1 / sqrt(k - 2) for the number of keys   k = 4096: 1.6 %
// Time     Add O(1) for keys outside of the sample, O(log k) for those in it; a key that enters moves up to 40 k bytes
// Merge    lossless: merging maps equals mapping the union of the streams
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument; merging another hash scheme or seed: kInvalidArgument
// Paper    Beyer et al. 2007; Dasgupta, Lang, Rhodes, Thaler, arXiv:1510.01455
class KmvMap : public Owner<KmvMapView> {
 public:
  struct Options {
    std::uint64_t k = 4096;
    HashScheme hash_scheme = HashScheme::kThimble;
    std::uint64_t seed = 1;
  };

  explicit KmvMap(const Options& options);
  static absl::StatusOr<KmvMap> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<KmvMap> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);
  static absl::StatusOr<KmvMap> Open(Buffer buffer);

  template <std::integral T>
  void Add(T key, std::int64_t value) {
    if (hash_scheme() == HashScheme::kThimble) [[likely]] {
      AddHash(Hash64(key, seed()), value);
    } else {
      AddInteger(static_cast<std::uint64_t>(key), value);
    }
  }
  void Add(std::string_view key, std::int64_t value);
  // Adds a key by its 64-bit hash under this map's scheme and seed.
  void AddHash(std::uint64_t hash, std::int64_t value) {
    if (const std::uint64_t short_hash = Shorten(hash); short_hash < theta()) Put(short_hash, {1, value, value, value});
  }

  absl::Status Merge(const KmvMapView& other);
  Stats stats() const;

 private:
  KmvMap(KmvMapView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  void AddInteger(std::uint64_t key, std::int64_t value);
  void Put(std::uint64_t hash, const KeySummary& summary);
  std::uint64_t* column(unsigned which);
};

}  // namespace thimble
