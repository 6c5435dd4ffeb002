#include "thimble/scalable_bloom_filter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>

#include <status_macros.h>

namespace thimble {
namespace {

// Parameters of the header.
enum { kStages, kNewestKeys, kFirstCapacity, kRate, kGrowth, kTightening };

bool Possible(double rate, double growth, double tightening, std::uint64_t first_capacity) {
  return rate >= 1e-9 && rate < 1 && growth >= 1.1 && growth <= 16 && tightening >= 0.1 && tightening <= 0.99 && first_capacity > 0;
}

// Stage i: growth^i times the keys, at tightening^i times a rate that makes the sum of all rates the one asked for.
BloomFilter::Options StageOptions(std::size_t i, std::uint64_t first_capacity, double rate, double growth, double tightening, std::uint64_t seed) {
  const double keys = std::min(static_cast<double>(first_capacity) * std::pow(growth, static_cast<double>(i)), 0x1p56);
  const double stage_rate = rate * (1 - tightening) * std::pow(tightening, static_cast<double>(i));
  return {.capacity = static_cast<std::uint64_t>(keys),
          .false_positive_rate = std::max(stage_rate, 1e-12),
          .seed = seed,
          .layout = BloomLayout::kClassic};
}

}  // namespace

absl::StatusOr<ScalableBloomFilterView> ScalableBloomFilterView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != kHeaderBytes || header.hash_scheme != HashScheme::kThimble) {
    return absl::DataLossError("scalable Bloom filter: bad header");
  }
  ScalableBloomFilterView view;
  const std::uint64_t stages = header.parameters[kStages];
  view.rate_ = std::bit_cast<double>(header.parameters[kRate]);
  view.growth_ = std::bit_cast<double>(header.parameters[kGrowth]);
  view.tightening_ = std::bit_cast<double>(header.parameters[kTightening]);
  view.first_capacity_ = header.parameters[kFirstCapacity];
  if (stages == 0 || stages > kMaxStages || !Possible(view.rate_, view.growth_, view.tightening_, view.first_capacity_)) {
    return absl::DataLossError("scalable Bloom filter: bad parameters");
  }
  view.stages_ = stages;
  view.seed_ = header.seed;
  view.size_ = header.count;
  view.newest_keys_ = header.parameters[kNewestKeys];
  view.image_ = image.first(header.image_bytes);
  std::uint64_t at = kHeaderBytes;
  for (std::size_t i = 0; i < stages; ++i) {
    if (at >= header.image_bytes) return absl::DataLossError("scalable Bloom filter: cut short");
    THIMBLE_ASSIGN_OR_RETURN(view.stage_[i], BloomFilterView::Open(view.image_.subspan(at)));
    if (view.stage_[i].seed() != view.seed_) return absl::DataLossError("scalable Bloom filter: a stage of another seed");
    at = RoundUp(at + view.stage_[i].image().size(), kImageAlignment);
  }
  if (at + kImageSlack != header.image_bytes) return absl::DataLossError("scalable Bloom filter: bytes behind the last stage");
  return view;
}

absl::Status ScalableBloomFilterView::Verify() const {
  for (std::size_t i = 0; i < stages_; ++i) {
    // Else the header could make the next stage as large as it liked.
    if (stage_[i].image().size() != BloomFilter::ImageBytes(StageOptions(i, first_capacity_, rate_, growth_, tightening_, seed_))) {
      return absl::DataLossError("scalable Bloom filter: a stage is not as large as its number asks for");
    }
    THIMBLE_RETURN_IF_ERROR(stage_[i].Verify());
  }
  return absl::OkStatus();
}

double ScalableBloomFilterView::FalsePositiveRate() const {
  double none = 1;
  for (std::size_t i = 0; i < stages_; ++i) none *= 1 - stage_[i].FalsePositiveRate();
  return 1 - none;
}

std::uint64_t ScalableBloomFilterView::capacity() const {
  std::uint64_t capacity = 0;
  for (std::size_t i = 0; i < stages_; ++i) capacity += stage_[i].capacity();
  return capacity;
}

double ScalableBloomFilterView::bits_per_key() const {
  return 8.0 * static_cast<double>(image_.size()) / static_cast<double>(std::max<std::uint64_t>(1, size_));
}

ScalableBloomFilter::ScalableBloomFilter(const Options& options) : ScalableBloomFilter(*Make(options)) {}

absl::StatusOr<ScalableBloomFilter> ScalableBloomFilter::Make(const Options& options) { return Make(options, Buffer()); }

