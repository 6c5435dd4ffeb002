#include "structure.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <absl/strings/str_cat.h>

#include "thimble/hash.h"

namespace thimble::footprint {
namespace {

std::vector<Structure>& Registry() {
  static std::vector<Structure> registry;
  return registry;
}

}  // namespace

std::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kNaive: return "naive";
    case Family::kThimble: return "thimble";
    case Family::kSketch: return "sketch";
  }
  return "";
}

// What can be asked for the i-th value keeps duplicates, and so does what can be asked for nothing.
Holds WhatHolds(const Structure& structure) {
  const bool all = (structure.jobs & kIdToValue) != 0 || (structure.jobs == kNoJob && structure.family != Family::kSketch);
  return all ? Holds::kAll : Holds::kDistinct;
}

const std::vector<Structure>& Structures() { return Registry(); }

Registered::Registered(Structure structure, std::unique_ptr<Candidate> (*make)()) {
  structure.make = make;
  std::vector<Structure>& all = Registry();
  const auto before = [](const Structure& a, const Structure& b) { return std::tie(a.family, a.name) < std::tie(b.family, b.name); };
  all.insert(std::upper_bound(all.begin(), all.end(), structure, before), std::move(structure));
}

std::string AbsentText(std::uint64_t i) { return absl::StrCat("absent \x01", Hash64(i, 0xAB5E)); }

// Beyond the range of any ordinary column, and spread over what lies there.
std::int64_t AbsentInteger(std::uint64_t i) {
  return static_cast<std::int64_t>((Hash64(i, 0xAB5E) >> 2) | (std::uint64_t{1} << 62));
}

}  // namespace thimble::footprint
