#pragma once

#include <cstdint>
#include <string>

#include "exercise/string_dictionary.h"
#include "exercise/string_store.h"
#include "thimble/string_column.h"

namespace thimble {

inline void Exercise(const StringColumnView& view) {
  std::uint64_t sum = view.size() + view.empty() + view.coded() + view.image().size();
  if (view.coded()) {
    Exercise(view.strings());
    sum += view.CodeOf("SFO").value_or(1) + view.codes().size();
    if (view.strings().max_key_bytes() > 4096) return;
  }
  if (!view.empty() && (view.coded() || view.size() < 100)) {
    std::string buffer;
    for (const std::uint64_t i : {std::uint64_t{0}, view.size() / 2, view.size() - 1}) sum += view.Get(i, buffer).size();
    sum += view[0].size();
  }
  if (view.size() < 4096) view.Verify().IgnoreError();
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
