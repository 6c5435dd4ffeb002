#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "thimble/raw_compact_dict.h"

namespace thimble {

// Calls every const method, with keys that are there and odd ones.
inline void Exercise(const RawCompactDictView& view) {
  (void)view.image();
  (void)view.size();
  (void)view.empty();
  (void)view.key_bytes();
  (void)view.value_bytes();
  (void)view.seed();
  (void)view.Verify();
  RawCompactDictView::Entry entry;
  std::uint64_t sum = 0;
  for (int i = 0; i < 50 && view.Next(entry); ++i) {
    for (std::uint32_t b = 0; b < view.value_bytes(); ++b) sum += static_cast<std::uint8_t>(entry.value[b]);
    if (const std::byte* value = view.has_string_keys() ? view.Find(entry.text) : view.Find(entry.integer)) {
      for (std::uint32_t b = 0; b < view.value_bytes(); ++b) sum += static_cast<std::uint8_t>(value[b]);
    }
  }
  // The widths of the integers in the tests; a typed map asks for its own only.
  const auto find_sized = [&](std::uint64_t key) {
    if (view.key_bytes() != 8 || view.value_bytes() != 4) return;
    if (const std::byte* value = view.FindSized<8, 4>(key)) sum += static_cast<std::uint8_t>(value[0]) + static_cast<std::uint8_t>(value[3]);
  };
  const std::array<std::uint64_t, 4> integers = {0, 1, 77, ~std::uint64_t{0}};
  const std::array<std::string_view, 4> strings = {"", "a", "key 7", "a longer string that is in no test"};
  std::array<const std::byte*, 4> values;
  for (const std::uint64_t key : integers) find_sized(key);
  entry = {};
  for (int i = 0; i < 50 && view.Next(entry); ++i) find_sized(entry.integer);
  view.FindMany(integers, values);
  for (const std::byte* value : values) sum += value != nullptr && view.value_bytes() > 0 ? static_cast<std::uint8_t>(*value) : 0;
  view.FindMany(strings, values);
  for (const std::byte* value : values) sum += value != nullptr && view.value_bytes() > 0 ? static_cast<std::uint8_t>(*value) : 0;
  volatile std::uint64_t keep = sum;
  (void)keep;
}

// Calls every mutator.
inline void Mutate(RawCompactDict& dict) {
  const auto key = [](std::uint64_t i) { return std::string(i % 30, 'k').append(std::to_string(i)); };
  for (std::uint64_t i = 0; i < 300; ++i) dict.key_bytes() > 0 ? dict.Insert(i).IgnoreError() : dict.Insert(key(i)).IgnoreError();
  for (std::uint64_t i = 0; i < 400; i += 2) (void)(dict.key_bytes() > 0 ? dict.Erase(i) : dict.Erase(key(i)));
  dict.Clear();
  dict.key_bytes() > 0 ? dict.Insert(1).IgnoreError() : dict.Insert(key(1)).IgnoreError();
}

}  // namespace thimble
