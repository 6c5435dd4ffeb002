#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "thimble/foreign_hash.h"
#include "thimble/interval.h"
#include "thimble/owner.h"

namespace thimble {

// What a KmvSketch and a KmvMap have in common: the k smallest hashes of the distinct keys. Hashes have 63 bits, as in
// DataSketches' Theta sketches: 0 < hash < theta <= kMaxTheta.
class KmvSample {
 public:
  static constexpr std::uint64_t kMaxTheta = 0x7fffffffffffffff;
  static constexpr std::uint64_t kMaxK = std::uint64_t{1} << 32;

  std::span<const std::byte> image() const { return image_; }

  std::uint64_t k() const { return k_; }
  std::size_t size() const { return size_; }
  HashScheme hash_scheme() const { return hash_scheme_; }
  std::uint64_t seed() const { return seed_; }

  // The distinct hashes below theta, ascending: a uniform sample of the distinct keys, taken at the rate theta / 2^63.
  std::span<const std::uint64_t> hashes() const;
  std::uint64_t theta() const { return theta_; }
  double sampling_rate() const { return static_cast<double>(theta_) / static_cast<double>(kMaxTheta); }
  // Whether every key is held, so that no estimate is one.
  bool exact() const { return theta_ == kMaxTheta; }
  // How many of the hashes are below this one.
  std::size_t CountBelow(std::uint64_t hash) const;

  // Returns kInvalidArgument, with the reason, unless both hash alike: same scheme and seed.
  absl::Status CheckCompatible(const KmvSample& other) const;

 protected:
  // The image: a header, theta, and columns of k words, of which the first holds the hashes.
  static constexpr std::size_t kColumnsAt = 72;

  KmvSample() = default;
  static absl::Status CheckOptions(std::uint64_t k, HashScheme scheme);
  static std::uint64_t BytesOf(std::uint64_t k, unsigned columns);
  static absl::StatusOr<KmvSample> ReadImage(std::span<const std::byte> image, Kind kind, unsigned columns);
  static absl::Status WriteImage(Buffer& buffer, Kind kind, unsigned columns, std::uint64_t k, std::uint64_t theta, HashScheme scheme,
                                 std::uint64_t seed);
  absl::Status VerifyHashes() const;
  // Zero is no hash; what would be zero becomes one.
  static std::uint64_t Shorten(std::uint64_t hash) { return std::max<std::uint64_t>(hash >> 1, 1); }
  void SetSizeAndTheta(std::byte* image, std::uint64_t size, std::uint64_t theta);

  std::span<const std::byte> image_;
  std::uint64_t k_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t theta_ = kMaxTheta;
  std::uint64_t seed_ = 0;
  HashScheme hash_scheme_ = HashScheme::kThimble;
};

// Reads a KmvSketch.
class KmvSketchView : public KmvSample {
 public:
  static constexpr Kind kKind = Kind::kKmvSketch;

  static absl::StatusOr<KmvSketchView> Open(std::span<const std::byte> image);
  absl::Status Verify() const { return VerifyHashes(); }

  // How many distinct keys were added, and bounds that hold at this many standard errors.
  double Estimate() const;
  double LowerBound(double sigmas) const;
  double UpperBound(double sigmas) const;
  // The relative standard error of Estimate().
  double StandardError() const;

  // The share of the keys of both that both hold: |A and B| / |A or B|. Returns kInvalidArgument if they hash differently.
  absl::StatusOr<Interval> Jaccard(const KmvSketchView& other, double sigmas = 2) const;

 private:
  friend class KmvSketch;
  explicit KmvSketchView(const KmvSample& sample) : KmvSample(sample) {}
};

// Keeps the k smallest hashes of distinct keys ("k minimum values", a Theta sketch): counts distinct keys, samples them, and
// does set algebra.
//
//   KmvSketch monday({.k = 4096}), tuesday({.k = 4096});
//   ... monday.Add(user) ...
//   KmvSketch::Intersection(monday, tuesday)->Estimate();
//
// Space    8 k + 80 bytes                          k = 4096: 32,848 bytes
// Error    exact up to k keys, then 1 / sqrt(k - 2)   k = 4096: 1.6 %; of a result of r hashes 1 / sqrt(r)
// Time     Add O(1) for the keys that are screened out, all but k ln(n / k); those move up to 8 k bytes, which AddMany and Batch
//          share among many. Merge and set operations O(k)
// Merge    lossless: merging sketches equals sketching the union
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument; merging another hash scheme or seed: kInvalidArgument
// Paper    Bar-Yossef et al. 2002; Beyer et al. 2007; Dasgupta, Lang, Rhodes, Thaler, arXiv:1510.01455
class KmvSketch : public Owner<KmvSketchView> {
 public:
  struct Options {
    std::uint64_t k = 4096;
    HashScheme hash_scheme = HashScheme::kThimble;
    std::uint64_t seed = 1;
    double sampling_rate = 1;  // below 1, keys are sampled from the first on, and nothing is exact

