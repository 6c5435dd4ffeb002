#include "thimble/split_block_bloom_filter.h"

#include <cmath>
#include <cstring>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <status_macros.h>

namespace thimble {
namespace {

// The specification's, one for each of a block's eight words.
constexpr std::uint32_t kSalts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

// The upper half of the hash chooses the block, the lower half a bit in each of its words.
std::uint64_t BlockOf(std::uint64_t hash, std::uint64_t blocks) { return (hash >> 32) * blocks >> 32; }
std::uint32_t MaskOf(std::uint64_t hash, int word) { return std::uint32_t{1} << (static_cast<std::uint32_t>(hash) * kSalts[word] >> 27); }

// Blocks of 256 bits do not overlap, so the number of keys in one is Poisson-distributed.
double RateOf(double bits_per_key) {
  if (bits_per_key < 0.5) return 1;
  const double mean = 256 / bits_per_key;
  double rate = 0;
  for (double keys = 1; keys < mean + 12 * std::sqrt(mean) + 12; keys += 1) {
    const double share = std::exp(keys * std::log(mean) - mean - std::lgamma(keys + 1));
    rate += share * std::pow(1 - std::pow(31.0 / 32, keys), 8);
  }
  return rate;
}

// 0 if there is none.
std::uint64_t BlocksFor(const SplitBlockBloomFilter::Options& options) {
  if (!(options.false_positive_rate > 0 && options.false_positive_rate < 1)) return 0;
  std::uint64_t blocks = 1;
  while (blocks * 32 <= SplitBlockBloomFilter::kMaxBitsetBytes) {
    if (options.capacity == 0) return blocks;
    if (RateOf(256.0 * static_cast<double>(blocks) / static_cast<double>(options.capacity)) <= options.false_positive_rate) return blocks;
    blocks *= 2;
  }
  return 0;
}

std::uint64_t ImageBytesFor(std::uint64_t blocks) {
  ImageLayout layout(64);
  layout.Add(blocks, 256);
  return layout.image_bytes();
}

}  // namespace

std::uint64_t ParquetHash(std::string_view value) { return XXH64(value.data(), value.size(), 0); }

absl::StatusOr<SplitBlockBloomFilterView> SplitBlockBloomFilterView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.hash_scheme != HashScheme::kXxh64 || header.seed != 0) return absl::DataLossError("split-block Bloom filter: its hash is not Parquet's");
  const std::uint64_t blocks = header.parameters[0];
  if (header.header_bytes != kHeaderBytes || blocks == 0 || blocks >= std::uint64_t{1} << 32 || header.image_bytes != ImageBytesFor(blocks)) {
    return absl::DataLossError("split-block Bloom filter: its size does not fit its parameters");
  }
  SplitBlockBloomFilterView view;
  view.image_ = image.first(header.image_bytes);
  view.blocks_ = blocks;
  view.capacity_ = header.parameters[1];
  return view;
}

bool SplitBlockBloomFilterView::ContainsHash(std::uint64_t hash) const {
  const std::byte* block = image_.data() + kHeaderBytes + 32 * BlockOf(hash, blocks_);
  std::uint32_t missing = 0;
  for (int word = 0; word < 8; ++word) missing |= MaskOf(hash, word) & ~Load<std::uint32_t>(block + 4 * word);
  return missing == 0;
}

double SplitBlockBloomFilterView::FalsePositiveRate(std::uint64_t keys) const {
  return keys == 0 ? 0 : RateOf(256.0 * static_cast<double>(blocks_) / static_cast<double>(keys));
}

SplitBlockBloomFilter::SplitBlockBloomFilter(const Options& options) : SplitBlockBloomFilter(*Make(options)) {}

absl::StatusOr<SplitBlockBloomFilter> SplitBlockBloomFilter::MakeBlocks(std::uint64_t blocks, std::uint64_t capacity, Buffer buffer) {
  ImageHeader header{.kind = kKind, .hash_scheme = HashScheme::kXxh64};
  header.image_bytes = header.used_bytes = ImageBytesFor(blocks);
  header.parameters[0] = blocks;
  header.parameters[1] = capacity;
  if (buffer.size() == 0) buffer = Buffer::Heap(header.image_bytes);
  if (buffer.size() < header.image_bytes) return absl::InvalidArgumentError("the buffer is too short for the Bloom filter");
  header.Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const SplitBlockBloomFilterView view, ViewOf(buffer));
  return SplitBlockBloomFilter(view, std::move(buffer));
}

absl::StatusOr<SplitBlockBloomFilter> SplitBlockBloomFilter::Make(const Options& options) { return Make(options, Buffer()); }

absl::StatusOr<SplitBlockBloomFilter> SplitBlockBloomFilter::Make(const Options& options, Buffer buffer) {
  const std::uint64_t blocks = BlocksFor(options);
  if (blocks == 0) return absl::InvalidArgumentError("split-block Bloom filter: an impossible rate, or more than 128 MiB");
  return MakeBlocks(blocks, options.capacity, std::move(buffer));
}

absl::StatusOr<SplitBlockBloomFilter> SplitBlockBloomFilter::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const SplitBlockBloomFilterView view, ViewOf(buffer));
  return SplitBlockBloomFilter(view, std::move(buffer));
}

std::uint64_t SplitBlockBloomFilter::ImageBytes(const Options& options) {
  const std::uint64_t blocks = BlocksFor(options);
  return blocks == 0 ? ImageLayout::kTooLarge : ImageBytesFor(blocks);
}

absl::StatusOr<SplitBlockBloomFilter> SplitBlockBloomFilter::FromBitset(std::span<const std::byte> bitset) {
  if (bitset.empty() || bitset.size() % 32 != 0 || bitset.size() > kMaxBitsetBytes) {
    return absl::DataLossError("a Parquet Bloom filter has whole blocks of 32 bytes, 128 MiB at most");
  }
  THIMBLE_ASSIGN_OR_RETURN(SplitBlockBloomFilter filter, MakeBlocks(bitset.size() / 32, 0, Buffer()));
  std::memcpy(filter.data() + kHeaderBytes, bitset.data(), bitset.size());
  return filter;
}

void SplitBlockBloomFilter::AddHash(std::uint64_t hash) {
  std::byte* block = data() + kHeaderBytes + 32 * BlockOf(hash, blocks_);
  for (int word = 0; word < 8; ++word) Store(block + 4 * word, Load<std::uint32_t>(block + 4 * word) | MaskOf(hash, word));
}

absl::Status SplitBlockBloomFilter::Merge(const SplitBlockBloomFilterView& other) {
  if (other.blocks_ != blocks_) return absl::InvalidArgumentError("split-block Bloom filters of different size");
  for (std::uint64_t i = 0; i < 32 * blocks_; ++i) data()[kHeaderBytes + i] |= other.bitset()[i];
  return absl::OkStatus();
}

}  // namespace thimble
