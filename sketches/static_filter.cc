#include "thimble/static_filter.h"

#include <algorithm>
#include <cmath>

#include <status_macros.h>

namespace thimble {
namespace {

constexpr double kWhole = 4294967296.0;

bool RateIsPossible(double rate) { return rate >= 0x1p-48 && rate < 1; }

// A narrow block of b bits gives the rate 2^-b, a wide one half of it; so many are narrow that the mean is the one asked for.
RibbonBuilder::Options RibbonOptions(const StaticFilter::Options& options) {
  RibbonBuilder::Options ribbon{.kind = StaticFilterView::kKind, .seed = options.seed, .threads = options.threads};
  if (!RateIsPossible(options.false_positive_rate)) return ribbon;
  ribbon.bits = static_cast<std::uint32_t>(-std::ilogb(options.false_positive_rate));
  if (std::ldexp(1.0, -static_cast<int>(ribbon.bits)) > options.false_positive_rate) ++ribbon.bits;
  if (const double wide_rate = std::ldexp(1.0, -static_cast<int>(ribbon.bits)); wide_rate < options.false_positive_rate) {
    --ribbon.bits;
    ribbon.narrow_share = static_cast<std::uint64_t>(kWhole * (options.false_positive_rate / wide_rate - 1));
  }
  return ribbon;
}

}  // namespace

absl::StatusOr<StaticFilterView> StaticFilterView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  StaticFilterView view;
  THIMBLE_ASSIGN_OR_RETURN(view.ribbon_, Ribbon::Open(image, header));
  view.seed_ = header.seed;
  view.size_ = header.count;
  return view;
}

double StaticFilterView::FalsePositiveRate() const {
  if (size_ == 0) return 0;
  const double narrow = static_cast<double>(ribbon_.narrow_share) / kWhole;
  return std::ldexp(narrow + (1 - narrow) / 2, -static_cast<int>(ribbon_.bits));
}

StaticFilter::Builder::Builder(const Options& options) : options_(options), ribbon_(RibbonOptions(options)) {}

absl::StatusOr<StaticFilter> StaticFilter::FromImage(Buffer image, std::uint64_t peak_bytes) {
  THIMBLE_ASSIGN_OR_RETURN(const StaticFilterView view, ViewOf(image));
  StaticFilter filter(view, std::move(image));
  filter.peak_bytes_ = peak_bytes;
  return filter;
}

absl::StatusOr<StaticFilter> StaticFilter::Builder::Finish(Buffer buffer) && {
  if (!RateIsPossible(options_.false_positive_rate)) {
    return absl::InvalidArgumentError("a static filter's false_positive_rate must be at least 2^-48 and below 1");
  }
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, ribbon_.Finish(std::move(buffer)));
  return FromImage(std::move(image), ribbon_.peak_bytes());
}

absl::StatusOr<StaticFilter> StaticFilter::FromReplay(Builder& builder, std::uint64_t keys, std::uint64_t scratch_bytes,
                                                      const std::function<void()>& replay, Buffer buffer) {
  if (!RateIsPossible(builder.options_.false_positive_rate)) {
    return absl::InvalidArgumentError("a static filter's false_positive_rate must be at least 2^-48 and below 1");
  }
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, builder.ribbon_.Replay(keys, scratch_bytes, replay, std::move(buffer)));
  return FromImage(std::move(image), builder.ribbon_.peak_bytes());
}

absl::StatusOr<StaticFilter> StaticFilter::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const StaticFilterView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return StaticFilter(view, std::move(buffer));
}

Stats StaticFilter::stats() const {
  return {.live_bytes = image().size(), .slack_bytes = buffer().size() - image().size(), .peak_bytes = std::max<std::uint64_t>(peak_bytes_, image().size())};
}

}  // namespace thimble