    // DataSketches' Theta: the same items give the same hashes.
    static Options DataSketches(std::uint64_t k = 4096, std::uint64_t seed = 9001);
  };

  explicit KmvSketch(const Options& options);
  static absl::StatusOr<KmvSketch> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<KmvSketch> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);
  static absl::StatusOr<KmvSketch> Open(Buffer buffer);
  // Of hashes from elsewhere, ascending. Returns kInvalidArgument unless 0 < hash < theta holds for all, or for more than k.
  static absl::StatusOr<KmvSketch> FromHashes(const Options& options, std::uint64_t theta, std::span<const std::uint64_t> hashes);

  // The keys in both; the keys in `a` that are not in `b`. The result has the k of `a`, and the lower theta of both.
  static absl::StatusOr<KmvSketch> Intersection(const KmvSketchView& a, const KmvSketchView& b);
  static absl::StatusOr<KmvSketch> Difference(const KmvSketchView& a, const KmvSketchView& b);

  // Adds a key: an integer of any width, text, or bytes. As in DataSketches, kMurmur3 ignores the empty string and
  // sign-extends unsigned integers too.
  template <std::integral T>
  void Add(T key) {
    AddHash(HashOf(key));
  }
  void Add(std::string_view key);
  void Add(std::span<const std::byte> key) { Add(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())); }
  void AddMany(std::span<const std::uint64_t> keys);
  void AddMany(std::span<const std::string_view> keys);
  // Adds a key by its 64-bit hash under this sketch's scheme and seed (h1 of Murmur3).
  void AddHash(std::uint64_t hash) {
    if (const std::uint64_t short_hash = Shorten(hash); short_hash < theta()) [[unlikely]] Insert({&short_hash, 1});
  }

  // Adds keys that come one by one as AddMany adds many: a sketch of large k moves its hashes once for k / 64 of them, or 512.
  // It has them when the batch has gone.
  class Batch {
   public:
    explicit Batch(KmvSketch& sketch) : sketch_(sketch), hashes_(std::clamp<std::uint64_t>(sketch.k() / 64, 512, 65536)) {}
    ~Batch() { sketch_.AddBatch({hashes_.data(), count_}); }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    template <std::integral T>
    void Add(T key) {
      AddHash(sketch_.HashOf(key));
    }
    void Add(std::string_view key) {
      if (!sketch_.Ignores(key)) AddHash(sketch_.HashOf(key));
    }
    void AddHash(std::uint64_t hash) {
      hashes_[count_] = Shorten(hash);
      if (hashes_[count_] >= sketch_.theta() || ++count_ < hashes_.size()) [[likely]] return;
      sketch_.AddBatch(hashes_);
      count_ = 0;
    }

   private:
    KmvSketch& sketch_;
    std::vector<std::uint64_t> hashes_;
    std::size_t count_ = 0;
  };

  // Adds what the other has seen. Sketches of any k merge; the result is as accurate as the smaller k allows.
  absl::Status Merge(const KmvSketchView& other);
  Stats stats() const;

 private:
  KmvSketch(KmvSketchView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  static absl::Status CheckOptions(const Options& options);
  template <std::integral T>
  std::uint64_t HashOf(T key) const {
    if (hash_scheme() == HashScheme::kThimble) [[likely]] return Hash64(key, seed());
    return HashOfInteger(static_cast<std::uint64_t>(key), 64 - 8 * sizeof(T));
  }
  std::uint64_t HashOf(std::string_view key) const;
  std::uint64_t HashOfInteger(std::uint64_t key, unsigned unused_bits) const;
  bool Ignores(std::string_view key) const { return hash_scheme() == HashScheme::kMurmur3 && key.empty(); }
  void AddBatch(std::span<std::uint64_t> hashes);
  void Insert(std::span<const std::uint64_t> hashes);
  void Assign(std::span<const std::uint64_t> hashes, std::uint64_t theta);
  std::uint64_t* mutable_hashes();
};

}  // namespace thimble
