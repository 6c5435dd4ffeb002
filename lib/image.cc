#include "thimble/image.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace thimble {
namespace {

constexpr std::size_t kFixedBytes = 48;

std::size_t ParameterCount(std::size_t header_bytes) { return (header_bytes - kFixedBytes) / 8; }

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kNone: break;
    case Kind::kBitVector: return "BitVector";
    case Kind::kPackedVector: return "PackedVector";
    case Kind::kEliasFano: return "EliasFano";
    case Kind::kStringStore: return "StringStore";
    case Kind::kFrameVector: return "FrameVector";
    case Kind::kSkewedVector: return "SkewedVector";
    case Kind::kPackedRecords: return "PackedRecords";
    case Kind::kRecordHeap: return "RecordHeap";
    case Kind::kCompactDict: return "CompactDict";
    case Kind::kCompactMap: return "CompactMap";
    case Kind::kSparseSet: return "SparseSet";
    case Kind::kSparseArray: return "SparseArray";
    case Kind::kSparseMatrix: return "SparseMatrix";
    case Kind::kStringDictionary: return "StringDictionary";
    case Kind::kStringMap: return "StringMap";
    case Kind::kStringColumn: return "StringColumn";
    case Kind::kStringPool: return "StringPool";
    case Kind::kDecimalVector: return "DecimalVector";
    case Kind::kBloomFilter: return "BloomFilter";
    case Kind::kScalableBloomFilter: return "ScalableBloomFilter";
    case Kind::kStaticFilter: return "StaticFilter";
    case Kind::kStaticMap: return "StaticMap";
    case Kind::kQuotientFilter: return "QuotientFilter";
    case Kind::kSplitBlockBloomFilter: return "SplitBlockBloomFilter";
    case Kind::kHyperLogLog: return "HyperLogLog";
    case Kind::kExaLogLog: return "ExaLogLog";
    case Kind::kMorrisCounterArray: return "MorrisCounterArray";
    case Kind::kKmvSketch: return "KmvSketch";
    case Kind::kKmvMap: return "KmvMap";
    case Kind::kPcsa: return "Pcsa";
  }
  return "unknown";
}

std::uint8_t KindVersion(Kind kind) {
  switch (kind) {
    case Kind::kBloomFilter:       // 2: the low half of the hash chooses the lanes
    case Kind::kQuotientFilter:    // 2: blocks of a cache line
    case Kind::kStaticMap:         // 2: a product each makes the coefficients and the fingerprint of a hash
    case Kind::kSkewedVector:      // 2: blocks of classes, not levels
    case Kind::kSparseSet:  // 2: inner nodes tell where a key's child stands
    case Kind::kSparseMatrix:
      return 2;
    case Kind::kStaticFilter:      // 3: the last block of a layer is wide
    case Kind::kSparseArray:       // 3: packed, it may be a table
    case Kind::kCompactDict:       // 3: the index before the records; a line's order tells where lookups end
      return 3;
    case Kind::kStringDictionary:  // 5: prefix codes for LCPs
    case Kind::kStringMap:
      return 5;
    default:
      return 1;
  }
}

absl::StatusOr<ImageHeader> ImageHeader::ReadAny(std::span<const std::byte> run) {
  if (run.size() < 64) return absl::DataLossError("too short for an image header");
  if (reinterpret_cast<std::uintptr_t>(run.data()) % 8 != 0) {
    return absl::InvalidArgumentError("an image must lie at a multiple of 8 bytes");
  }
  const std::byte* at = run.data();
  if (Load<std::uint32_t>(at) != kMagic) return absl::DataLossError("no image: bad magic");
  ImageHeader header;
  header.kind = Load<Kind>(at + 4);
  header.version = Load<std::uint8_t>(at + 6);
  header.header_bytes = Load<std::uint8_t>(at + 7);
  header.image_bytes = Load<std::uint64_t>(at + 8);
  header.count = Load<std::uint64_t>(at + 16);
  header.used_bytes = Load<std::uint64_t>(at + 24);
  header.hash_scheme = Load<HashScheme>(at + 32);
  header.seed = Load<std::uint64_t>(at + 40);
  if (header.header_bytes != 64 && header.header_bytes != 128) return absl::DataLossError("bad header length");
  if (header.image_bytes > run.size()) {
    return absl::DataLossError("image of " + std::to_string(header.image_bytes) + " bytes cut to " + std::to_string(run.size()));
  }
  if (header.image_bytes < header.header_bytes + kImageSlack || header.image_bytes % 8 != 0) {
    return absl::DataLossError("bad image length");
  }
  if (header.used_bytes > header.image_bytes) return absl::DataLossError("more bytes used than there are");
  if ((Load<std::uint64_t>(at + 32) >> 8) != 0) return absl::DataLossError("reserved header bytes are not zero");
  std::memcpy(header.parameters.data(), at + kFixedBytes, ParameterCount(header.header_bytes) * 8);
  return header;
}

absl::StatusOr<ImageHeader> ImageHeader::Read(std::span<const std::byte> run, Kind kind) {
  absl::StatusOr<ImageHeader> header = ReadAny(run);
  if (!header.ok()) return header;
  if (header->kind != kind) {
    return absl::FailedPreconditionError("image of kind " + std::string(KindName(header->kind)) + ", not " + std::string(KindName(kind)));
  }
  if (header->version != KindVersion(kind)) {
    const std::string what = std::string(KindName(kind)) + " of version " + std::to_string(header->version);
    if (header->version > KindVersion(kind)) return absl::UnimplementedError(what + ", newer than this library");
    return absl::FailedPreconditionError(what + ", which this library no longer reads: build it again");
  }
  return header;
}

void ImageHeader::Write(std::span<std::byte> image) const {
  std::byte* at = image.data();
  Store(at, kMagic);
  Store(at + 4, kind);
  Store(at + 6, KindVersion(kind));
  Store(at + 7, header_bytes);
  Store(at + 8, image_bytes);
  Store(at + 16, count);
  Store(at + 24, used_bytes);
  Store(at + 32, static_cast<std::uint64_t>(hash_scheme));
  Store(at + 40, seed);
  std::memcpy(at + kFixedBytes, parameters.data(), ParameterCount(header_bytes) * 8);
}

}  // namespace thimble
