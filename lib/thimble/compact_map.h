#pragma once

#include "thimble/raw_compact_map.h"
#include "thimble/typed_map.h"

namespace thimble {

// The smallest exact map with integer keys, in no order: a key's place says part of the key, and only the rest is stored.
// Values are anything trivially copyable.
//
//   CompactMap<std::uint64_t, std::uint32_t> owner_of;
//   owner_of.Set(id, owner);
//   if (auto owner = owner_of.Find(id)) ...
//   for (auto [id, owner] : owner_of) ...
//
// Each member says what it does in <thimble/typed_map.h>. What an operation ends:
//
//                           iterators, places                  other views
//   Find, FindMany, ...     -                                  -
//   try_emplace, Set        all, when the key is new           all, when the key is new
//   Place::Set              -                                  -
//   erase, Clear            all                                all
//
// Space    (key bits - log2(n / 58) + 1 + value bits) / 0.90 to 0.95, / 0.83 below 1 MiB; u64 -> u64, n = 10 M: 14.9 to 15.7 bytes an entry.
//          At least one block of 7 entries. Peak while it grows = what it holds, from 1 MiB on
// Time     Find one block of tags, then one entry; try_emplace amortized O(1): all entries move at each 1/20 of growth, at each 1/8 below 1 MiB
// Threads  const methods are safe together; writers need exclusion
// Errors   the buffer's, when it cannot grow: nothing has changed then. Keys chosen against the seed make it slow, not wrong
// Paper    Cleary, "Compact Hash Tables Using Bidirectional Linear Probing", IEEE Trans. Computers 1984
template <std::integral Key, MapValue Value>
using CompactMapView = TypedMapView<RawCompactMapView, Key, Value>;
template <std::integral Key, MapValue Value>
using CompactMap = TypedMap<RawCompactMap, CompactMapView<Key, Value>, Key, Value>;

template <std::integral Key>
using CompactSet = CompactMap<Key, void>;

}  // namespace thimble
