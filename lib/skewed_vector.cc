#include "thimble/skewed_vector.h"

#include <bit>

#include "cpu.h"
#include "inline.h"
#include "status_macros.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

// Image: header of 64 bytes (count = values, parameters = the classes' widths, a byte each, and the planes in the fifth byte;
// the blocks' bytes), then
//
//   bases     for each 64 blocks, where the first of them begins
//   offsets   for each block, how far behind its base it begins: 16 bits
//   blocks    for each 64 values: the planes, 64 bits each, then the values one after another, from the next byte on for the
//             next block. Bit j of plane p is bit p of value j's class
constexpr std::uint64_t kBlock = 64;
constexpr std::uint64_t kBlocksPerBase = 64;
constexpr unsigned kMaxPlanes = 2;
using Widths = std::array<std::uint8_t, SkewedVectorView::kMaxClasses>;  // ascending, then 0 behind the last class

struct Plan {
  unsigned planes = 0;
  Widths widths{};

  unsigned ClassOf(std::uint64_t value) const {
    unsigned c = 0;
    while (static_cast<unsigned>(std::bit_width(value)) > widths[c]) ++c;
    return c;
  }
};

// The classes that take the fewest bits: every choice of up to three widths below the longest, 64^3 / 6 sums at worst.
Plan BestPlan(std::span<const std::uint64_t> values) {
  std::array<std::uint64_t, 65> upto{};  // how many values have at most so many bits
  for (const std::uint64_t value : values) ++upto[static_cast<std::size_t>(std::bit_width(value))];
  unsigned longest = 64;
  while (longest > 0 && upto[longest] == 0) --longest;
  for (std::size_t bits = 1; bits < upto.size(); ++bits) upto[bits] += upto[bits - 1];
  const std::uint64_t n = values.size();
  const auto byte = [](unsigned width) { return static_cast<std::uint8_t>(width); };
  Plan best{.planes = 0, .widths = {byte(longest)}};
  std::uint64_t best_bits = n * longest;
  const auto offer = [&](std::uint64_t bits, const Plan& plan) {
    if (bits >= best_bits) return;
    best_bits = bits;
    best = plan;
  };
  for (unsigned a = 0; a < longest; ++a) {
    const std::uint64_t first = upto[a] * a;
    offer(n + first + (n - upto[a]) * longest, {1, {byte(a), byte(longest)}});
    for (unsigned b = a + 1; b < longest; ++b) {
      const std::uint64_t second = first + (upto[b] - upto[a]) * b;
      for (unsigned c = b + 1; c < longest; ++c) {
        offer(2 * n + second + (upto[c] - upto[b]) * c + (n - upto[c]) * longest, {2, {byte(a), byte(b), byte(c), byte(longest)}});
      }
    }
  }
  return best;
}

std::uint64_t BlockBytes(std::span<const std::uint64_t> values, const Plan& plan) {
  std::uint64_t bits = 0;
  for (const std::uint64_t value : values) bits += plan.widths[plan.ClassOf(value)];
  return 8 * plan.planes + (bits + 7) / 8;
}

struct Places {
  std::uint64_t bases, offsets, data, image_bytes;
};

Places PlacesOf(std::uint64_t size, std::uint64_t data_bytes) {
  const std::uint64_t blocks = size / kBlock + (size % kBlock != 0);
  ImageLayout layout(64);
  const std::uint64_t bases = layout.Add(blocks / kBlocksPerBase + (blocks % kBlocksPerBase != 0), 64);
  const std::uint64_t offsets = layout.Add(blocks, 16);
  const std::uint64_t data = layout.Add(data_bytes, 8);
  return {bases, offsets, data, layout.image_bytes()};
}

// The values of a block are packed as they come; returns where the next block begins.
std::uint64_t WriteBlock(std::span<const std::uint64_t> values, const Plan& plan, std::byte* data, std::uint64_t at) {
  std::array<std::uint64_t, kMaxPlanes> planes{};
  std::uint64_t bit = 8 * (at + 8 * plan.planes);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const unsigned c = plan.ClassOf(values[j]);
    for (unsigned p = 0; p < plan.planes; ++p) planes[p] |= std::uint64_t{c >> p & 1} << j;
    if (plan.widths[c] > 0) WriteBits(data, bit, plan.widths[c], values[j]);
    bit += plan.widths[c];
  }
  for (unsigned p = 0; p < plan.planes; ++p) Store(data + at + 8 * p, planes[p]);
  return (bit + 7) / 8;
}

std::span<const std::uint64_t> BlockOf(std::span<const std::uint64_t> values, std::uint64_t block) {
  return values.subspan(block * kBlock, std::min<std::uint64_t>(kBlock, values.size() - block * kBlock));
}

std::uint64_t DataBytes(std::span<const std::uint64_t> values, const Plan& plan) {
  std::uint64_t bytes = 0;
  for (std::uint64_t block = 0; block * kBlock < values.size(); ++block) bytes += BlockBytes(BlockOf(values, block), plan);
  return bytes;
}

}  // namespace

