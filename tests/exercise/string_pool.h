#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "thimble/string_pool.h"

namespace thimble {

inline void Exercise(const StringPoolView& view) {
  std::uint64_t sum = view.size() + view.empty() + view.image().size();
  for (const std::string_view string : {"", "a", "name12", "a string that is not in"}) sum += view.Find(string).value_or(7) + view.Contains(string);
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{9}, view.size() / 2, view.size() - 1, view.size(), ~std::uint64_t{0}}) {
    for (const char c : view[id].substr(0, 64)) sum += static_cast<unsigned char>(c);
  }
  if (view.size() < 2000) view.Verify().IgnoreError();
  asm volatile("" : : "r"(sum));
}

// Calls every mutator.
inline void Mutate(StringPool& pool) {
  for (std::uint64_t i = 0; i < 300; ++i) pool.Add(std::string(i % 40, 's').append(std::to_string(i))).IgnoreError();
}

}  // namespace thimble
