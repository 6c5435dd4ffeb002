#pragma once

#include <cstdint>

namespace thimble::footprint {

// The anonymous part of this process's proportional set size, in bytes: heap and mapped buffers, not the files that it reads.
// Allocates nothing. 0 where the kernel does not tell.
std::int64_t AnonymousPss();

}  // namespace thimble::footprint