absl::StatusOr<SkewedVectorView> SkewedVectorView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t shape = header.parameters[0], data_bytes = header.parameters[1], size = header.count;
  const auto planes = static_cast<unsigned>(shape >> 32);
  const Places places = PlacesOf(size, data_bytes);
  if (header.header_bytes != 64 || shape >> 32 > kMaxPlanes || places.image_bytes != header.image_bytes ||
      data_bytes < (size / kBlock + (size % kBlock != 0)) * 8 * planes || (size == 0 && shape != 0)) {
    return absl::DataLossError("SkewedVector: bad parameters");
  }
  SkewedVectorView view;
  view.image_ = image.first(header.image_bytes);
  Blocks& blocks = view.blocks_;
  blocks.bases = image.data() + places.bases;
  blocks.offsets = image.data() + places.offsets;
  blocks.data = image.data() + places.data;
  blocks.size = size;
  blocks.last = size == 0 ? 0 : size - 1;
  blocks.planes = planes;
  for (unsigned c = 0; c < kMaxClasses; ++c) {
    const std::uint64_t width = shape >> (8 * c) & 255;
    const bool fits = c >> planes != 0 ? width == 0 : width <= 64 && (c == 0 || width > blocks.widths[c - 1]);
    if (!fits) return absl::DataLossError("SkewedVector: bad widths");
    blocks.widths[c] = width;
  }
  // Modulo 2^64: what a value's place moves by for each bit of the planes in front of it.
  blocks.steps = {blocks.widths[1] - blocks.widths[0], blocks.widths[2] - blocks.widths[0],
                  blocks.widths[3] - blocks.widths[2] - blocks.widths[1] + blocks.widths[0]};
  blocks.mean = size == 0 ? 0 : (data_bytes - (size / kBlock + (size % kBlock != 0)) * 8 * planes) / (size / 256 + 1);
  blocks.longest = blocks.widths[(1u << planes) - 1];
  blocks.last_planes = data_bytes - 8 * planes;
  blocks.last_load = data_bytes - (blocks.longest > kOneLoadBits && data_bytes > 0 ? 1 : 0);
  if (blocks.longest > kOneLoadBits && data_bytes == 0 && size > 0) return absl::DataLossError("SkewedVector: no values");
  return view;
}

namespace {

inline unsigned PopCount(std::uint64_t word) { return static_cast<unsigned>(std::popcount(word)); }

template <class Blocks>
THIMBLE_INLINE std::uint64_t BeginOf(const Blocks& b, std::uint64_t block) {
  return Load<std::uint64_t>(b.bases + block / kBlocksPerBase * 8) + Load<std::uint16_t>(b.offsets + block * 2);
}

// The same, where damaged offsets end at the last place that planes have room at.
template <class Blocks>
THIMBLE_INLINE std::uint64_t SafeBeginOf(const Blocks& b, std::uint64_t block) {
  return std::min(BeginOf(b, block), b.last_planes);
}

// The planes of the block that begins at `at`; 0 for those that there are not.
template <class Blocks>
THIMBLE_INLINE std::array<std::uint64_t, 2> PlanesAt(const Blocks& b, std::uint64_t at) {
  const std::byte* from = b.data + at;
  return {b.planes > 0 ? Load<std::uint64_t>(from) : 0, b.planes > 1 ? Load<std::uint64_t>(from + 8) : 0};
}

// A word whose low bits are a value that begins at bit `bit` behind byte `at`.
template <class Blocks>
THIMBLE_INLINE std::uint64_t WordAt(const Blocks& b, std::uint64_t at, std::uint64_t bit) {
  const std::byte* from = b.data + std::min(at + bit / 8, b.last_load);
  const auto shift = static_cast<unsigned>(bit % 8);
  std::uint64_t word = Load<std::uint64_t>(from) >> shift;
  if (b.longest > kOneLoadBits) [[unlikely]] word |= (Load<std::uint8_t>(from + 8) * std::uint64_t{2}) << (63 - shift);
  return word;
}

// No branch depends on the value, so that one get overlaps with the next.
template <class Blocks, class Count, class Cut>
THIMBLE_INLINE std::uint64_t Get(const Blocks& b, std::uint64_t i, Count count, Cut cut) {
  i = std::min(i, b.last);
  const std::uint64_t at = SafeBeginOf(b, i / kBlock), j = i % kBlock;
  __builtin_prefetch(b.data + at + 8 * b.planes + (j * b.mean >> 8));  // most likely the value's line
  const auto [low, high] = PlanesAt(b, at);
  const std::uint64_t below = cut(~std::uint64_t{0}, j);
  const std::uint64_t bit = j * b.widths[0] + count(low & below) * b.steps[0] + count(high & below) * b.steps[1] +
                            count(low & high & below) * b.steps[2];
  return cut(WordAt(b, at + 8 * b.planes, bit), b.widths[(low >> j & 1) | (high >> j & 1) << 1]);
}

std::uint64_t LowBitsOf(std::uint64_t word, std::uint64_t width) { return word & LowBits(static_cast<unsigned>(width)); }

template <class Blocks>
THIMBLE_NOINLINE std::uint64_t GetPortable(const Blocks& b, std::uint64_t i) {
  return Get(b, i, [](std::uint64_t word) { return std::uint64_t{PopCount(word)}; }, LowBitsOf);
}

#if THIMBLE_HAS_AVX2_KERNELS

// All of it for the one target, so that nothing is a call.
template <class Blocks>
THIMBLE_TARGET_AVX2 std::uint64_t GetAvx2(const Blocks& b, std::uint64_t i) {
  return Get(b, i, [](std::uint64_t word) THIMBLE_TARGET_AVX2 { return static_cast<std::uint64_t>(_mm_popcnt_u64(word)); },
             [](std::uint64_t word, std::uint64_t width) THIMBLE_TARGET_AVX2 { return _bzhi_u64(word, static_cast<unsigned>(width)); });
}

#endif

}  // namespace

