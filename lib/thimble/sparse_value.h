#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "thimble/bytes.h"

namespace thimble {

// What a SparseArray may hold: up to 8 bytes that mean the same wherever they lie.
template <class T>
concept SparseValue = std::is_trivially_copyable_v<T> && std::equality_comparable<T> && sizeof(T) <= 8;

template <SparseValue T>
std::uint64_t SparseBits(const T& value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

// The same, a signed integer extended to all 64: a wider type reads the same number.
template <SparseValue T>
std::uint64_t SparseExtendedBits(const T& value) {
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  return SparseBits(value);
}

// The value that the low `width` bits stand for; a signed one keeps its sign. Requires: 0 < width <= 64.
template <SparseValue T>
T SparseValueOf(std::uint64_t bits, unsigned width) {
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
    bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << (64 - width)) >> (64 - width));
  }
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Whether two values are one. Numbers are by their bits: -0.0 is not 0.0, and a NaN is itself.
template <SparseValue T>
bool SparseSame(const T& a, const T& b) {
  if constexpr (std::is_arithmetic_v<T>) {
    return SparseBits(a) == SparseBits(b);
  } else {
    return a == b;
  }
}

// Whether the low `width` bits are all of the value.
template <SparseValue T>
bool SparseValueFits(const T& value, unsigned width) {
  return SparseSame(SparseValueOf<T>(SparseBits(value) & LowBits(width), width), value);
}

}  // namespace thimble
