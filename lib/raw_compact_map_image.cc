#include "thimble/raw_compact_map.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "status_macros.h"
#include "thimble/bytes.h"

// The image of a CompactMap: its sizes, and how it is made, opened and verified.

namespace thimble {
namespace {

absl::Status CheckMapOptions(const RawCompactMap::Options& options) {
  if (options.key_bytes == 0 || options.key_bytes > 8) return absl::InvalidArgumentError("integer keys have 1 to 8 bytes");
  if (options.value_bytes > RawMapOptions::kMaxValueBytes) return absl::InvalidArgumentError("a value has at most 65535 bytes");
  return absl::OkStatus();
}

}  // namespace

std::uint64_t RawCompactMapView::BytesOf(std::uint64_t blocks, unsigned block_slots, std::uint64_t spilled) const {
  RawCompactMapView shaped = *this;
  shaped.Shape(blocks, block_slots, spilled);
  return shaped.image_bytes_;
}

void RawCompactMapView::Shape(std::uint64_t blocks, unsigned block_slots, std::uint64_t spilled) {
  blocks_ = blocks;
  block_slots_ = block_slots;
  spilled_ = spilled;
  quotient_bits_ = static_cast<unsigned>(std::bit_width(blocks)) - 1;
  const unsigned remainder_bits = 8 * key_bytes_ - std::min(quotient_bits_, 8 * key_bytes_);
  remainder_shift_ = 64 - remainder_bits;
  rest_bits_ = remainder_bits - std::min(kTagBits, remainder_bits);
  rest_mask_ = LowBits(rest_bits_);
  ImageLayout block(2);
  block.Add(block_slots, 16, 1);
  rests_at_ = block.Add(block_slots, rest_bits_, 1);
  values_at_ = block.Add(block_slots, 8 * value_bytes_, 1);
  block_bytes_ = RoundUp(values_at_ + std::uint64_t{block_slots} * value_bytes_, 8);
  ImageLayout layout(kHeaderBytes);
  layout.Add(blocks, 8 * block_bytes_);
  spill_at_ = layout.Add(spilled, 8 * (8 + value_bytes_));
  image_bytes_ = layout.image_bytes();
}

bool RawCompactMapView::Configure(const ImageHeader& header) {
  const auto& p = header.parameters;
  key_bytes_ = static_cast<std::uint32_t>(p[0]);
  value_bytes_ = static_cast<std::uint32_t>(p[0] >> 32);
  count_ = header.count;
  seed_ = header.seed;
  if (key_bytes_ == 0 || key_bytes_ > 8 || value_bytes_ > RawMapOptions::kMaxValueBytes) return false;
  if (p[1] == 0 || (key_bytes_ < 8 && p[1] > LowBits(8 * key_bytes_))) return false;
  if (p[2] != 7 && p[2] != 15 && p[2] != 31 && p[2] != kMaxSlots) return false;
  Shape(p[1], static_cast<unsigned>(p[2]), p[3]);
  return image_bytes_ == header.image_bytes && count_ <= slots() + spilled_;
}

ImageHeader RawCompactMapView::Header() const {
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = image_bytes_, .count = count_, .used_bytes = image_bytes_, .seed = seed_};
  header.parameters = {key_bytes_ | std::uint64_t{value_bytes_} << 32, blocks_, block_slots_, spilled_};
  return header;
}

absl::StatusOr<RawCompactMapView> RawCompactMapView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != kHeaderBytes) return absl::DataLossError("CompactMap: bad header length");
  if (header.hash_scheme != HashScheme::kThimble) return absl::UnimplementedError("CompactMap: unknown hash scheme");
  RawCompactMapView view;
  view.image_ = image.data();
  if (!view.Configure(header)) return absl::DataLossError("CompactMap: sizes do not add up");
  return view;
}

absl::Status RawCompactMapView::Verify() const {
  std::uint64_t entries = spilled_;
  for (std::uint64_t block = 0; block < blocks_; ++block) {
    const auto count = Load<std::uint16_t>(Block(block));
    if (count > block_slots_) return absl::DataLossError("CompactMap: a block holds more than its slots");
    entries += count;
    for (unsigned slot = 0; slot < count; ++slot) {
      const Location found = Locate(HashAt(block, slot));
      if (found.block != block || found.slot != slot) return absl::DataLossError("CompactMap: an entry is not found under its key");
    }
  }
  for (std::uint64_t i = 0; i < spilled_; ++i) {
    const std::uint64_t hash = Load<std::uint64_t>(Spilled(i));
    if (Permute(KeyOf(hash)) != hash || Locate(hash).block != blocks_ + i) return absl::DataLossError("CompactMap: a damaged spilled entry");
  }
  if (entries != count_) return absl::DataLossError("CompactMap: the count is wrong");
  return absl::OkStatus();
}

RawCompactMap::RawCompactMap(RawCompactMapView view, Buffer buffer) : Owner(view, std::move(buffer)) { peak_bytes_ = this->buffer().size(); }

std::uint64_t RawCompactMap::ImageBytes(const Options& options) {
  RawCompactMapView view;
  RawCompactMap empty(view, Buffer());
  empty.key_bytes_ = options.key_bytes;
  empty.value_bytes_ = options.value_bytes;
  return empty.BytesOf(1, 7, 0);
}

absl::StatusOr<RawCompactMap> RawCompactMap::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckMapOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<RawCompactMap> RawCompactMap::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckMapOptions(options));
  const std::uint64_t bytes = ImageBytes(options);
  if (buffer.size() < bytes) return absl::InvalidArgumentError("CompactMap: the buffer is too small");
  ImageHeader header{.kind = kKind, .header_bytes = kHeaderBytes, .hash_scheme = HashScheme::kThimble,
                     .image_bytes = bytes, .used_bytes = bytes, .seed = options.seed};
  header.parameters = {options.key_bytes | std::uint64_t{options.value_bytes} << 32, 1, 7, 0};
  header.Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const RawCompactMapView empty, ViewOf(buffer));
  return RawCompactMap(empty, std::move(buffer));
}

RawCompactMap::RawCompactMap(const Options& options) : RawCompactMap(Make(options).value()) {}

absl::StatusOr<RawCompactMap> RawCompactMap::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const RawCompactMapView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return RawCompactMap(view, std::move(buffer));
}

void RawCompactMap::WriteHeader() { Header().Write(buffer().bytes()); }

}  // namespace thimble
