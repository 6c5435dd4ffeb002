#include "thimble/elias_fano.h"

#include <algorithm>
#include <array>
#include <bit>

#include "status_macros.h"

namespace thimble {
namespace {

// Image: header of 64 bytes (count = values, parameters[0] = max, [1] = width of the low parts), low parts, then the high
// parts as an image of a BitVector.
struct EliasFanoLayout {
  std::uint64_t low, high, high_bits, image_bytes;

  EliasFanoLayout(std::uint64_t size, std::uint64_t max, unsigned low_width) {
    high_bits = size + (max >> low_width) + 1;
    const std::uint64_t high_bytes = high_bits < size ? ImageLayout::kTooLarge : BitVector::ImageBytes(high_bits);
    ImageLayout layout(64);
    low = layout.Add(size, low_width);
    layout.Add(kImageSlack, 8);  // of the low parts
    high = layout.Add(high_bytes, 8, kImageAlignment);
    image_bytes = layout.image_bytes();
  }
};

// A bit more below halves the number of zeros above; the best width is at log2(max / size) or beside it.
unsigned BestLowWidth(std::uint64_t size, std::uint64_t max) {
  const std::uint64_t quotient = max / std::max<std::uint64_t>(size, 1);
  const unsigned middle = quotient == 0 ? 0 : static_cast<unsigned>(std::bit_width(quotient)) - 1;
  const auto bytes = [&](unsigned width) { return EliasFanoLayout(size, max, width).image_bytes; };
  unsigned best = middle;
  if (middle > 0 && bytes(middle - 1) < bytes(best)) best = middle - 1;
  if (middle < 63 && bytes(middle + 1) < bytes(best)) best = middle + 1;
  return best;
}

// A bucket is what shares its high part. So many of its values are looked at one by one before halving begins.
constexpr std::uint64_t kLinear = 8;

}  // namespace

absl::StatusOr<EliasFanoView> EliasFanoView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t max = header.parameters[0];
  if (header.header_bytes != 64 || header.parameters[1] > 63) return absl::DataLossError("EliasFano: bad parameters");
  const auto low_width = static_cast<unsigned>(header.parameters[1]);
  const EliasFanoLayout layout(header.count, max, low_width);
  if (layout.image_bytes != header.image_bytes) return absl::DataLossError("EliasFano: image of another length");
  EliasFanoView view;
  view.image_ = image.first(header.image_bytes);
  view.low_ = view.image_.subspan(layout.low, layout.high - layout.low);
  view.low_width_ = low_width;
  view.size_ = header.count;
  view.max_ = max;
  THIMBLE_ASSIGN_OR_RETURN(view.high_, BitVectorView::Open(view.image_.subspan(layout.high)));
  if (view.high_.size() != layout.high_bits || view.high_.ones() != header.count) {
    return absl::DataLossError("EliasFano: high parts of another length");
  }
  return view;
}

absl::Status EliasFanoView::Verify() const {
  THIMBLE_RETURN_IF_ERROR(high_.Verify());
  std::uint64_t previous = 0;
  for (const std::uint64_t value : *this) {
    if (value < previous || value > max_) return absl::DataLossError("EliasFano: values out of order");
    previous = value;
  }
  return absl::OkStatus();
}

std::uint64_t EliasFanoView::operator[](std::uint64_t i) const {
  if (i >= size_) return max_;
  return Value(i, high_.Select1(i));
}

std::pair<std::uint64_t, std::uint64_t> EliasFanoView::Pair(std::uint64_t i) const {
  if (i >= size_ || i + 1 == size_) return {(*this)[i], max_};
  const std::uint64_t place = high_.Select1(i);
  return {Value(i, place), Value(i + 1, high_.NextOne(place + 1))};
}

