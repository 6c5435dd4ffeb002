#include "thimble/frame_vector.h"

#include <array>
#include <bit>
#include <vector>

#include "status_macros.h"

namespace thimble {
namespace {

// Image: header of 128 bytes (count = values, parameters as in Plan), a frame a block, values.
struct Plan {
  unsigned block_shift = 0;
  unsigned base_width = 0;       // of (base - least)
  unsigned start_width = 0;      // of the sum of the widths of the blocks in front: a block begins at that times its size
  std::uint64_t least = 0;       // smallest base
  std::uint64_t value_bits = 0;  // of all blocks

  std::array<std::uint64_t, ImageHeader::kMaxParameters> Parameters() const {
    return {block_shift, base_width, start_width, least, value_bits};
  }
};

constexpr unsigned kWidthBits = 7;
constexpr unsigned kSmallestShift = 5;
constexpr unsigned kLargestShift = 62;

std::uint64_t Blocks(std::uint64_t size, unsigned shift) { return size == 0 ? 1 : ((size - 1) >> shift) + 1; }

struct FrameVectorLayout {
  std::uint64_t frames, values, image_bytes;

  FrameVectorLayout(std::uint64_t size, const Plan& plan) {
    ImageLayout layout(128);
    frames = layout.Add(Blocks(size, plan.block_shift), plan.base_width + plan.start_width + kWidthBits);
    layout.Add(kImageSlack, 8);  // of the frames: read as packed fields too
    values = layout.Add(plan.value_bits, 1);
    layout.Add(kImageSlack, 8);  // a clamped read begins at the end
    image_bytes = layout.image_bytes();
  }
};

// The order of T decides which value of a block is its base; all else is arithmetic modulo 2^64.
template <class T>
struct Range {
  T least, most;
  std::uint64_t span() const { return static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least); }
  unsigned width() const { return static_cast<unsigned>(std::bit_width(span())); }
};

template <class T>
std::vector<Range<T>> RangesOf(std::span<const T> values, unsigned shift) {
  std::vector<Range<T>> ranges;
  ranges.reserve(static_cast<std::size_t>(Blocks(values.size(), shift)));
  for (std::size_t begin = 0; begin < values.size(); begin += std::size_t{1} << shift) {
    const std::span<const T> block = values.subspan(begin, std::min(values.size() - begin, std::size_t{1} << shift));
    const auto [least, most] = std::minmax_element(block.begin(), block.end());
    ranges.push_back({*least, *most});
  }
  if (ranges.empty()) ranges.push_back({0, 0});
  return ranges;
}

// Ranges of blocks twice as large.
template <class T>
void Merge(std::vector<Range<T>>& ranges) {
  for (std::size_t i = 0; i < ranges.size(); i += 2) {
    const Range<T>& right = ranges[std::min(i + 1, ranges.size() - 1)];
    ranges[i / 2] = {std::min(ranges[i].least, right.least), std::max(ranges[i].most, right.most)};
  }
  ranges.resize((ranges.size() + 1) / 2);
}

template <class T>
Plan PlanOf(std::span<const Range<T>> ranges, std::uint64_t size, unsigned shift) {
  Plan plan{.block_shift = shift};
  T least = ranges.front().least;
  T most = least;
  std::uint64_t widths = 0;
  for (const Range<T>& range : ranges) {
    least = std::min(least, range.least);
    most = std::max(most, range.least);
    widths += range.width();
  }
  const unsigned last = ranges.back().width();
  const std::uint64_t in_last = size - ((ranges.size() - 1) << shift);
  plan.least = static_cast<std::uint64_t>(least);
  plan.base_width = Range<T>{least, most}.width();
  plan.start_width = static_cast<unsigned>(std::bit_width(widths - last));
  plan.value_bits = ((widths - last) << shift) + in_last * last;
  return plan;
}

template <class T>
Plan BestPlan(std::span<const T> values) {
  std::vector<Range<T>> ranges = RangesOf(values, kSmallestShift);
  Plan best = PlanOf<T>(ranges, values.size(), kSmallestShift);
  for (unsigned shift = kSmallestShift + 1; ranges.size() > 1; ++shift) {
    Merge(ranges);
    const Plan plan = PlanOf<T>(ranges, values.size(), shift);
    if (FrameVectorLayout(values.size(), plan).image_bytes <= FrameVectorLayout(values.size(), best).image_bytes) best = plan;
  }
  return best;
}

template <class T>
absl::Status Build(std::span<const T> values, const Plan& plan, const Buffer& buffer) {
  const FrameVectorLayout layout(values.size(), plan);
  if (buffer.size() < layout.image_bytes) return absl::InvalidArgumentError("FrameVector: buffer too small");
  const ImageHeader header{.kind = FrameVectorView::kKind,
                           .header_bytes = 128,
                           .image_bytes = layout.image_bytes,
                           .count = values.size(),
                           .used_bytes = layout.image_bytes,
                           .parameters = plan.Parameters()};
  header.Write(buffer.bytes());
  std::byte* frames = buffer.data() + layout.frames;
  std::byte* packed = buffer.data() + layout.values;
  std::uint64_t widths = 0, frame_at = 0, value_at = 0;
  std::size_t next = 0;
  for (const Range<T>& range : RangesOf(values, plan.block_shift)) {
    const auto base = static_cast<std::uint64_t>(range.least);
    WriteBits(frames, frame_at, plan.base_width, base - plan.least);
    WriteBits(frames, frame_at + plan.base_width, plan.start_width, widths);
    WriteBits(frames, frame_at + plan.base_width + plan.start_width, kWidthBits, range.width());
    frame_at += plan.base_width + plan.start_width + kWidthBits;
    widths += range.width();
    const std::size_t end = std::min<std::uint64_t>(values.size(), next + (std::uint64_t{1} << plan.block_shift));
    for (; next < end; ++next, value_at += range.width()) {
      WriteBits(packed, value_at, range.width(), static_cast<std::uint64_t>(values[next]) - base);
    }
  }
  return absl::OkStatus();
}

template <class T>
absl::StatusOr<FrameVectorView> BuildIn(std::span<const T> values, const Plan& plan, const Buffer& buffer) {
  THIMBLE_RETURN_IF_ERROR(Build(values, plan, buffer));
  return FrameVectorView::Open(buffer.bytes());
}

}  // namespace

