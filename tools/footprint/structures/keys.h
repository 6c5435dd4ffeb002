#pragma once

// What filters and sketches share: they take any column, as text or as integers (floats as their bits).

#include <bit>
#include <cstdint>
#include <string_view>

#include "structure.h"

namespace thimble::footprint {

inline constexpr unsigned kAnyValue = kText | kInteger | kReal | kBoolean | kDate;

// Calls function(key) for every value of the column: std::string_view or std::int64_t.
template <class Function>
void ForEachKey(const Column& column, Function function) {
  for (std::uint64_t i = 0; i < column.size(); ++i) {
    switch (column.type()) {
      case kText: function(column.text(i)); break;
      case kReal: function(std::bit_cast<std::int64_t>(column.real(i))); break;
      default: function(column.integer(i)); break;
    }
  }
}

// The same for the probes.
template <class Function>
void ForEachKey(const Probes& probes, Function function) {
  for (const double real : probes.reals) function(std::bit_cast<std::int64_t>(real));
  for (const std::int64_t integer : probes.integers) function(integer);
  if (!probes.integers.empty()) return;  // dates are text too
  for (const std::string& text : probes.texts) function(std::string_view(text));
}

// The share of absent keys that contains(key) takes for present ones; at 1 % the standard error is 0.02 %.
template <class Contains>
double FalsePositiveRate(const Column& column, Contains contains) {
  constexpr std::uint64_t kAbsent = 250000;
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < kAbsent; ++i) {
    found += column.type() == kText ? contains(std::string_view(AbsentText(i))) : contains(AbsentInteger(i));
  }
  return static_cast<double>(found) / static_cast<double>(kAbsent);
}

}  // namespace thimble::footprint