std::uint64_t EliasFanoView::LowerBound(std::uint64_t x) const {
  if (size_ == 0 || x > max_) return size_;
  const std::uint64_t high = x >> low_width_;
  const std::uint64_t low = x & LowBits(low_width_);
  std::uint64_t place = high == 0 ? 0 : high_.Select0(high - 1) + 1;
  std::uint64_t i = std::min(place - high, size_);
  for (std::uint64_t looked = 0; looked < kLinear; ++looked, ++i, ++place) {
    if (i >= size_ || !high_[place] || Low(i) >= low) return i;
  }
  std::uint64_t end = std::clamp(high_.Select0(high) - high, i, size_);  // values in front of the next bucket
  while (i < end) {
    const std::uint64_t middle = i + (end - i) / 2;
    if (Low(middle) < low) {
      i = middle + 1;
    } else {
      end = middle;
    }
  }
  return i;
}

void EliasFanoView::Decode(std::uint64_t first, std::span<std::uint64_t> out) const {
  if (first >= size_) return;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - first)));
  if (out.empty()) return;
  if (low_width_ > 0) {
    UnpackBits(low_, low_width_, first, out);
  } else {
    std::fill(out.begin(), out.end(), 0);
  }
  const std::uint64_t place = high_.Select1(first);
  std::uint64_t word_at = place / 64;
  std::uint64_t word = high_.Word(word_at) & ~LowBits(static_cast<unsigned>(place % 64));
  for (std::size_t i = 0; i < out.size(); ++i) {
    while (word == 0) {
      if (++word_at > high_.size() / 64) return;
      word = high_.Word(word_at);
    }
    const std::uint64_t one = word_at * 64 + static_cast<unsigned>(std::countr_zero(word));
    out[i] |= (one - first - i) << low_width_;
    word &= word - 1;
  }
}

std::uint64_t EliasFano::ImageBytes(const Options& options) {
  return EliasFanoLayout(options.size, options.max, BestLowWidth(options.size, options.max)).image_bytes;
}

absl::StatusOr<EliasFano> EliasFano::From(std::span<const std::uint64_t> values) {
  Builder builder({.size = values.size(), .max = values.empty() ? 0 : values.back()});
  for (const std::uint64_t value : values) builder.Add(value);
  return std::move(builder).Finish();
}

absl::StatusOr<EliasFano> EliasFano::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const EliasFanoView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return EliasFano(view, std::move(buffer));
}

EliasFano::Builder::Builder(const Options& options)
    : Builder(options, ImageBytes(options) == ImageLayout::kTooLarge ? Buffer() : Buffer::Heap(ImageBytes(options))) {}

EliasFano::Builder::Builder(const Options& options, Buffer buffer) : options_(options), buffer_(std::move(buffer)) {
  broken_ = ImageBytes(options) > buffer_.size();
  if (broken_) return;
  low_width_ = BestLowWidth(options.size, options.max);
  const EliasFanoLayout layout(options.size, options.max, low_width_);
  low_ = buffer_.data() + layout.low;
  high_ = BitVector::Builder(layout.high_bits, Buffer::Borrow(buffer_.bytes().subspan(layout.high)));
}

void EliasFano::Builder::Add(std::uint64_t value) {
  broken_ |= value < previous_ || value > options_.max || count_ == options_.size;
  if (broken_) return;
  WriteBits(low_, count_ * low_width_, low_width_, value);
  high_.Set((value >> low_width_) + count_);
  previous_ = value;
  ++count_;
}

absl::StatusOr<EliasFano> EliasFano::Builder::Finish() && {
  if (broken_ || count_ != options_.size) {
    return absl::InvalidArgumentError("EliasFano: values that do not ascend to max, another number of them, or a buffer too small");
  }
  ImageHeader header{.kind = kKind, .image_bytes = ImageBytes(options_), .count = count_, .used_bytes = ImageBytes(options_)};
  header.parameters = {options_.max, low_width_};
  header.Write(buffer_.bytes());
  THIMBLE_RETURN_IF_ERROR(std::move(high_).Finish().status());
  THIMBLE_ASSIGN_OR_RETURN(const EliasFanoView view, ViewOf(buffer_));
  return EliasFano(view, std::move(buffer_));
}

}  // namespace thimble
