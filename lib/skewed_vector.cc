#include "thimble/skewed_vector.h"

#include <bit>

#include "rank_kernel.h"
#include "status_macros.h"

namespace thimble {
namespace {

constexpr unsigned kMaxLevels = SkewedVectorView::kMaxLevels;

// Image: header of 64 bytes (count = values, parameters[0] = the levels' widths, a byte each, lowest first), then for each
// level its parts and, but for the last, an image of a BitVector: which of its values go on.
using Widths = std::array<std::uint8_t, 8>;  // 0 behind the last level

// How many values have at least so many bits; [0] and [1] count all, since 0 takes a bit too.
using Lengths = std::array<std::uint64_t, 66>;

Lengths LengthsOf(std::span<const std::uint64_t> values) {
  Lengths lengths{};
  for (const std::uint64_t value : values) ++lengths[static_cast<std::size_t>(std::bit_width(value | 1))];
  for (std::size_t bits = 64; bits-- > 0;) lengths[bits] += lengths[bits + 1];
  return lengths;
}

// Adds the parts of a level of `size` values, and its marks unless it is the last; returns where they begin.
struct LevelPlace {
  std::uint64_t parts, more;
};
LevelPlace AddLevel(ImageLayout& layout, std::uint64_t size, unsigned width, bool last) {
  LevelPlace place{};
  place.parts = layout.Add(size, width);
  layout.Add(kImageSlack, 8);
  if (!last) place.more = layout.Add(BitVector::ImageBytes(size), 8, kImageAlignment);
  return place;
}

std::uint64_t ImageBytesOf(const Lengths& lengths, const Widths& widths) {
  ImageLayout layout(64);
  unsigned from = 0;
  for (unsigned level = 0; widths[level] > 0; ++level) {
    AddLevel(layout, lengths[from + 1], widths[level], widths[level + 1] == 0);
    from += widths[level];
  }
  return layout.image_bytes();
}

// A get pays a rank and a mispredicted branch for each level that it enters, so a level more must save this share of the image.
constexpr std::uint64_t kLevelSaves = 20;  // 1 / 20

// Tries every cut of the longest value into at most kMaxLevels parts: 64^3 / 6 sums at worst.
Widths BestWidths(const Lengths& lengths) {
  unsigned longest = 64;
  while (longest > 1 && lengths[longest] == 0) --longest;
  std::array<Widths, kMaxLevels> best{};  // of 1, 2, ... levels
  std::array<std::uint64_t, kMaxLevels> best_bytes;
  best_bytes.fill(ImageLayout::kTooLarge);
  const auto try_all = [&](const auto& self, Widths widths, unsigned level, unsigned from) -> void {
    widths[level] = static_cast<std::uint8_t>(longest - from);
    if (const std::uint64_t bytes = ImageBytesOf(lengths, widths); bytes < best_bytes[level]) {
      best[level] = widths;
      best_bytes[level] = bytes;
    }
    for (unsigned width = 1; from + width < longest && level + 1 < kMaxLevels; ++width) {
      widths[level] = static_cast<std::uint8_t>(width);
      self(self, widths, level + 1, from + width);
    }
  };
  try_all(try_all, Widths{}, 0, 0);
  std::size_t chosen = 0;
  for (std::size_t level = 1; level < kMaxLevels; ++level) {
    if (best_bytes[level] < best_bytes[chosen] - best_bytes[chosen] / kLevelSaves * (level - chosen)) chosen = level;
  }
  return best[chosen];
}

absl::Status Build(std::span<const std::uint64_t> values, const Buffer& buffer) {
  const Lengths lengths = LengthsOf(values);
  const Widths widths = BestWidths(lengths);
  const std::uint64_t image_bytes = ImageBytesOf(lengths, widths);
  if (buffer.size() < image_bytes) return absl::InvalidArgumentError("SkewedVector: buffer too small");
  ImageHeader header{.kind = SkewedVectorView::kKind, .image_bytes = image_bytes, .count = values.size(), .used_bytes = image_bytes};
  header.parameters[0] = std::bit_cast<std::uint64_t>(widths);
  header.Write(buffer.bytes());

  ImageLayout layout(64);
  unsigned from = 0;
  for (unsigned level = 0; widths[level] > 0; ++level) {
    const unsigned width = widths[level];
    const bool last = widths[level + 1] == 0;
    const std::uint64_t size = lengths[from + 1];
    const LevelPlace place = AddLevel(layout, size, width, last);
    BitVector::Builder more;
    if (!last) more = BitVector::Builder(size, Buffer::Borrow(buffer.bytes().subspan(place.more)));
    std::uint64_t i = 0;
    for (const std::uint64_t value : values) {
      if (level > 0 && value >> from == 0) continue;
      const std::uint64_t part = value >> from;
      WriteBits(buffer.data() + place.parts, i * width, width, part);
      if (!last && part >> width != 0) more.Set(i);
      ++i;
    }
    if (!last) THIMBLE_RETURN_IF_ERROR(std::move(more).Finish().status());
    from += width;
  }
  return absl::OkStatus();
}

// A Decode works on so many values at once: their places fit beside them on the stack.
constexpr std::size_t kBatch = 512;

}  // namespace

absl::StatusOr<SkewedVectorView> SkewedVectorView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const auto widths = std::bit_cast<Widths>(header.parameters[0]);
  unsigned count = 0, bits = 0;
  while (count < widths.size() && widths[count] > 0) bits += widths[count++];
  const bool tail = count < widths.size() && header.parameters[0] >> (8 * count) != 0;
  if (header.header_bytes != 64 || count < 1 || count > kMaxLevels || bits > 64 || tail || header.parameters[1] != 0) {
    return absl::DataLossError("SkewedVector: bad parameters");
  }
  SkewedVectorView view;
  view.image_ = image.first(header.image_bytes);
  view.level_count_ = count;
  ImageLayout layout(64);
  std::uint64_t size = header.count;
  for (unsigned i = 0; i < count; ++i) {
    const bool last = i + 1 == count;
    const LevelPlace place = AddLevel(layout, size, widths[i], last);
    if (layout.image_bytes() > header.image_bytes) return absl::DataLossError("SkewedVector: levels longer than the image");
    Level& level = view.levels_[i];
    level.parts = image.data() + place.parts;
    level.part_bytes = static_cast<std::size_t>(RoundUp((size * widths[i] + 7) / 8, 8) + kImageSlack);
    level.size = size;
    level.last = size == 0 ? 0 : size - 1;
    level.width = widths[i];
    if (last) break;
    THIMBLE_ASSIGN_OR_RETURN(level.more, BitVectorView::Open(view.image_.subspan(place.more)));
    level.marks = level.more.image().data() + kBitsAt;
    level.counts = level.more.image().data() + CountsAt(size);
    if (level.more.size() != size) return absl::DataLossError("SkewedVector: marks of another length");
    size = level.more.ones();
  }
  if (layout.image_bytes() != header.image_bytes) return absl::DataLossError("SkewedVector: image of another length");
  return view;
}

