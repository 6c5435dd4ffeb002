#include "datasketches_theta_codec.h"

#include <algorithm>
#include <bit>
#include <string>

#include "status_macros.h"
#include "thimble/bytes.h"

// The preamble, little-endian:
//
//   0 longs in the preamble   3 v4: bits a delta       6 u16 seed hash           v4, after theta if there is one:
//   1 serial version          4 v4: bytes of the count 8 u32 count (v1-3)          count, then the deltas of the
//   2 family, 3 = Theta       5 flags                 16 u64 theta (3 longs)       ascending hashes, most significant
//                                                     then the hashes, u64 each    bit first
//
// One hash alone is stored in a preamble of one long, at byte 8. v4 puts theta at byte 8 (2 longs) or leaves it out (1).

namespace thimble {
namespace {

constexpr std::uint8_t kThetaFamily = 3;
constexpr std::uint8_t kReadOnly = 2, kThetaIsEmpty = 4, kThetaIsCompact = 8, kOrdered = 16;

absl::Status CorruptTheta(const char* what) { return absl::DataLossError(std::string("Theta sketch: ") + what); }

std::uint8_t ByteAt(std::span<const std::byte> bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }

// Bits from the most significant end of each byte, as version 4 packs its deltas.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Requires: bits remain.
  std::uint64_t Read(unsigned bits) {
    std::uint64_t value = 0;
    for (unsigned left = bits; left > 0;) {
      const unsigned used = static_cast<unsigned>(position_ % 8);
      const unsigned take = std::min(left, 8 - used);
      const unsigned chunk = (ByteAt(bytes_, position_ / 8) >> (8 - used - take)) & ((1u << take) - 1);
      value = value << take | chunk;
      position_ += take;
      left -= take;
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

class BitWriter {
 public:
  explicit BitWriter(std::span<std::byte> bytes) : bytes_(bytes) {}

  void Write(std::uint64_t value, unsigned bits) {
    for (unsigned left = bits; left > 0;) {
      const unsigned used = static_cast<unsigned>(position_ % 8);
      const unsigned take = std::min(left, 8 - used);
      const std::uint64_t chunk = (value >> (left - take)) & ((1u << take) - 1);
      bytes_[position_ / 8] |= static_cast<std::byte>(chunk << (8 - used - take));
      position_ += take;
      left -= take;
    }
  }

 private:
  std::span<std::byte> bytes_;
  std::size_t position_ = 0;
};

absl::StatusOr<std::vector<std::uint64_t>> ReadHashes(std::span<const std::byte> bytes, std::uint64_t count) {
  if (bytes.size() != count * 8) return CorruptTheta("length does not fit the count");
  std::vector<std::uint64_t> hashes(count);
  for (std::size_t i = 0; i < count; ++i) hashes[i] = Load<std::uint64_t>(bytes.data() + i * 8);
  return hashes;
}

absl::StatusOr<ThetaFields> ParseCompressed(std::span<const std::byte> bytes) {
  ThetaFields sketch;
  sketch.empty = false;
  const unsigned longs = ByteAt(bytes, 0), bits = ByteAt(bytes, 3), count_bytes = ByteAt(bytes, 4);
  if (longs != 1 && longs != 2) return CorruptTheta("bad preamble of version 4");
  if (bits < 1 || bits > 63) return CorruptTheta("bad width of deltas");
  if (count_bytes < 1 || count_bytes > 4) return CorruptTheta("bad width of the count");
  if ((ByteAt(bytes, 5) & kOrdered) == 0) return CorruptTheta("compressed, but not ordered");
  std::size_t at = longs * 8;
  if (bytes.size() < at + count_bytes) return CorruptTheta("cut short");
  if (longs == 2) sketch.theta = Load<std::uint64_t>(bytes.data() + 8);
  std::uint64_t count = 0;
  for (unsigned i = 0; i < count_bytes; ++i) count |= std::uint64_t{ByteAt(bytes, at + i)} << (8 * i);
  at += count_bytes;
  if (count == 0) return CorruptTheta("compressed, but holds nothing");
  if (bytes.size() - at != (count * bits + 7) / 8) return CorruptTheta("length does not fit the count");
  BitReader deltas(bytes.subspan(at));
  sketch.hashes.reserve(count);
  std::uint64_t hash = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    hash += deltas.Read(bits);
    // A sum that wraps would look ordered again; no hash has the top bit.
    if (hash > ThetaFields::kMaxTheta) return CorruptTheta("a hash is out of range");
    sketch.hashes.push_back(hash);
  }
  return sketch;
}

absl::StatusOr<ThetaFields> ParsePlain(std::span<const std::byte> bytes, unsigned version) {
  const unsigned longs = ByteAt(bytes, 0);
  const unsigned flags = ByteAt(bytes, 5);
  if (longs < 1 || longs > 3 || (version == 1 && longs != 3)) return CorruptTheta("bad preamble");
  if (bytes.size() < longs * 8) return CorruptTheta("cut short");
  ThetaFields sketch;
  if (version == 3 && (flags & kThetaIsCompact) == 0) return absl::UnimplementedError("Theta sketch: an update sketch, not a compact one");
  if (longs == 1) {
    const bool holds_one = version == 3 && (flags & kThetaIsEmpty) == 0;
    THIMBLE_ASSIGN_OR_RETURN(sketch.hashes, ReadHashes(bytes.subspan(8), holds_one ? 1 : 0));
    sketch.empty = !holds_one;
    return sketch;
  }
  if (longs == 3) sketch.theta = Load<std::uint64_t>(bytes.data() + 16);
  const std::uint64_t count = Load<std::uint32_t>(bytes.data() + 8);
  THIMBLE_ASSIGN_OR_RETURN(sketch.hashes, ReadHashes(bytes.subspan(longs * 8), count));
  sketch.empty = version == 3 ? (flags & kThetaIsEmpty) != 0 : count == 0 && sketch.theta == ThetaFields::kMaxTheta;
  if (sketch.empty && count != 0) return CorruptTheta("empty, but holds hashes");
  // Versions 1 and 2 had no order flag: their hashes are always ascending.
  if (version == 3 && (flags & kOrdered) == 0) std::sort(sketch.hashes.begin(), sketch.hashes.end());
  return sketch;
}

}  // namespace

absl::StatusOr<ThetaFields> ParseTheta(std::span<const std::byte> bytes, std::uint16_t seed_hash) {
  if (bytes.size() < 8) return CorruptTheta("cut short");
  if (ByteAt(bytes, 2) != kThetaFamily) return absl::FailedPreconditionError("no Theta sketch: another family");
  const unsigned version = ByteAt(bytes, 1);
  if (version < 1 || version > 4) return absl::UnimplementedError("Theta sketch: unknown serial version");
  THIMBLE_ASSIGN_OR_RETURN(ThetaFields sketch, version == 4 ? ParseCompressed(bytes) : ParsePlain(bytes, version));
  // Version 1 stored no seed hash, and an empty sketch agrees with every seed.
  if (version > 1 && !sketch.empty && Load<std::uint16_t>(bytes.data() + 6) != seed_hash) {
    return absl::InvalidArgumentError("Theta sketch: made with another seed");
  }
  if (sketch.theta == 0 || sketch.theta > ThetaFields::kMaxTheta) return CorruptTheta("theta is out of range");
  for (std::size_t i = 0; i < sketch.hashes.size(); ++i) {
    if (sketch.hashes[i] == 0 || sketch.hashes[i] >= sketch.theta) return CorruptTheta("a hash is out of range");
    if (i > 0 && sketch.hashes[i] <= sketch.hashes[i - 1]) return CorruptTheta("hashes are out of order, or stand twice");
  }
  return sketch;
}

std::vector<std::byte> SerializeTheta(const ThetaFields& sketch, std::uint16_t seed_hash, bool compressed) {
  const std::size_t count = sketch.hashes.size();
  const bool exact = sketch.theta == ThetaFields::kMaxTheta;
  const bool single = count == 1 && exact;
  const auto preamble = [&](std::size_t size, std::size_t longs, unsigned version) {
    std::vector<std::byte> bytes(size);
    bytes[0] = static_cast<std::byte>(longs);
    bytes[1] = static_cast<std::byte>(version);
    bytes[2] = static_cast<std::byte>(kThetaFamily);
    bytes[5] = static_cast<std::byte>(kReadOnly | kThetaIsCompact | kOrdered | (sketch.empty ? kThetaIsEmpty : 0));
    Store(bytes.data() + 6, seed_hash);
    return bytes;
  };

  if (compressed && count > 0 && !single) {
    std::uint64_t all = 0, previous = 0;
    for (std::uint64_t hash : sketch.hashes) {
      all |= hash - previous;
      previous = hash;
    }
    const unsigned bits = static_cast<unsigned>(std::bit_width(all));
    const unsigned count_bytes = (static_cast<unsigned>(std::bit_width(count)) + 7) / 8;
    const std::size_t longs = exact ? 1 : 2;
    const std::size_t start = longs * 8 + count_bytes;
    std::vector<std::byte> bytes = preamble(start + (count * bits + 7) / 8, longs, 4);
    bytes[3] = static_cast<std::byte>(bits);
    bytes[4] = static_cast<std::byte>(count_bytes);
    if (!exact) Store(bytes.data() + 8, sketch.theta);
    for (unsigned i = 0; i < count_bytes; ++i) bytes[longs * 8 + i] = static_cast<std::byte>(count >> (8 * i));
    BitWriter deltas(std::span<std::byte>(bytes).subspan(start));
    previous = 0;
    for (std::uint64_t hash : sketch.hashes) {
      deltas.Write(hash - previous, bits);
      previous = hash;
    }
    return bytes;
  }

  const std::size_t longs = sketch.empty || single ? 1 : exact ? 2 : 3;
  std::vector<std::byte> bytes = preamble(longs * 8 + count * 8, longs, 3);
  if (longs > 1) Store(bytes.data() + 8, static_cast<std::uint32_t>(count));
  if (longs == 3) Store(bytes.data() + 16, sketch.theta);
  for (std::size_t i = 0; i < count; ++i) Store(bytes.data() + longs * 8 + i * 8, sketch.hashes[i]);
  return bytes;
}

}  // namespace thimble
