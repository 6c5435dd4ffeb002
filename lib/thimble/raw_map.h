#pragma once

#include <cstddef>
#include <cstdint>

namespace thimble {

// What RawCompactDict and RawCompactMap, which TypedMap stands on, are made with and what they hand out.
struct RawMapOptions {
  static constexpr std::uint32_t kMaxValueBytes = 65535;

  std::uint32_t key_bytes = 8;    // 1 to 8 for integer keys, 0 for strings
  std::uint32_t value_bytes = 8;  // at most kMaxValueBytes
  std::uint64_t seed = 0;
};

// What Insert found or made. `value` ends with the next Insert or Erase.
struct RawMapSlot {
  std::byte* value;
  bool inserted;  // then the value is zero
};

}  // namespace thimble
