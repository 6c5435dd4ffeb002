#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "thimble/owner.h"

namespace thimble {

class CompressedPcsa;
namespace internal {
class PcsaReader;
}

// Reads a Pcsa or a CompressedPcsa.
class PcsaView {
 public:
  static constexpr Kind kKind = Kind::kPcsa;
  static constexpr unsigned kMinPrecision = 4, kMaxPrecision = 21;

  static absl::StatusOr<PcsaView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  unsigned precision() const { return precision_; }
  std::size_t row_count() const { return std::size_t{1} << precision_; }
  bool compressed() const { return compressed_; }
  HashScheme hash_scheme() const { return hash_scheme_; }
  std::uint64_t seed() const { return seed_; }

  // How many distinct keys were added: the maximum-likelihood estimate, bias corrected.
  double Estimate() const;
  // The relative standard error of Estimate().
  double StandardError() const;
  // The number of distinct keys if Estimate() is off by this many standard errors, upwards or downwards.
  double LowerBound(double sigmas) const;
  double UpperBound(double sigmas) const;

  CompressedPcsa Compressed() const;

  // Returns kInvalidArgument, with the reason, unless both hash alike: same scheme, seed and precision.
  absl::Status CheckCompatible(const PcsaView& other) const;

 private:
  friend class Pcsa;
  friend class internal::PcsaReader;
  PcsaView() = default;

  std::span<const std::byte> image_;
  std::uint64_t seed_ = 0;
  std::uint64_t parameter_ = 0;  // of the compressed form
  unsigned precision_ = kMinPrecision;
  bool compressed_ = false;
  HashScheme hash_scheme_ = HashScheme::kThimble;
};

// The bit matrix of Flajolet and Martin ("probabilistic counting with stochastic averaging"): a key chooses a row by p bits of
// its hash, and column j with probability 2^-(j + 1). It holds all that any such sketch can know of a stream, and compresses
// to the least space known.
//
//   Pcsa users({.precision = 12});
//   for (std::string_view name : names) users.Add(name);
//   CompressedPcsa stored = users.Compressed();     // to keep or to send
//
// Space    64 * 2^p bits + 72 bytes while adding       p = 12: 32,840 bytes; compressed about 2,500
// Error    standard error 0.649 / sqrt(2^p)            p = 12: 1.01 %
// Time     Add O(1), one cache line; Estimate and Merge O(2^p)
// Merge    lossless: merging sketches equals sketching the union
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument; Merge: kInvalidArgument for another hash scheme, seed or precision
// Paper    Flajolet, Martin 1985; entropy: Lang, arXiv:1708.06839; estimator: Ertl, arXiv:2402.13726
class Pcsa : public Owner<PcsaView> {
 public:
  struct Options {
    unsigned precision = 12;  // p: 4 to 21
    HashScheme hash_scheme = HashScheme::kThimble;
    std::uint64_t seed = 1;
  };

  explicit Pcsa(const Options& options);
  static absl::StatusOr<Pcsa> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<Pcsa> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);
  // Returns kInvalidArgument for a compressed image: Make one and Merge that.
  static absl::StatusOr<Pcsa> Open(Buffer buffer);

  // Adds a key: an integer of any width, text, or bytes.
  template <std::integral T>
  void Add(T key) {
    if (hash_scheme() == HashScheme::kThimble) [[likely]] {
      AddHash(Hash64(key, seed()));
    } else {
      AddInteger(static_cast<std::uint64_t>(key));
    }
  }
  void Add(std::string_view key);
  void Add(std::span<const std::byte> key) { Add(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())); }
  // Adds a key by its 64-bit hash under this sketch's scheme and seed.
  void AddHash(std::uint64_t hash);

  absl::Status Merge(const PcsaView& other);
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  Pcsa(PcsaView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  void AddInteger(std::uint64_t key);
};

// A Pcsa in about 4.7 bits a row, estimated and merged as it lies.
//
//   CompressedPcsa all = *CompressedPcsa::Union(monday, tuesday);
//
// Space    about 4.7 * 2^p bits + 80 bytes      p = 12: 2,500 bytes
// Error    as Pcsa
// Time     Estimate and Union O(2^p), about 30 ns a row
// Merge    lossless, as a stream, without a decoded copy
// Threads  const methods are safe together
// Errors   Union: kInvalidArgument for another hash scheme, seed or precision
// Paper    as Pcsa
class CompressedPcsa : public Owner<PcsaView> {
 public:
  static absl::StatusOr<CompressedPcsa> Open(Buffer buffer);
  static absl::StatusOr<CompressedPcsa> Union(const PcsaView& a, const PcsaView& b);
  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  friend class PcsaView;
  CompressedPcsa(PcsaView view, Buffer buffer) : Owner(view, std::move(buffer)) {}
  static CompressedPcsa Write(const PcsaView& a, const PcsaView* b);
};

}  // namespace thimble
