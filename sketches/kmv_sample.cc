#include <string>

#include "scheme_hash.h"
#include "status_macros.h"
#include "thimble/kmv_sketch.h"

namespace thimble {
namespace {

constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kThetaAt = 64;
constexpr std::size_t kCountAt = 16;  // in the image header

}  // namespace

absl::Status KmvSample::CheckOptions(std::uint64_t k, HashScheme scheme) {
  if (k < 1 || k > kMaxK) return absl::InvalidArgumentError("KMV: k is 1 to 2^32");
  if (scheme == HashScheme::kNone || scheme > HashScheme::kXxh64) return absl::InvalidArgumentError("KMV: unknown hash scheme");
  return absl::OkStatus();
}

std::uint64_t KmvSample::BytesOf(std::uint64_t k, unsigned columns) {
  ImageLayout layout(kHeaderBytes);
  layout.Add(1, 64);
  layout.Add(k, columns * 64);
  return layout.image_bytes();
}

absl::StatusOr<KmvSample> KmvSample::ReadImage(std::span<const std::byte> image, Kind kind, unsigned columns) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kind));
  KmvSample sample;
  sample.k_ = header.parameters[0];
  sample.size_ = header.count;
  sample.hash_scheme_ = header.hash_scheme;
  sample.seed_ = header.seed;
  if (header.header_bytes != kHeaderBytes || !CheckOptions(sample.k_, sample.hash_scheme_).ok() || sample.size_ > sample.k_ ||
      header.image_bytes != BytesOf(sample.k_, columns)) {
    return absl::DataLossError("KMV: bad parameters");
  }
  sample.image_ = image.first(header.image_bytes);
  sample.theta_ = Load<std::uint64_t>(image.data() + kThetaAt);
  return sample;
}

absl::Status KmvSample::WriteImage(Buffer& buffer, Kind kind, unsigned columns, std::uint64_t k, std::uint64_t theta, HashScheme scheme,
                                   std::uint64_t seed) {
  const std::uint64_t image_bytes = BytesOf(k, columns);
  if (buffer.size() < image_bytes) return absl::InvalidArgumentError("KMV: the buffer is too small");
  ImageHeader{.kind = kind, .hash_scheme = scheme, .image_bytes = image_bytes, .used_bytes = image_bytes, .seed = seed, .parameters = {k}}
      .Write(buffer.bytes());
  Store(buffer.data() + kThetaAt, theta);
  return absl::OkStatus();
}

absl::Status KmvSample::VerifyHashes() const {
  if (theta_ == 0 || theta_ > kMaxTheta) return absl::DataLossError("KMV: theta out of range");
  std::uint64_t previous = 0;
  for (const std::uint64_t hash : hashes()) {
    if (hash <= previous || hash >= theta_) return absl::DataLossError("KMV: hashes out of order");
    previous = hash;
  }
  return absl::OkStatus();
}

std::span<const std::uint64_t> KmvSample::hashes() const {
  return {reinterpret_cast<const std::uint64_t*>(image_.data() + kColumnsAt), size_};
}

// A binary search without branches that depend on the hashes.
std::size_t KmvSample::CountBelow(std::uint64_t hash) const {
  const std::uint64_t* const begin = hashes().data();
  const std::uint64_t* from = begin;
  for (std::size_t n = size_; n > 0;) {
    const std::size_t half = (n + 1) / 2;
    from += from[half - 1] < hash ? half : 0;
    n -= half;
  }
  return static_cast<std::size_t>(from - begin);
}

absl::Status KmvSample::CheckCompatible(const KmvSample& other) const { return internal::CheckSameHash(*this, other); }

void KmvSample::SetSizeAndTheta(std::byte* image, std::uint64_t size, std::uint64_t theta) {
  size_ = size;
  theta_ = theta;
  Store(image + kCountAt, size);
  Store(image + kThetaAt, theta);
}

}  // namespace thimble
