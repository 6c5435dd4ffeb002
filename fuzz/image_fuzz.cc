// Opens the input as an image of one kind, and calls every const method; where an owner opens it, every mutator. Built once
// a kind, with the view's class, the owner's and the header of its exercise defined on the command line.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include THIMBLE_FUZZ_EXERCISE

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using View = thimble::THIMBLE_FUZZ_VIEW;
  // A heap block of exactly this size, so that the sanitizer sees the first byte read past it.
  thimble::Buffer image = thimble::Buffer::Copy({reinterpret_cast<const std::byte*>(data), size});
  if (size >= 64) {
    // What every kind checks alike is set right, so that the kind's own checks are what is tried.
    thimble::Store(image.data(), thimble::ImageHeader::kMagic);
    thimble::Store(image.data() + 4, View::kKind);
    thimble::Store(image.data() + 8, std::uint64_t{size / 8 * 8});
  }
  if (const absl::StatusOr<View> view = View::Open(image.bytes()); view.ok()) thimble::Exercise(*view);
#ifdef THIMBLE_FUZZ_OWNER
  if (absl::StatusOr<thimble::THIMBLE_FUZZ_OWNER> owner = thimble::THIMBLE_FUZZ_OWNER::Open(std::move(image)); owner.ok()) {
    thimble::Mutate(*owner);
    thimble::Exercise(owner->view());
  }
#endif
  return 0;
}
