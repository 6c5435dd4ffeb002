#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "thimble/footprint.h"

namespace thimble {

// What one structure would cost, built from the container's values. The figures are those of `thimble report`.
struct ComparedStructure {
  std::string structure;
  std::string family;  // "naive", "thimble" or "sketch"
  bool exact = true;
  std::uint64_t stored = 0;  // values that it holds; distinct ones, where it keeps no duplicates
  std::int64_t heap_bytes = 0;
  std::int64_t peak_bytes = 0;
  double build_seconds = 0;
  std::optional<double> lookup_ns;
  std::optional<double> promised_error, measured_error;
  // Of bytes per element, where only a sample was built: heap_bytes and build_seconds are then predictions, and lookup_ns is
  // the sample's.
  std::optional<std::pair<double, double>> predicted;
  std::string failure;  // empty, or why there are no figures
};

// The elements of a sequence or a set; the keys, or the values, of a map.
struct ComparedColumn {
  std::string name;  // "elements", "keys" or "values"
  std::uint64_t elements = 0;
  std::uint64_t distinct = 0;
  std::vector<ComparedStructure> structures;
};

struct Comparison {
  std::uint64_t container_bytes = 0;  // what the container costs now: FootprintOf
  std::vector<ComparedColumn> columns;
};

struct CompareOptions {
  std::uint64_t memory_limit = 0;       // bytes of heap for each structure; 0 for none
  std::uint64_t sample = 1 << 20;       // values of a larger container that are built, to predict the rest; 0 for all
  unsigned at_once = 2;                 // structures built at the same time
  double seconds = 55;                  // in all; a structure that is not done by then says so
  std::vector<std::string> structures;  // parts of names; all when empty
};

namespace internal {

// Takes the values of one column, one after another, where they lie.
class LiveColumn {
 public:
  virtual ~LiveColumn() = default;
  virtual void Add(std::string_view value) = 0;
  virtual void Add(std::int64_t value) = 0;
  virtual void Add(double value) = 0;
};

template <class T>
void AddLive(const T& value, LiveColumn& column) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    column.Add(std::string_view(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    column.Add(static_cast<double>(value));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    column.Add(static_cast<std::int64_t>(value));
  } else {
    static_assert(std::is_trivially_copyable_v<T>, "Compare takes strings, numbers and structs that are their bytes");
    column.Add(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
}

template <class Container>
constexpr bool IsMap() {
  return requires { typename Container::mapped_type; };
}

template <class Container>
void ListValues(const Container& container, std::span<LiveColumn* const> columns) {
  if constexpr (IsMap<Container>()) {
    for (const auto& [key, value] : container) {
      AddLive(key, *columns[0]);
      AddLive(value, *columns[1]);
    }
  } else {
    for (const typename Container::value_type& value : container) AddLive(value, *columns[0]);
  }
}

// A container as its children see it, without its type.
struct LiveContainer {
  std::uint64_t size;
  std::vector<std::string> columns;
  std::function<void(std::span<LiveColumn* const>)> list;
  std::function<std::uint64_t()> footprint;
};

absl::StatusOr<Comparison> CompareLive(const LiveContainer& container, const CompareOptions& options);

}  // namespace internal

// Shows what a live container's data would cost in every structure that thimble knows: a report from within a running
// service that has no file to show.
//
//   for (const ComparedStructure& s : thimble::Compare(ages)->columns[0].structures) Log(s.structure, s.heap_bytes);
//
// It takes the std and Abseil sequences, sets and maps of strings, numbers and trivially copyable structs. The process
// forks; the children read the container as it was at that moment, and build everything in memory of their own, what is
// quickly built first. Of a large container a sample is built, a quarter and a sixteenth of it, and every figure predicted
// with an interval, within 3 % mostly.
//
// Space    none that stays; while it runs, the machine needs the two largest structures' peaks, 100 bytes for each value that
//          is sampled, and what the process itself writes to in the meantime
// Time     a pass over the container, and half the sum of all builds: about ten seconds a million strings of the sample;
//          options.seconds at most
// Threads  the container must not change until Compare has forked, which is at once; hold its lock to be sure
// Errors   kAborted if the children cannot be started, or died; kFailedPrecondition if the static library was not linked whole,
//          as its pkg-config file does
template <class Container>
absl::StatusOr<Comparison> Compare(const Container& container, const CompareOptions& options = {}) {
  const internal::LiveContainer live = {
      .size = static_cast<std::uint64_t>(std::distance(container.begin(), container.end())),
      .columns = internal::IsMap<Container>() ? std::vector<std::string>{"keys", "values"} : std::vector<std::string>{"elements"},
      .list = [&](std::span<internal::LiveColumn* const> columns) { internal::ListValues(container, columns); },
      .footprint = [&] { return FootprintOf(container); }};
  return internal::CompareLive(live, options);
}

}  // namespace thimble