std::uint64_t SkewedVectorView::operator[](std::uint64_t i) const {
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) return GetAvx2(blocks_, i);
#endif
  return GetPortable(blocks_, i);
}

void SkewedVectorView::Decode(std::uint64_t first, std::span<std::uint64_t> out) const {
  if (first >= size()) return;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - first)));
  std::uint64_t* to = out.data();
  for (std::uint64_t i = first; i < first + out.size();) {
    const std::uint64_t at = SafeBeginOf(blocks_, i / kBlock), begin = i % kBlock;
    const std::uint64_t end = std::min<std::uint64_t>(kBlock, begin + (first + out.size() - i));
    auto [low, high] = PlanesAt(blocks_, at);
    std::uint64_t bit = 0;
    for (std::uint64_t j = 0; j < end; ++j, low >>= 1, high >>= 1) {
      const std::uint64_t width = blocks_.widths[(low & 1) | (high & 1) << 1];
      if (j >= begin) *to++ = LowBitsOf(WordAt(blocks_, at + 8 * blocks_.planes, bit), width);
      bit += width;
    }
    i += end - begin;
  }
}

absl::Status SkewedVectorView::Verify() const {
  std::uint64_t at = 0, base = 0;
  for (std::uint64_t block = 0; block * kBlock < size(); ++block) {
    if (block % kBlocksPerBase == 0) base = at;
    if (Load<std::uint64_t>(blocks_.bases + block / kBlocksPerBase * 8) != base || BeginOf(blocks_, block) != at ||
        at > blocks_.last_planes) {
      return absl::DataLossError("SkewedVector: a block is not where its offset says");
    }
    const auto [low, high] = PlanesAt(blocks_, at);
    const std::uint64_t count = std::min(kBlock, size() - block * kBlock);
    if (((low | high) & ~LowBits(static_cast<unsigned>(count))) != 0) return absl::DataLossError("SkewedVector: classes behind the end");
    const std::uint64_t odd = PopCount(low & ~high), upper = PopCount(high & ~low), both = PopCount(low & high);
    const std::uint64_t bits = (count - odd - upper - both) * blocks_.widths[0] + odd * blocks_.widths[1] + upper * blocks_.widths[2] +
                               both * blocks_.widths[3];
    at += 8 * blocks_.planes + (bits + 7) / 8;
  }
  if (at != blocks_.last_planes + 8 * blocks_.planes) return absl::DataLossError("SkewedVector: blocks of another length");
  return absl::OkStatus();
}

absl::StatusOr<SkewedVector> SkewedVector::Make(std::span<const std::uint64_t> values, Buffer buffer) {
  const Plan plan = BestPlan(values);
  const std::uint64_t data_bytes = DataBytes(values, plan);
  const Places places = PlacesOf(values.size(), data_bytes);
  if (buffer.size() < places.image_bytes) return absl::InvalidArgumentError("SkewedVector: buffer too small");
  ImageHeader header{.kind = kKind, .image_bytes = places.image_bytes, .count = values.size(), .used_bytes = places.image_bytes};
  header.parameters[0] = std::bit_cast<std::uint32_t>(plan.widths) | std::uint64_t{plan.planes} << 32;
  header.parameters[1] = data_bytes;
  header.Write(buffer.bytes());
  std::uint64_t at = 0, base = 0;
  for (std::uint64_t block = 0; block * kBlock < values.size(); ++block) {
    if (block % kBlocksPerBase == 0) Store(buffer.data() + places.bases + block / kBlocksPerBase * 8, base = at);
    Store(buffer.data() + places.offsets + block * 2, static_cast<std::uint16_t>(at - base));
    at = WriteBlock(BlockOf(values, block), plan, buffer.data() + places.data, at);
  }
  THIMBLE_ASSIGN_OR_RETURN(const SkewedVectorView view, ViewOf(buffer));
  return SkewedVector(view, std::move(buffer));
}

SkewedVector SkewedVector::From(std::span<const std::uint64_t> values) { return Make(values, Buffer::Heap(ImageBytes(values))).value(); }

absl::StatusOr<SkewedVector> SkewedVector::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const SkewedVectorView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return SkewedVector(view, std::move(buffer));
}

std::uint64_t SkewedVector::ImageBytes(std::span<const std::uint64_t> values) {
  return PlacesOf(values.size(), DataBytes(values, BestPlan(values))).image_bytes;
}

}  // namespace thimble
