#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "thimble/string_store.h"

namespace thimble {

inline void Exercise(const StringStoreView& view) {
  (void)view.Verify();
  // A hostile image may say that a string is huge: one buffer serves, and only so large.
  if (view.empty() || view.max_string_bytes() > (1 << 20)) return;
  std::string buffer;
  std::uint64_t bytes = view.payload_bytes();
  for (const std::uint64_t i : {std::uint64_t{0}, view.size() / 2, view.size() - 1}) bytes += view.Get(i, buffer).size();
  bytes += view[0].size();
  view.Scan(0, std::min<std::uint64_t>(view.size(), 200), [&](std::string_view string) { bytes += string.size(); });
  asm volatile("" : : "r"(bytes));
}

}  // namespace thimble
