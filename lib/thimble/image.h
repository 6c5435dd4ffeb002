#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/bytes.h"
#include "thimble/hash.h"
#include "thimble/kind.h"

namespace thimble {

// An image is a run of bytes that says what it is. It begins with this header, little-endian, 64 bytes when two parameters
// are enough and 128 otherwise:
//
//   0  u32 magic "THIM"        16  u64 count              40  u64 hash seed
//   4  u16 kind                24  u64 used bytes         48  u64 parameters[2]     (header of 64 bytes)
//   6  u8  version             32  u8  hash scheme        48  u64 parameters[10]    (header of 128 bytes)
//   7  u8  header bytes        33  u8  zero[7]
//   8  u64 image bytes
//
// The payload follows. It refers to itself by offsets from the image's first byte, and ends with kImageSlack bytes that a
// reader may load and nobody interprets, so that a packed read is one unaligned load. An image lies at a multiple of
// kImageAlignment wherever thimble places it; a view asks for a multiple of 8 only.
struct ImageHeader {
  static constexpr std::uint32_t kMagic = 0x4D494854;  // "THIM"
  static constexpr std::size_t kMaxParameters = 10;

  Kind kind = Kind::kNone;
  std::uint8_t version = 1;      // as read
  std::uint8_t header_bytes = 64;  // 64 or 128
  HashScheme hash_scheme = HashScheme::kNone;
  std::uint64_t image_bytes = 0;
  std::uint64_t count = 0;       // elements held; 0 where the structure derives it
  std::uint64_t used_bytes = 0;  // bytes in use of a structure that grows; image_bytes otherwise
  std::uint64_t seed = 0;
  std::array<std::uint64_t, kMaxParameters> parameters{};  // the first two only, when header_bytes is 64

  // Reads the header of an image of this kind, in a run that may be longer than the image. Everything but the parameters
  // is checked; those mean something to the structure only.
  //
  // Returns kDataLoss if the bytes are no image or are cut short, kFailedPrecondition if it is of another kind
  // or of an earlier version of its layout, kUnimplemented if of a later one, kInvalidArgument if the run does not lie at a
  // multiple of 8.
  static absl::StatusOr<ImageHeader> Read(std::span<const std::byte> run, Kind kind);

  // Reads whatever kind it is; the version is not judged.
  static absl::StatusOr<ImageHeader> ReadAny(std::span<const std::byte> run);

  // Writes the version that KindVersion(kind) says. Requires: image.size() >= header_bytes.
  void Write(std::span<std::byte> image) const;
};

inline constexpr std::size_t kImageAlignment = 64;
inline constexpr std::size_t kImageSlack = 8;

// Where the parts of an image lie: sizes only, no memory, so that Make, Open and ImageBytes share one computation. Hostile
// parameters cannot overflow it: image_bytes() is then kTooLarge, which no run is long enough for.
//
//   ImageLayout layout(header.header_bytes);
//   const std::uint64_t ends = layout.Add(n, 64);       // n words
//   const std::uint64_t bits = layout.Add(n, width);    // n packed values
//   layout.image_bytes();                               // slack included, a multiple of 8
class ImageLayout {
 public:
  static constexpr std::uint64_t kTooLarge = ~std::uint64_t{0};

  constexpr explicit ImageLayout(std::size_t header_bytes) : end_(header_bytes) {}

  // Reserves `count` items of `bits` bits each, from a multiple of `alignment` bytes; returns the offset.
  constexpr std::uint64_t Add(std::uint64_t count, std::uint64_t bits, std::uint64_t alignment = 8) {
    const Wide start = (end_ + alignment - 1) / alignment * alignment;
    end_ = start + (Wide{count} * bits + 7) / 8;
    if (end_ >= kLimit) end_ = kLimit;
    return static_cast<std::uint64_t>(start);
  }

  constexpr std::uint64_t image_bytes() const {
    return end_ >= kLimit ? kTooLarge : static_cast<std::uint64_t>((end_ + kImageSlack + 7) / 8 * 8);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr Wide kLimit = std::uint64_t{1} << 62;
  Wide end_;
};

// What every view is: a small value, opened in O(1), safe to query whatever the payload holds, and able to say whether the
// payload is right.
template <class V>
concept ImageView = std::copyable<V> && requires(const V view, std::span<const std::byte> run) {
  { V::kKind } -> std::convertible_to<Kind>;
  { V::Open(run) } -> std::same_as<absl::StatusOr<V>>;
  { view.Verify() } -> std::same_as<absl::Status>;
  { view.image() } -> std::same_as<std::span<const std::byte>>;
};

}  // namespace thimble
