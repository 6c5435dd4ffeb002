#pragma once

// How leaves of a sparse tree are planned and written. See sparse_leaf.h for what they look like.

#include <cstddef>
#include <cstdint>

#include "sparse_entries.h"

namespace thimble::sparse {

// The codec that holds the most of a sequence.
struct LeafPlan {
  Codec codec = kEmpty;
  std::uint8_t width = 0, length_width = 0;
  std::size_t runs = 0;          // runs of the entries that it takes
  std::uint64_t bits = 0;        // what they need, the header included
  // A bitmap that fills its page ends at a word, if need be within a run, so that no word belongs to two leaves: it takes
  // the first keys of the run behind its own, which are cut from it.
  Run tail{0, 0};
  std::uint64_t tail_keys = 0;
  std::uint64_t end = 0;  // where a bitmap that fills its page must end; 0 for others
};

// Plans one leaf for entries from run `from` on, and cuts its tail off them: within `bits`, or in `bitmap_bits` where a bitmap does it (which needs no
// room to grow). Requires: from < entries.size(); it takes one run at least.
LeafPlan PlanLeaf(Entries& entries, std::size_t from, std::uint64_t bits, std::uint64_t bitmap_bits);

// The smallest key that may stand in the leaf behind the planned one, whose own first key is `next`.
inline std::uint64_t Separator(const LeafPlan& plan, std::uint64_t next) { return plan.end != 0 && plan.end < next ? plan.end : next; }

// Writes the leaf to a page of `bytes`, with room for keys up to `last_possible`. Returns the bytes that it uses when it
// needs no room (`tight`), and `bytes` otherwise.
std::size_t WriteLeaf(const LeafPlan& plan, const Entries& entries, std::size_t from, std::uint64_t last_possible, bool tight,
                      std::byte* page, std::size_t bytes);

}  // namespace thimble::sparse
