#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace thimble {

// Images are little-endian, and are read as they lie.
static_assert(std::endian::native == std::endian::little, "thimble needs a little-endian machine");

// Reads a T from bytes that need no alignment: one load instruction.
template <class T>
  requires std::is_trivially_copyable_v<T>
inline T Load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Writes a T to bytes that need no alignment.
template <class T>
  requires std::is_trivially_copyable_v<T>
inline void Store(std::byte* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
}

// The bytes of a run of objects, or of characters.
template <class T>
  requires std::is_trivially_copyable_v<T>
inline std::span<const std::byte> BytesOf(const T* data, std::size_t size) {
  return std::as_bytes(std::span<const T>(data, size));
}

// Whether the text lies in the run, so that it moves or is overwritten when the run grows.
inline bool LiesIn(std::string_view text, std::span<const std::byte> run) {
  const auto at = reinterpret_cast<std::uintptr_t>(text.data()), begin = reinterpret_cast<std::uintptr_t>(run.data());
  return at >= begin && at - begin < run.size();
}

// Smallest multiple of `unit` (a power of two) that is not below `value`. Requires: no overflow.
constexpr std::uint64_t RoundUp(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) & ~(unit - 1); }

// A word whose low `bits` bits are set. Requires: bits <= 64.
constexpr std::uint64_t LowBits(unsigned bits) { return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

}  // namespace thimble
