#include "thimble/decimal_vector.h"

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "status_macros.h"

namespace thimble {
namespace {

// Image: header of 64 bytes (count = values, parameters[0] = digits), then the image of the scaled integers.
constexpr std::uint64_t kScaledAt = 64;

std::uint64_t ImageBytesOf(std::uint64_t scaled_bytes) {
  ImageLayout layout(64);
  layout.Add(scaled_bytes, 8, kImageAlignment);
  return layout.image_bytes();
}

// Up to here every integer is a double, and so a quotient by an exact power of ten is the double nearest to the decimal.
constexpr double kMaxScaled = 9007199254740992.0;  // 2^53

constexpr std::array<double, DecimalVectorView::kMaxDigits + 1> kPowers = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

}  // namespace

double PowerOfTen(unsigned digits) { return kPowers[std::min(digits, DecimalVectorView::kMaxDigits)]; }

bool ScaleExactly(double value, unsigned digits, std::int64_t* scaled) {
  const double power = PowerOfTen(digits);
  const double product = std::nearbyint(value * power);
  if (!(std::abs(product) <= kMaxScaled)) return false;  // NaN too
  // The product was rounded itself, from 2^51 on by as much as to a half: the integer may be the one beside.
  for (const int beside : {0, -1, 1}) {
    *scaled = static_cast<std::int64_t>(product) + beside;
    if (std::bit_cast<std::uint64_t>(static_cast<double>(*scaled) / power) == std::bit_cast<std::uint64_t>(value)) return true;
  }
  return false;
}

absl::StatusOr<DecimalVectorView> DecimalVectorView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != 64 || header.parameters[0] > kMaxDigits || header.parameters[1] != 0) {
    return absl::DataLossError("DecimalVector: bad parameters");
  }
  DecimalVectorView view;
  view.image_ = image.first(header.image_bytes);
  THIMBLE_ASSIGN_OR_RETURN(view.scaled_, PackedIntegersView::Open(view.image_.subspan(kScaledAt)));
  if (view.scaled_.size() != header.count || ImageBytesOf(view.scaled_.image().size()) != header.image_bytes) {
    return absl::DataLossError("DecimalVector: integers of another length");
  }
  view.digits_ = static_cast<unsigned>(header.parameters[0]);
  view.power_ = PowerOfTen(view.digits_);
  return view;
}

absl::Status DecimalVectorView::Verify() const { return scaled_.Verify(); }

void DecimalVectorView::Decode(std::uint64_t first, std::span<double> out) const {
  if (first >= size()) return;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - first)));
  std::array<std::uint64_t, 512> block;
  while (!out.empty()) {
    const std::span<std::uint64_t> scaled = std::span(block).first(std::min(out.size(), block.size()));
    scaled_.Decode(first, scaled);
    for (std::size_t i = 0; i < scaled.size(); ++i) out[i] = Unscaled(scaled[i]);
    first += scaled.size();
    out = out.subspan(scaled.size());
  }
}

absl::StatusOr<DecimalVector> DecimalVector::From(std::span<const double> values) {
  // The fewest digits that suit the values one by one; then all of them, since more digits leave less room in front.
  unsigned digits = 0;
  std::int64_t scaled = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    while (!ScaleExactly(values[i], digits, &scaled)) {
      if (++digits > DecimalVectorView::kMaxDigits || std::abs(values[i]) * PowerOfTen(digits) > kMaxScaled || std::isnan(values[i])) {
        return absl::InvalidArgumentError("DecimalVector: value " + std::to_string(i) + " is no short decimal");
      }
    }
  }
  std::vector<std::int64_t> integers(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!ScaleExactly(values[i], digits, &integers[i])) {
      return absl::InvalidArgumentError("DecimalVector: value " + std::to_string(i) + " is too large beside the digits of others");
    }
  }
  PackPlan plan = PackedIntegers::Plan(integers);
  const std::uint64_t image_bytes = ImageBytesOf(plan.image_bytes);
  Buffer buffer = Buffer::Heap(image_bytes);
  ImageHeader header{.kind = DecimalVectorView::kKind, .image_bytes = image_bytes, .count = values.size(), .used_bytes = image_bytes};
  header.parameters[0] = digits;
  header.Write(buffer.bytes());
  THIMBLE_RETURN_IF_ERROR(
      PackedIntegers::Make(integers, std::move(plan), Buffer::Borrow(buffer.bytes().subspan(kScaledAt))).status());
  THIMBLE_ASSIGN_OR_RETURN(DecimalVectorView view, ViewOf(buffer));
  return DecimalVector(std::move(view), std::move(buffer));
}

absl::StatusOr<DecimalVector> DecimalVector::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(DecimalVectorView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return DecimalVector(std::move(view), std::move(buffer));
}

}  // namespace thimble
