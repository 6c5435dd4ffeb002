#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace thimble {

// Reads a sequence of T in every way that all of them have: Get, Decode, iteration, Verify. Bounded, whatever size() says.
template <class T, std::size_t kDecoded = 150, class View>
T ExerciseValues(const View& view) {
  const std::uint64_t n = view.size();
  T sum = static_cast<T>(view.image().size() + (view.empty() ? 1 : 0));
  for (const std::uint64_t i : {std::uint64_t{0}, n / 3, n / 2, n - 99, n - 1, n, n + 1, ~std::uint64_t{0}}) {
    std::array<T, kDecoded> values;
    view.Decode(i, values);
    sum += static_cast<T>(view[i]);
  }
  std::uint64_t budget = 1000;
  for (const auto value : view) {
    sum += static_cast<T>(value);
    if (--budget == 0) break;
  }
  view.Verify().IgnoreError();
  return sum;
}

}  // namespace thimble