absl::StatusOr<FrameVectorView> FrameVectorView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const auto& parameters = header.parameters;
  if (header.header_bytes != 128 || parameters[0] < kSmallestShift || parameters[0] > kLargestShift || parameters[1] > 64 ||
      parameters[2] > 64) {
    return absl::DataLossError("FrameVector: bad parameters");
  }
  const Plan plan{.block_shift = static_cast<unsigned>(parameters[0]),
                  .base_width = static_cast<unsigned>(parameters[1]),
                  .start_width = static_cast<unsigned>(parameters[2]),
                  .least = parameters[3],
                  .value_bits = parameters[4]};
  const FrameVectorLayout layout(header.count, plan);
  if (layout.image_bytes != header.image_bytes) return absl::DataLossError("FrameVector: image of another length");
  FrameVectorView view;
  view.image_ = image.first(header.image_bytes);
  view.frames_ = image.data() + layout.frames;
  view.values_ = image.data() + layout.values;
  view.size_ = header.count;
  view.last_ = header.count == 0 ? 0 : header.count - 1;
  view.least_ = plan.least;
  view.value_bits_ = plan.value_bits;
  view.block_shift_ = plan.block_shift;
  view.base_width_ = plan.base_width;
  view.start_width_ = plan.start_width;
  return view;
}

absl::Status FrameVectorView::Verify() const {
  std::uint64_t at = 0;
  for (std::uint64_t block = 0; block < Blocks(size_, block_shift_); ++block) {
    const Frame frame = FrameOf(block);
    if (StoredWidth(block) > 64) return absl::DataLossError("FrameVector: a block of more than 64 bits a value");
    if (frame.start != at) return absl::DataLossError("FrameVector: a block begins where none ends");
    at += std::min(block_size(), size_ - std::min(size_, block << block_shift_)) * frame.width;
  }
  if (at != value_bits_) return absl::DataLossError("FrameVector: blocks of another length than the values");
  return absl::OkStatus();
}

void FrameVectorView::Decode(std::uint64_t first, std::span<std::uint64_t> out) const {
  if (first >= size_) return;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - first)));
  const std::uint64_t value_bytes = (value_bits_ + 7) / 8 + kImageSlack;
  while (!out.empty()) {
    const std::uint64_t in_block = first & (block_size() - 1);
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), block_size() - in_block));
    const Frame frame = FrameOf(first >> block_shift_);
    const std::span<std::uint64_t> values = out.first(count);
    const std::uint64_t room = value_bits_ - std::min(frame.start, value_bits_);
    if (frame.start > value_bits_ || (frame.width > 0 && in_block + count > room / frame.width)) {  // a damaged frame
      for (std::size_t i = 0; i < count; ++i) values[i] = (*this)[first + i];
    } else {
      UnpackBits({values_ + frame.start / 8, static_cast<std::size_t>(value_bytes - frame.start / 8)}, frame.width, in_block, values);
      for (std::uint64_t& value : values) value += frame.base;
    }
    first += count;
    out = out.subspan(count);
  }
}

absl::StatusOr<FrameVector> FrameVector::Make(std::span<const std::uint64_t> values, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const FrameVectorView view, BuildIn(values, BestPlan(values), buffer));
  return FrameVector(view, std::move(buffer));
}

absl::StatusOr<FrameVector> FrameVector::Make(std::span<const std::int64_t> values, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const FrameVectorView view, BuildIn(values, BestPlan(values), buffer));
  return FrameVector(view, std::move(buffer));
}

FrameVector FrameVector::From(std::span<const std::uint64_t> values) { return Make(values, Buffer::Heap(ImageBytes(values))).value(); }
FrameVector FrameVector::From(std::span<const std::int64_t> values) { return Make(values, Buffer::Heap(ImageBytes(values))).value(); }

absl::StatusOr<FrameVector> FrameVector::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const FrameVectorView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return FrameVector(view, std::move(buffer));
}

std::uint64_t FrameVector::ImageBytes(std::span<const std::uint64_t> values) {
  return FrameVectorLayout(values.size(), BestPlan(values)).image_bytes;
}

std::uint64_t FrameVector::ImageBytes(std::span<const std::int64_t> values) {
  return FrameVectorLayout(values.size(), BestPlan(values)).image_bytes;
}

}  // namespace thimble
