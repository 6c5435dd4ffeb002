#pragma once

// How a structure enters the report. One file in structures/ holds one structure, and registers itself; add its name to
// tools/footprint/meson.build, and every report, saved file and comparison has it:
//
//   class StringStoreCandidate final : public Candidate {
//    public:
//     absl::Status Build(const Column& column) override {      // counted and timed: what a user would write
//       StringStore::Builder builder;
//       for (std::uint64_t i = 0; i < column.size(); ++i) builder.Add(column.text(i));
//       ...
//     }
//     std::uint64_t stored() const override { return store_->size(); }
//     std::uint64_t LookUp(const Probes& probes) const override {   // timed: one lookup a probe
//       std::uint64_t sum = 0;
//       for (std::uint64_t id : probes.ids) sum += (*store_)[id].size();
//       return sum;
//     }
//     std::span<const std::byte> image() const override { return store_->image(); }
//   };
//
//   const Registered string_store({.name = "StringStore", .family = Family::kThimble, .fits = kText, .jobs = kIdToValue},
//                                 Make<StringStoreCandidate>);
//
// A candidate lives in a forked child of its own. Its heap is counted from before it is made to after Build; what Build keeps
// counts, what it frees shows in the peak. One file may register a structure several times, with other options each.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>

#include "column.h"

namespace thimble::footprint {

enum class Family { kNaive, kThimble, kSketch };

// "naive", "thimble" or "sketch".
std::string_view FamilyName(Family family);

// What a structure can be asked; a structure that only iterates, or only estimates, has none.
enum Job : unsigned {
  kNoJob = 0,
  kMembership = 1,  // is this value there?
  kIdToValue = 2,   // which value is the i-th?
  kKeyToId = 4,     // which number has this value?
};

// Random values of the column, to look up: all four are filled as the type has them, and equally long. Every one is present.
struct Probes {
  std::vector<std::uint64_t> ids;
  std::vector<std::string> texts;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;

  template <class T>
  const std::vector<T>& keys() const {
    if constexpr (std::is_same_v<T, std::string>) {
      return texts;
    } else if constexpr (std::is_same_v<T, double>) {
      return reals;
    } else {
      return integers;
    }
  }
};

// An approximate structure's error, as a fraction: a false-positive rate, or a relative error of an estimate.
struct ErrorRate {
  double promised = 0;
  double measured = 0;
};

// One structure built over one column.
class Candidate {
 public:
  virtual ~Candidate() = default;

  // Fills the structure, growing it as a user would who does not know the size, unless the structure asks for it. Called
  // once. An error becomes the row's failure; so do exceptions.
  virtual absl::Status Build(const Column& column) = 0;
  // How many values it holds: the distinct ones, where it keeps no duplicates. Bytes per element divide by this.
  virtual std::uint64_t stored() const = 0;
  // Answers one question a probe, of the structure's first job: a key for kKeyToId and kMembership, an id for kIdToValue.
  // Returns anything that depends on every answer. Not called for a structure without jobs.
  virtual std::uint64_t LookUp(const Probes&) const { return 0; }
  // Approximate structures: its error on this column. AbsentText and AbsentInteger are values that the column lacks.
  virtual std::optional<ErrorRate> error(const Column&) const { return std::nullopt; }
  // The bytes that `thimble report --save` keeps; empty for what is no image.
  virtual std::span<const std::byte> image() const { return {}; }
};

// How bytes per element go on from a sample to the whole: by a law of its size, or as its learning from the values does, which
// ends when it has learned as much as it may.
enum class Growth { kSmooth, kLearned };

struct Structure {
  std::string name;  // as a user writes it, at most 42 characters
  Family family = Family::kNaive;
  bool exact = true;
  unsigned fits = 0;  // ColumnTypes, or-ed
  unsigned jobs = 0;  // Jobs, or-ed
  Growth growth = Growth::kSmooth;
  std::unique_ptr<Candidate> (*make)() = nullptr;
};

// What a structure holds: every value, or the distinct ones.
enum class Holds { kAll, kDistinct };
Holds WhatHolds(const Structure& structure);

// Every registered structure, naive ones first, then by name.
const std::vector<Structure>& Structures();

// Adds a structure when the program starts.
class Registered {
 public:
  Registered(Structure structure, std::unique_ptr<Candidate> (*make)());
};

// A candidate's maker, for Registered.
template <std::derived_from<Candidate> C>
std::unique_ptr<Candidate> Make() {
  return std::make_unique<C>();
}

// Values that no column holds in practice, for measuring false positives: the i-th of them, the same in every run.
std::string AbsentText(std::uint64_t i);
std::int64_t AbsentInteger(std::uint64_t i);

}  // namespace thimble::footprint
