#include "thimble/bloom_filter.h"

#include <atomic>
#include <cmath>
#include <string>
#include <utility>

#include <status_macros.h>

#include "bloom_kernels.h"
#include "bloom_math.h"

namespace thimble {
namespace {

// The bytes of positions are a multiple of this, so that a filter can be halved six times.
constexpr std::uint64_t kUnitBytes = 64;

// Parameters of the header.
enum { kPositions, kProbes, kLayout, kFolds, kCapacity };

// Bytes that hold bits. A blocked run may begin at the last position, and reaches past it.
std::uint64_t PayloadBytes(BloomLayout layout, std::uint64_t positions) {
  return layout == BloomLayout::kBlocked ? positions + BloomKernels::kBlockBytes - 1 : positions / 8;
}

std::uint64_t ImageBytesFor(BloomLayout layout, std::uint64_t positions, std::size_t header_bytes) {
  if (positions >= std::uint64_t{1} << 58) return ImageLayout::kTooLarge;
  ImageLayout image(header_bytes);
  image.Add(PayloadBytes(layout, positions), 8);
  return image.image_bytes();
}

// The bytes of the payload that keys set bits in: the last run of 4 k bytes ends before its 32 do, when k < 8.
std::uint64_t ReachedBytes(BloomLayout layout, std::uint64_t positions, std::uint32_t k) {
  return layout == BloomLayout::kBlocked ? positions - 1 + 4 * k : positions / 8;
}

// 0 if the options are impossible.
std::uint64_t PositionBytes(const BloomFilterOptions& options, const BloomSize& size) {
  const double bytes = std::ceil(size.bits_per_key * static_cast<double>(std::max<std::uint64_t>(options.capacity, 1)) / 8);
  return bytes < 0x1p54 ? RoundUp(static_cast<std::uint64_t>(bytes), kUnitBytes) : 0;
}

bool RateIsPossible(double rate) { return rate >= 1e-12 && rate < 1; }

absl::StatusOr<ImageHeader> HeaderFor(const BloomFilterOptions& options) {
  if (!RateIsPossible(options.false_positive_rate)) {
    return absl::InvalidArgumentError("a Bloom filter's false_positive_rate must be at least 1e-12 and below 1");
  }
  const BloomSize size = SizeForRate(options.layout, options.false_positive_rate);
  const std::uint64_t bytes = PositionBytes(options, size);
  if (bytes == 0) return absl::InvalidArgumentError("a Bloom filter for " + std::to_string(options.capacity) + " keys is too large");
  ImageHeader header{.kind = BloomFilterView::kKind, .header_bytes = 128, .hash_scheme = HashScheme::kThimble, .seed = options.seed};
  header.parameters[kPositions] = options.layout == BloomLayout::kBlocked ? bytes : bytes * 8;
  header.parameters[kProbes] = size.k;
  header.parameters[kLayout] = static_cast<std::uint64_t>(options.layout);
  header.parameters[kCapacity] = options.capacity;
  header.image_bytes = header.used_bytes = ImageBytesFor(options.layout, header.parameters[kPositions], header.header_bytes);
  return header;
}

// A filter of these options without keys, in `buffer`, or on the heap if that is empty.
absl::StatusOr<Buffer> MakeImage(const BloomFilterOptions& options, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, HeaderFor(options));
  if (buffer.size() == 0) buffer = Buffer::Heap(header.image_bytes);
  if (buffer.size() < header.image_bytes) {
    return absl::InvalidArgumentError("the buffer has " + std::to_string(buffer.size()) + " bytes, the Bloom filter needs " +
                                      std::to_string(header.image_bytes));
  }
  header.Write(buffer.bytes());
  return buffer;
}

std::uint64_t CountBits(std::span<const std::byte> bytes) {
  std::uint64_t set = 0;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    // The population count of a word, without an instruction for it.
    std::uint64_t word = Load<std::uint64_t>(&bytes[i]);
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    set += word * 0x0101010101010101u >> 56;
  }
  for (; i < bytes.size(); ++i) set += static_cast<std::uint64_t>(std::popcount(std::to_integer<std::uint8_t>(bytes[i])));
  return set;
}

}  // namespace

