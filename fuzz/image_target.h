#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "targets.h"
#include "thimble/buffer.h"
#include "thimble/image.h"

namespace thimble::fuzz {

// Opens the input as an image of one kind, and calls every const method; where an owner opens it, every mutator. Exercise and
// Mutate of the kind are found in tests/exercise.
template <typename View, typename Owner = void>
void FuzzImage(Bytes bytes) {
  // A heap block of exactly this size, so that the sanitizer sees the first byte read past it.
  Buffer image = Buffer::Copy(bytes);
  if (bytes.size() >= 64) {
    // What every kind checks alike is set right, so that the kind's own checks are what is tried.
    Store(image.data(), ImageHeader::kMagic);
    Store(image.data() + 4, View::kKind);
    Store(image.data() + 8, std::uint64_t{bytes.size() / 8 * 8});
  }
  if (const absl::StatusOr<View> view = View::Open(image.bytes()); view.ok()) Exercise(*view);
  if constexpr (!std::is_void_v<Owner>) {
    if (absl::StatusOr<Owner> owner = Owner::Open(std::move(image)); owner.ok()) {
      Mutate(*owner);
      Exercise(owner->view());
    }
  }
}

}  // namespace thimble::fuzz
