#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "thimble/buffer.h"
#include "thimble/image.h"

namespace thimble {

// Where an owner's bytes go. live + slack + garbage is what it holds now.
struct Stats {
  std::uint64_t live_bytes = 0;     // serve the elements held: header, payload, index
  std::uint64_t slack_bytes = 0;    // reserved for elements to come
  std::uint64_t garbage_bytes = 0;  // left by erased elements, until they are reused
  std::uint64_t peak_bytes = 0;     // the most that it ever held, while growing or rebuilding
};

// An owner is a view that also holds the writable bytes under it; everything that reads comes from the view.
//
//   class BloomFilter : public Owner<BloomFilterView> { ... Add ... };
//
// It moves and does not copy; a moved-from owner may be destroyed or assigned to, nothing else. To copy one:
// X::Open(Buffer::Copy(x.image())).
template <class View>
class Owner : public View {
 public:
  // Every owner converts to its view; this names the conversion. The view ends where the owner ends, or where a mutator
  // that may grow says so.
  View view() const { return *this; }

 protected:
  Owner(View view, Buffer buffer) : View(std::move(view)), buffer_(std::move(buffer)) {}
  Owner(Owner&&) noexcept = default;
  Owner& operator=(Owner&&) noexcept = default;
  ~Owner() = default;

  // Builds over a buffer that already holds an image: what every X::Make ends with, and X::Open(Buffer) after Verify.
  static absl::StatusOr<View> ViewOf(const Buffer& buffer) { return View::Open(buffer.bytes()); }

  std::byte* data() const { return buffer_.data(); }
  Buffer& buffer() { return buffer_; }
  const Buffer& buffer() const { return buffer_; }

 private:
  Buffer buffer_;
};

}  // namespace thimble