absl::StatusOr<BloomFilterView> BloomFilterView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != kHeaderBytes) return absl::DataLossError("Bloom filter: bad header length");
  if (header.hash_scheme != HashScheme::kThimble) return absl::DataLossError("Bloom filter: unknown hash scheme");
  const std::uint64_t positions = header.parameters[kPositions], k = header.parameters[kProbes];
  const std::uint64_t layout = header.parameters[kLayout], folds = header.parameters[kFolds];
  if (layout > static_cast<std::uint64_t>(BloomLayout::kClassic)) return absl::UnimplementedError("Bloom filter: unknown layout");
  BloomFilterView view;
  view.layout_ = static_cast<BloomLayout>(layout);
  const unsigned most = view.layout_ == BloomLayout::kBlocked ? kMaxBlockedProbes : kMaxClassicProbes;
  const bool whole_bytes = view.layout_ == BloomLayout::kBlocked || positions % 8 == 0;
  if (k == 0 || k > most || folds > 63 || positions == 0 || !whole_bytes) {
    return absl::DataLossError("Bloom filter: bad parameters");
  }
  if (header.image_bytes != ImageBytesFor(view.layout_, positions, kHeaderBytes)) {
    return absl::DataLossError("Bloom filter: its size does not fit its parameters");
  }
  view.image_ = image.first(header.image_bytes);
  view.shape_ = {positions, static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(folds)};
  view.kernels_ = BloomKernels::For(view.layout_, view.shape_);
  view.seed_ = HashSeed(header.seed);
  view.capacity_ = header.parameters[kCapacity];
  return view;
}

absl::Status BloomFilterView::Verify() const {
  for (std::uint64_t i = ReachedBytes(layout_, shape_.positions, shape_.k); i < PayloadBytes(layout_, shape_.positions); ++i) {
    if (bits()[i] != std::byte{0}) return absl::DataLossError("Bloom filter: a bit is set behind the last block");
  }
  return absl::OkStatus();
}

// The share of bits set, among those that as many runs reach as any.
double BloomFilterView::InteriorFill() const {
  std::uint64_t first = 0, last = PayloadBytes(layout_, shape_.positions);
  if (layout_ == BloomLayout::kBlocked && shape_.positions >= 4 * shape_.k) {
    first = 4 * shape_.k - 1;
    last = shape_.positions;
  }
  const std::uint64_t set = CountBits({bits() + first, last - first});
  return static_cast<double>(set) / (8.0 * static_cast<double>(last - first));
}

double BloomFilterView::EstimateCount() const {
  const double bits = static_cast<double>(shape_.positions) * (layout_ == BloomLayout::kBlocked ? 8.0 : 1.0);
  const double unset = std::max(1 - InteriorFill(), 0.5 / bits);
  return -std::log(unset) * bits / shape_.k;
}

double BloomFilterView::FalsePositiveRate() const {
  // Of bits set at random with this probability one key's worth of keys has set -ln(unset) / k a bit.
  const double unset = 1 - InteriorFill();
  if (unset <= 0) return 1;
  const double keys_per_bit = -std::log(unset) / shape_.k;
  return keys_per_bit <= 0 ? 0 : BloomRate(layout_, shape_.k, 1 / keys_per_bit);
}

double BloomFilterView::FalsePositiveRate(std::uint64_t keys) const {
  const double bits = static_cast<double>(shape_.positions) * (layout_ == BloomLayout::kBlocked ? 8.0 : 1.0);
  const double alike = layout_ == BloomLayout::kClassic ? 4 * static_cast<double>(keys) / (bits * bits) : 0;
  return keys == 0 ? 0 : std::min(1.0, BloomRate(layout_, shape_.k, bits / static_cast<double>(keys)) + alike);
}

double BloomFilterView::bits_per_key() const {
  return 8.0 * static_cast<double>(image_.size()) / static_cast<double>(std::max<std::uint64_t>(1, capacity_));
}

absl::Status BloomFilterView::CheckSameShape(const BloomFilterView& other) const {
  const bool same = layout_ == other.layout_ && shape_.positions == other.shape_.positions && shape_.k == other.shape_.k &&
                    shape_.folds == other.shape_.folds && seed() == other.seed();
  return same ? absl::OkStatus() : absl::InvalidArgumentError("Bloom filters of different size, layout or seed");
}

