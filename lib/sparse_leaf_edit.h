#pragma once

// How a leaf of a sparse tree is changed where it stands. See sparse_leaf.h for what it looks like.

#include <cstddef>
#include <cstdint>

#include "sparse_leaf.h"

namespace thimble::sparse {

enum class Change { kDone, kNothing, kNoRoom };

// Adds a key in place. kNothing: it was there, and now has this value. kNoRoom: nothing changed.
Change InsertInLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key, std::uint64_t value);
// Removes a key in place. kNothing: it was not there. kNoRoom: cutting a run in two does not fit.
Change EraseFromLeaf(std::byte* page, std::size_t bytes, unsigned value_bits, std::uint64_t key);

// Bits in use, the header included, of a leaf that may have room left.
std::uint64_t UsedBits(const Leaf& leaf);

// Whether the content is right: as many keys as promised, ascending, none beyond 64 bits.
bool VerifyLeaf(const Leaf& leaf);

}  // namespace thimble::sparse