absl::StatusOr<ScalableBloomFilter> ScalableBloomFilter::Make(const Options& options, Buffer buffer) {
  if (!Possible(options.false_positive_rate, options.growth, options.tightening, options.first_capacity)) {
    return absl::InvalidArgumentError("impossible options of a scalable Bloom filter");
  }
  if (buffer.size() == 0) buffer = Buffer::Heap(kHeaderBytes + kImageSlack);
  ScalableBloomFilterView view;
  view.rate_ = options.false_positive_rate;
  view.growth_ = options.growth;
  view.tightening_ = options.tightening;
  view.first_capacity_ = options.first_capacity;
  view.seed_ = options.seed;
  ScalableBloomFilter filter(view, std::move(buffer));
  filter.image_bytes_ = kHeaderBytes + kImageSlack;
  THIMBLE_RETURN_IF_ERROR(filter.AddStage());
  return filter;
}

absl::StatusOr<ScalableBloomFilter> ScalableBloomFilter::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const ScalableBloomFilterView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  ScalableBloomFilter filter(view, std::move(buffer));
  filter.image_bytes_ = view.image().size();
  filter.unknown_bytes_ = filter.buffer().size();
  return filter;
}

std::uint64_t ScalableBloomFilter::ImageBytes(const Options& options) {
  const std::uint64_t stage = BloomFilter::ImageBytes(
      StageOptions(0, options.first_capacity, options.false_positive_rate, options.growth, options.tightening, options.seed));
  return stage == ImageLayout::kTooLarge ? stage : kHeaderBytes + RoundUp(stage, kImageAlignment) + kImageSlack;
}

void ScalableBloomFilter::WriteHeader() {
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble, .image_bytes = image_bytes_, .count = size_, .used_bytes = image_bytes_, .seed = seed_};
  header.parameters[kStages] = stages_;
  header.parameters[kNewestKeys] = newest_keys_;
  header.parameters[kFirstCapacity] = first_capacity_;
  header.parameters[kRate] = std::bit_cast<std::uint64_t>(rate_);
  header.parameters[kGrowth] = std::bit_cast<std::uint64_t>(growth_);
  header.parameters[kTightening] = std::bit_cast<std::uint64_t>(tightening_);
  header.Write(buffer().bytes());
}

absl::Status ScalableBloomFilter::AddStage() {
  if (stages_ == kMaxStages) return absl::ResourceExhaustedError("the scalable Bloom filter has all its stages");
  const BloomFilter::Options options = StageOptions(stages_, first_capacity_, rate_, growth_, tightening_, seed_);
  const std::uint64_t bytes = BloomFilter::ImageBytes(options);
  if (bytes == ImageLayout::kTooLarge) return absl::ResourceExhaustedError("the scalable Bloom filter cannot grow any more");
  const std::uint64_t at = image_bytes_ - kImageSlack, end = RoundUp(at + bytes, kImageAlignment);
  if (const absl::Status grown = buffer().Grow(end + kImageSlack); !grown.ok()) {
    return absl::ResourceExhaustedError("the scalable Bloom filter cannot grow: " + std::string(grown.message()));
  }
  if (const std::uint64_t unknown = std::min(unknown_bytes_, end); unknown > at) {
    std::fill(buffer().data() + at, buffer().data() + unknown, std::byte{0});
  }
  THIMBLE_RETURN_IF_ERROR(BloomFilter::Make(options, Buffer::Borrow(buffer().bytes().subspan(at, bytes))).status());
  image_bytes_ = end + kImageSlack;
  newest_keys_ = 0;
  ++stages_;
  WriteHeader();
  // The bytes may have moved: every stage is opened anew.
  THIMBLE_ASSIGN_OR_RETURN(static_cast<ScalableBloomFilterView&>(*this), ViewOf(buffer()));
  return absl::OkStatus();
}

absl::Status ScalableBloomFilter::AddHash(std::uint64_t hash) {
  if (ContainsHash(hash)) return absl::OkStatus();
  if (newest_keys_ >= stage_[stages_ - 1].capacity()) THIMBLE_RETURN_IF_ERROR(AddStage());
  const BloomFilterView& newest = stage_[stages_ - 1];
  const auto at = static_cast<std::size_t>(newest.image().data() - image_.data());
  // An owner of the newest stage's bytes for this one key: opening it is a check of its header.
  THIMBLE_ASSIGN_OR_RETURN(BloomFilter stage, BloomFilter::Open(Buffer::Borrow({data() + at, newest.image().size()})));
  stage.AddHash(hash);
  ++newest_keys_;
  ++size_;
  Store(data() + 16, size_);
  Store(data() + 48 + 8 * kNewestKeys, newest_keys_);
  return absl::OkStatus();
}

}  // namespace thimble