absl::StatusOr<BloomFilter> BloomFilterView::Folded() const {
  const std::uint64_t unit = layout_ == BloomLayout::kBlocked ? 2 : 16;
  if (shape_.positions % unit != 0 || shape_.folds == 63) {
    return absl::FailedPreconditionError("this Bloom filter cannot be halved any more");
  }
  THIMBLE_ASSIGN_OR_RETURN(ImageHeader header, ImageHeader::Read(image_, kKind));
  header.parameters[kPositions] = shape_.positions / 2;
  header.parameters[kFolds] = shape_.folds + 1;
  header.image_bytes = header.used_bytes = ImageBytesFor(layout_, shape_.positions / 2, kHeaderBytes);
  Buffer buffer = Buffer::Heap(header.image_bytes);
  header.Write(buffer.bytes());
  // The upper half of the positions falls upon the lower one. Bits where blocked runs of the lower half reach into the upper
  // one go to both places, for nobody can tell whose they are.
  std::byte* to = buffer.data() + kHeaderBytes;
  const std::uint64_t half = unit == 2 ? shape_.positions / 2 : shape_.positions / 16;
  const std::uint64_t bytes = ReachedBytes(layout_, shape_.positions / 2, shape_.k);
  for (std::uint64_t i = 0; i < bytes; ++i) to[i] = bits()[i] | bits()[half + i];
  return BloomFilter::Open(std::move(buffer));
}

BloomFilter::BloomFilter(const Options& options) : BloomFilter(*Make(options)) {}

absl::StatusOr<BloomFilter> BloomFilter::Make(const Options& options) { return Make(options, Buffer()); }

absl::StatusOr<BloomFilter> BloomFilter::Make(const Options& options, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, MakeImage(options, std::move(buffer)));
  THIMBLE_ASSIGN_OR_RETURN(const BloomFilterView view, ViewOf(image));
  return BloomFilter(view, std::move(image));
}

absl::StatusOr<BloomFilter> BloomFilter::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const BloomFilterView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return BloomFilter(view, std::move(buffer));
}

std::uint64_t BloomFilter::ImageBytes(const Options& options) {
  const absl::StatusOr<ImageHeader> header = HeaderFor(options);
  return header.ok() ? header->image_bytes : ImageLayout::kTooLarge;
}

absl::Status BloomFilter::Merge(const BloomFilterView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckSameShape(other));
  std::byte* to = data() + kHeaderBytes;
  const std::byte* from = other.bits();
  const std::uint64_t bytes = PayloadBytes(layout(), shape_.positions);
  for (std::uint64_t i = 0; i < bytes; ++i) to[i] |= from[i];
  return absl::OkStatus();
}

absl::Status BloomFilter::Intersect(const BloomFilterView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckSameShape(other));
  std::byte* to = data() + kHeaderBytes;
  const std::byte* from = other.bits();
  const std::uint64_t bytes = PayloadBytes(layout(), shape_.positions);
  for (std::uint64_t i = 0; i < bytes; ++i) to[i] &= from[i];
  return absl::OkStatus();
}

Stats BloomFilter::stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

ConcurrentBloomFilter::ConcurrentBloomFilter(const Options& options) : ConcurrentBloomFilter(*Make(options, Buffer())) {}

absl::StatusOr<ConcurrentBloomFilter> ConcurrentBloomFilter::Make(const Options& options, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, MakeImage(options, std::move(buffer)));
  THIMBLE_ASSIGN_OR_RETURN(const BloomFilterView view, ViewOf(image));
  return ConcurrentBloomFilter(view, std::move(image));
}

absl::StatusOr<ConcurrentBloomFilter> ConcurrentBloomFilter::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const BloomFilterView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return ConcurrentBloomFilter(view, std::move(buffer));
}

void ConcurrentBloomFilter::AddHash(std::uint64_t hash) {
  std::byte* bytes = data();
  BloomKernels::ForBits(layout(), shape_, hash, [bytes](std::uint64_t at, std::uint8_t mask) {
    std::atomic_ref<std::uint8_t> byte(*reinterpret_cast<std::uint8_t*>(bytes + at));
    if ((byte.load(std::memory_order_relaxed) & mask) == 0) byte.fetch_or(mask, std::memory_order_relaxed);
    return true;
  });
}

bool ConcurrentBloomFilter::ContainsHash(std::uint64_t hash) const {
  std::byte* bytes = data();
  return BloomKernels::ForBits(layout(), shape_, hash, [bytes](std::uint64_t at, std::uint8_t mask) {
    return (std::atomic_ref<std::uint8_t>(*reinterpret_cast<std::uint8_t*>(bytes + at)).load(std::memory_order_relaxed) & mask) != 0;
  });
}

}  // namespace thimble
