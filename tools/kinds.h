#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/interval.h"
#include "thimble/kind.h"

namespace thimble::tools {

// What an image holds, and the fewest bits that any structure could hold it in. The image's own bits come on top of what the
// bound leaves out: indexes, headers, room to grow.
struct Contents {
  std::uint64_t elements = 0;
  std::optional<double> bound_bits;  // for each element; none where the content has no such bound
  std::optional<Interval> distinct{};  // of a sketch: how many distinct keys were added, in 95 of 100 cases between the bounds
};

// What `thimble stat` and `thimble verify` know of a kind.
struct KindEntry {
  Kind kind;
  // Opens the image as its kind, and verifies all of it.
  absl::Status (*verify)(std::span<const std::byte> image);
  absl::StatusOr<Contents> (*contents)(std::span<const std::byte> image);
};

// Null for a kind that the tools do not know.
const KindEntry* FindKind(Kind kind);

}  // namespace thimble::tools
