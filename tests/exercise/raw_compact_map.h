#pragma once

#include <array>
#include <cstdint>

#include "thimble/raw_compact_map.h"

namespace thimble {

// Calls every const method, with keys that are there and odd ones.
inline void Exercise(const RawCompactMapView& view) {
  (void)view.image();
  (void)view.size();
  (void)view.empty();
  (void)view.seed();
  (void)view.slots();
  (void)view.key_bytes();
  (void)view.Verify();
  std::uint64_t sum = 0;
  const auto read = [&](const std::byte* value) {
    for (std::uint32_t b = 0; value != nullptr && b < view.value_bytes(); ++b) sum += static_cast<std::uint8_t>(value[b]);
  };
  RawCompactMapView::Entry entry;
  for (int i = 0; i < 50 && view.Next(entry); ++i) {
    read(entry.value);
    read(view.Find(entry.integer));
  }
  const std::array<std::uint64_t, 4> keys = {0, 1, 77, ~std::uint64_t{0}};
  std::array<const std::byte*, 4> values;
  view.FindMany(keys, values);
  for (const std::byte* value : values) read(value);
  volatile std::uint64_t keep = sum;
  (void)keep;
}

// Calls every mutator.
inline void Mutate(RawCompactMap& map) {
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * map.key_bytes());
  for (std::uint64_t i = 0; i < 500; ++i) map.Insert(i * 0x9e3779b97f4a7c15 & mask).IgnoreError();
  for (std::uint64_t i = 0; i < 600; i += 2) (void)map.Erase(i * 0x9e3779b97f4a7c15 & mask);
  map.Clear();
  map.Insert(1).IgnoreError();
}

}  // namespace thimble
