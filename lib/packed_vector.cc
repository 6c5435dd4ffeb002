#include "thimble/packed_vector.h"

#include <bit>
#include <cassert>

#include "status_macros.h"

namespace thimble {
namespace {

// Header of 64 bytes: count = values, parameters[0] = width. Payload: the values, end to end.
ImageHeader HeaderOf(unsigned width, std::uint64_t count, std::uint64_t image_bytes) {
  return {.kind = PackedVectorView::kKind,
          .image_bytes = image_bytes,
          .count = count,
          .used_bytes = PackedVector::ImageBytes({.width = width, .size = count}),
          .parameters = {width}};
}

bool AllZero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

template <class T>
unsigned WidthOf(std::span<const T> values) {
  T all = 1;
  for (const T value : values) all |= value;
  return static_cast<unsigned>(std::bit_width(all));
}

template <class T>
std::span<T> Within(std::span<T> out, std::uint64_t first, std::uint64_t size) {
  return out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - std::min(first, size))));
}

}  // namespace

absl::StatusOr<PackedVectorView> PackedVectorView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t width = header.parameters[0];
  if (header.header_bytes != kHeaderBytes || width < 1 || width > 64 || header.parameters[1] != 0) {
    return absl::DataLossError("PackedVector: bad parameters");
  }
  ImageLayout layout(kHeaderBytes);
  layout.Add(header.count, width);
  if (layout.image_bytes() > header.image_bytes) return absl::DataLossError("PackedVector: more values than the image holds");
  PackedVectorView view;
  view.image_ = image.first(header.image_bytes);
  view.values_ = image.data() + (header.count == 0 ? 0 : kHeaderBytes);
  view.size_ = header.count;
  view.last_ = header.count == 0 ? 0 : header.count - 1;
  view.width_ = static_cast<unsigned>(width);
  return view;
}

absl::Status PackedVectorView::Verify() const {
  const std::uint64_t end = size_ * width_;
  const unsigned partial = static_cast<unsigned>(end % 8);
  const bool clean = partial == 0 || Load<std::uint8_t>(values_ + end / 8) >> partial == 0;
  if (!clean || !AllZero(image_.subspan(kHeaderBytes + (end + 7) / 8))) {
    return absl::DataLossError("PackedVector: bits behind the last value");
  }
  return absl::OkStatus();
}

void PackedVectorView::Decode(std::uint64_t first, std::span<std::uint32_t> out) const {
  UnpackBits(image_.subspan(kHeaderBytes), width_, first, Within(out, first, size_));
}

void PackedVectorView::Decode(std::uint64_t first, std::span<std::uint64_t> out) const {
  UnpackBits(image_.subspan(kHeaderBytes), width_, first, Within(out, first, size_));
}

std::uint64_t PackedVector::ImageBytes(const Options& options) {
  ImageLayout layout(kHeaderBytes);
  layout.Add(std::max(options.size, options.capacity), options.width);
  return layout.image_bytes();
}

absl::StatusOr<PackedVector> PackedVector::Make(const Options& options) {
  if (ImageBytes(options) == ImageLayout::kTooLarge) return absl::InvalidArgumentError("PackedVector: larger than memory");
  if (options.width > 64) return Make(options, Buffer());
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<PackedVector> PackedVector::Make(const Options& options, Buffer buffer) {
  if (options.width < 1 || options.width > 64) return absl::InvalidArgumentError("PackedVector: a width is 1 to 64 bits");
  const std::uint64_t image_bytes = ImageBytes(options);
  if (buffer.size() < image_bytes) return absl::InvalidArgumentError("PackedVector: buffer too small");
  HeaderOf(options.width, options.size, image_bytes).Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const PackedVectorView view, ViewOf(buffer));
  return PackedVector(view, std::move(buffer));
}

PackedVector::PackedVector(const Options& options) : PackedVector(Make(options).value()) {}

absl::StatusOr<PackedVector> PackedVector::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const PackedVectorView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return PackedVector(view, std::move(buffer));
}

template <class T>
void PackedVector::Fill(std::span<const T> values) {
  std::uint64_t at = 0;
  for (const T value : values) {
    WriteBits(data() + kHeaderBytes, at, width_, value);
    at += width_;
  }
}

PackedVector PackedVector::From(std::span<const std::uint64_t> values) {
  PackedVector packed({.width = WidthOf(values), .size = values.size()});
  packed.Fill(values);
  return packed;
}

PackedVector PackedVector::From(std::span<const std::uint32_t> values) {
  PackedVector packed({.width = WidthOf(values), .size = values.size()});
  packed.Fill(values);
  return packed;
}

absl::StatusOr<PackedVector> PackedVector::From(std::span<const std::uint64_t> values, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(PackedVector packed, Make({.width = WidthOf(values), .size = values.size()}, std::move(buffer)));
  std::memset(packed.data() + kHeaderBytes, 0, packed.image().size() - kHeaderBytes);
  packed.Fill(values);
  return packed;
}

void PackedVector::Set(std::uint64_t i, std::uint64_t value) {
  assert(i < size() && value <= LowBits(width()));
  if (i < size()) WriteBits(data() + kHeaderBytes, i * width(), width(), value);
}

absl::Status PackedVector::Append(std::uint64_t value) {
  if (value > LowBits(width_)) return absl::OutOfRangeError("packed vector: the value does not fit its width");
  if (size_ == capacity()) THIMBLE_RETURN_IF_ERROR(Reserve(size_ + 1));
  WriteBits(data() + kHeaderBytes, size_ * width_, width_, value);
  last_ = size_++;
  WriteHeader(image_.size());
  return absl::OkStatus();
}

absl::Status PackedVector::Reserve(std::uint64_t count) {
  const std::uint64_t needed = ImageBytes({.width = width_, .size = count});
  const std::uint64_t image_bytes = RoundUp(needed + std::max<std::uint64_t>(needed / 8, 64), 8);
  THIMBLE_RETURN_IF_ERROR(buffer().Grow(image_bytes));
  WriteHeader(image_bytes);
  return absl::OkStatus();
}

void PackedVector::WriteHeader(std::uint64_t image_bytes) {
  HeaderOf(width_, size_, image_bytes).Write(buffer().bytes());
  image_ = buffer().bytes().first(image_bytes);
  values_ = image_.data() + (size_ == 0 ? 0 : kHeaderBytes);
}

void PackedVector::ShrinkToFit() { WriteHeader(ImageBytes({.width = width_, .size = size_})); }

Stats PackedVector::stats() const {
  const std::uint64_t used = ImageBytes({.width = width(), .size = size()});
  return {.live_bytes = used, .slack_bytes = buffer().size() - used, .peak_bytes = buffer().size()};
}

}  // namespace thimble