absl::Status SkewedVectorView::Verify() const {
  for (unsigned i = 0; i + 1 < level_count_; ++i) THIMBLE_RETURN_IF_ERROR(levels_[i].more.Verify());
  return absl::OkStatus();
}

namespace {

template <class Level, class Rank>
inline __attribute__((always_inline)) std::uint64_t Get(const Level* level, unsigned levels, std::uint64_t i, Rank rank) {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (;; ++level) {
    i = std::min(i, level->last);
    value |= ReadBits(level->parts, i * level->width, level->width) << shift;
    if (--levels == 0 || (Load<std::uint8_t>(level->marks + i / 8) >> (i % 8) & 1) == 0) return value;
    shift += level->width;
    i = rank(*level, i);
  }
}

#if THIMBLE_HAS_AVX2_KERNELS

const bool has_avx2 = ActiveCpuLevel() == CpuLevel::kAvx2;  // false while statics initialize: slower, not wrong

// All of it for the one target, so that nothing is a call.
template <class Level>
THIMBLE_TARGET_AVX2 std::uint64_t GetAvx2(const Level* level, unsigned levels, std::uint64_t i) {
  return Get(level, levels, i, [](const Level& at, std::uint64_t place) THIMBLE_TARGET_AVX2 { return RankAvx2(at.marks, at.counts, place); });
}

#endif

}  // namespace

std::uint64_t SkewedVectorView::operator[](std::uint64_t i) const {
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) return GetAvx2(levels_.data(), level_count_, i);
#endif
  return Get(levels_.data(), level_count_, i, [](const Level& at, std::uint64_t place) { return at.more.Rank1(place); });
}

void SkewedVectorView::DecodeLevel(unsigned at, std::uint64_t first, std::span<std::uint64_t> out) const {
  const Level& level = levels_[at];
  if (level.size < out.size() || first > level.size - out.size()) return;  // damaged ranks
  UnpackBits({level.parts, level.part_bytes}, level.width, first, out);
  if (at + 1 == level_count_) return;
  std::array<std::uint16_t, kBatch> places;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < out.size();) {  // a word of marks at a time
    const auto shift = static_cast<unsigned>((first + begin) % 64);
    const std::size_t bits = std::min<std::size_t>(64 - shift, out.size() - begin);
    std::uint64_t word = level.more.Word((first + begin) / 64) >> shift & LowBits(static_cast<unsigned>(bits));
    for (; word != 0; word &= word - 1) places[count++] = static_cast<std::uint16_t>(begin + static_cast<unsigned>(std::countr_zero(word)));
    begin += bits;
  }
  if (count == 0) return;
  std::array<std::uint64_t, kBatch> rest{};
  DecodeLevel(at + 1, level.more.Rank1(first), std::span(rest).first(count));
  for (std::size_t i = 0; i < count; ++i) out[places[i]] |= rest[i] << level.width;
}

void SkewedVectorView::Decode(std::uint64_t first, std::span<std::uint64_t> out) const {
  if (first >= size()) return;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - first)));
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kBatch);
    DecodeLevel(0, first, out.first(count));
    first += count;
    out = out.subspan(count);
  }
}

absl::StatusOr<SkewedVector> SkewedVector::Make(std::span<const std::uint64_t> values, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(Build(values, buffer));
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
  const Lengths lengths = LengthsOf(values);
  return ImageBytesOf(lengths, BestWidths(lengths));
}

}  // namespace thimble
