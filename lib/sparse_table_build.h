#pragma once

#include "thimble/buffer.h"
#include "thimble/sparse_array_view.h"

namespace thimble {

// Given the packed tree of these pairs, writes a table over it if that is no more than 1/32 larger; returns what stands in the
// buffer then.
Buffer TableIfAsSmall(const SparsePairsView& pairs, Buffer tree);

}  // namespace thimble
