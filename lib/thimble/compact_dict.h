#pragma once

#include "thimble/raw_compact_dict.h"
#include "thimble/typed_map.h"

namespace thimble {

// A map that keeps the order of insertion, in the way of CPython's compact dict: the entries stand one after another, and an
// index of packed slots (a fingerprint byte and an entry's number) leads to them. Keys are integers or strings, values
// anything trivially copyable.
//
//   CompactDict<std::string, std::uint64_t> count;
//   for (std::string_view word : words) {
//     if (auto place = count.try_emplace(word); place.ok()) place->Set(place->value() + 1);
//   }
//   for (auto [word, n] : count) std::cout << word << ' ' << n << '\n';
//
// Each member says what it does in <thimble/typed_map.h>. What an operation ends:
//
//                           iterators, string views, places    other views
//   Find, FindMany, ...     -                                  -
//   try_emplace, Set        all, when the key is new           all, when the key is new
//   Place::Set              -                                  -
//   erase                   all                                all
//   Clear                   all                                all
//
// Space    u64 -> u64: 16 bytes an entry + 4.4 to 4.8; strings add a length byte (two from 64 bytes on). Peak while it
//          grows = what it holds, from 1 MiB on. Erased entries stay until they are an eighth of the live bytes
// Time     Find two cache misses: a line of the index, the entry; of an absent key one. try_emplace amortized O(1): the index
//          is refilled at each 1/13 of growth
// Threads  const methods are safe together; writers need exclusion
// Errors   the buffer's, when it cannot grow: nothing has changed then
// Paper    Hettinger, "More compact dictionaries with faster iteration", python-dev 2012
template <MapKey Key, MapValue Value>
using CompactDictView = TypedMapView<RawCompactDictView, Key, Value>;
template <MapKey Key, MapValue Value>
using CompactDict = TypedMap<RawCompactDict, CompactDictView<Key, Value>, Key, Value>;

// A set that keeps the order of insertion.
template <MapKey Key>
using CompactDictSet = CompactDict<Key, void>;

}  // namespace thimble
