#pragma once

#include <cstddef>
#include <cstdint>

namespace thimble::internal {

// to[i] = max(to[i], from[i]) for n bytes.
void MaxBytes(std::uint8_t* to, const std::uint8_t* from, std::size_t n);

}  // namespace thimble::internal
