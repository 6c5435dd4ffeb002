#pragma once

#include <cstdint>
#include <string_view>

#include "thimble/static_map.h"

namespace thimble {

// Calls every const method, whatever the image holds.
inline void Exercise(const StaticMapView& view) {
  (void)view.Verify();
  (void)view.bits_per_key();
  (void)view.Find(std::string_view("thimble"));
  std::uint64_t hashes[40], values[40];
  for (std::uint64_t i = 0; i < 40; ++i) hashes[i] = i < 5 ? i : i < 10 ? ~i : i * 0x9E3779B97F4A7C15u;
  for (std::uint64_t hash : hashes) (void)view.FindHash(hash);
  view.FindMany(hashes, values);
}

}  // namespace thimble
