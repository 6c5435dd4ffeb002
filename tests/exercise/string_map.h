#pragma once

#include <cstdint>

#include "exercise/string_dictionary.h"
#include "thimble/string_map.h"

namespace thimble {

template <class T>
void Exercise(const StringMapView<T>& view) {
  T last{};
  std::uint64_t sum = view.size() + view.empty() + view.image().size();
  for (const char* key : {"", "key7", "p3", "zz"}) {
    last = view.Find(key).value_or(last);
    sum += view.Contains(key);
  }
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{7}, view.size() - 1, view.size(), ~std::uint64_t{0}}) last = view.Value(id);
  Exercise(view.keys());
  if (view.size() < 2048) view.Verify().IgnoreError();
  asm volatile("" : : "r"(sum), "m"(last));
}

inline void Exercise(const RawStringMapView& view) {
  std::uint64_t sum = view.size() + view.image().size() + view.width();
  Exercise(view.keys());
  if (view.size() < 2048) view.Verify().IgnoreError();
  asm volatile("" : : "r"(sum));
}

}  // namespace thimble
