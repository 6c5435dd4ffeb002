#include "thimble/static_map.h"

#include <algorithm>

#include <status_macros.h>

namespace thimble {

absl::StatusOr<StaticMapView> StaticMapView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  StaticMapView view;
  THIMBLE_ASSIGN_OR_RETURN(view.ribbon_, Ribbon::Open(image, header));
  view.seed_ = header.seed;
  view.size_ = header.count;
  return view;
}

StaticMap::Builder::Builder(const Options& options)
    : options_(options),
      ribbon_({.kind = kKind, .seed = options.seed, .bits = options.value_bits, .has_values = true, .threads = options.threads}) {}

absl::StatusOr<StaticMap> StaticMap::Builder::Finish(Buffer buffer) && {
  if (options_.value_bits < 1 || options_.value_bits > Ribbon::kMaxBits) {
    return absl::InvalidArgumentError("a static map's value_bits must be 1 to 64");
  }
  if ((all_bits_ & ~LowBits(options_.value_bits)) != 0) return absl::InvalidArgumentError("a value has more than value_bits bits");
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, ribbon_.Finish(std::move(buffer)));
  THIMBLE_ASSIGN_OR_RETURN(const StaticMapView view, ViewOf(image));
  StaticMap map(view, std::move(image));
  map.peak_bytes_ = ribbon_.peak_bytes();
  return map;
}

absl::StatusOr<StaticMap> StaticMap::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const StaticMapView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return StaticMap(view, std::move(buffer));
}

Stats StaticMap::stats() const {
  return {.live_bytes = image().size(), .slack_bytes = buffer().size() - image().size(), .peak_bytes = std::max<std::uint64_t>(peak_bytes_, image().size())};
}

}  // namespace thimble
