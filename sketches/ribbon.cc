#include "thimble/ribbon.h"

#include "ribbon_hash.h"

namespace thimble {

absl::StatusOr<Ribbon> Ribbon::Open(std::span<const std::byte> image, const ImageHeader& header) {
  if (header.header_bytes != kHeaderBytes) return absl::DataLossError("static structure: bad header length");
  if (header.hash_scheme != HashScheme::kThimble) return absl::DataLossError("static structure: unknown hash scheme");
  Ribbon ribbon;
  ribbon.shards = header.parameters[0];
  ribbon.bits = static_cast<std::uint32_t>(header.parameters[1] >> 48);
  ribbon.narrow_share = header.parameters[1] & LowBits(48);
  const std::uint64_t whole = std::uint64_t{1} << 32;
  if (ribbon.shards == 0 || ribbon.narrow_share > whole || ribbon.bits > kMaxBits ||
      (ribbon.bits == kMaxBits && ribbon.narrow_share != whole)) {
    return absl::DataLossError("static structure: bad parameters");
  }
  ImageLayout layout(kHeaderBytes);
  layout.Add(ribbon.shards, 8 * kRecordBytes);
  if (layout.image_bytes() > header.image_bytes) return absl::DataLossError("static structure: cut short");
  ribbon.image = image.first(header.image_bytes);
  ribbon.words = header.image_bytes / 8 - 1;
  ribbon.kernels = KernelsFor(ribbon.bits, ribbon.narrow_share != whole);
  return ribbon;
}

absl::Status Ribbon::Verify() const {
  // Every shard begins where the one before it ends, and the last one ends with the image.
  std::uint64_t word = RoundUp(kHeaderBytes + shards * kRecordBytes, 64) / 8;
  for (std::uint64_t shard = 0; shard < shards; ++shard) {
    const std::byte* record = Record(shard);
    if ((Load<std::uint64_t>(record) & LowBits(kOffsetBits)) != word) return absl::DataLossError("static structure: a shard is misplaced");
    bool ended = false;
    for (std::size_t layer = 0; layer < kLayers; ++layer) {
      const std::uint64_t blocks = Load<std::uint32_t>(record + 8 + 4 * layer);
      if (ended && blocks != 0) return absl::DataLossError("static structure: a layer behind the last one");
      ended = blocks == 0;
      if (ended) continue;
      word += ribbon::ThresholdWords(blocks) + ribbon::BlockWord(blocks, ribbon::NarrowBlocks(blocks, narrow_share), bits);
    }
    word = RoundUp(word, 8);
    if (word * 8 > image.size()) return absl::DataLossError("static structure: a shard reaches past the end");
  }
  return word * 8 + kImageSlack == image.size() ? absl::OkStatus() : absl::DataLossError("static structure: bytes behind the last shard");
}

}  // namespace thimble
