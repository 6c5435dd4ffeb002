#pragma once

// The ways in which a sequence of integers is read, as functions to be timed. Containers are captured as references, as a
// member would be reached.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "compare.h"

namespace thimble::bench {

// Adds up what stands at every index.
template <class Container>
std::function<void()> Gets(const Container& container, const std::vector<std::uint32_t>& indices) {
  return [&container, &indices] {
    std::uint64_t sum = 0;
    for (const std::uint32_t i : indices) sum += container[i];
    Keep(sum);
  };
}

// Adds up the first `count` values in order.
template <class Container>
std::function<void()> Iterates(const Container& container, std::size_t count) {
  return [&container, count] {
    std::uint64_t sum = 0;
    auto it = container.begin();
    for (std::size_t i = 0; i < count; ++i, ++it) sum += *it;
    Keep(sum);
  };
}

}  // namespace thimble::bench
