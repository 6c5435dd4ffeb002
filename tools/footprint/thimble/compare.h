#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
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
  unsigned at_once = 2;                 // structures built at the same time
  double seconds = 55;                  // in all; a structure that is not done by then says so
  std::vector<std::string> structures;  // parts of names; all when empty
};

namespace internal {

// The values of one column, where they lie; filled as the type has them.
struct LiveColumn {
  std::string name;
  std::vector<std::string_view> texts;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
};

template <class T>
void AddLive(const T& value, LiveColumn& column) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    column.texts.push_back(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    column.reals.push_back(static_cast<double>(value));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    column.integers.push_back(static_cast<std::int64_t>(value));
  } else {
    static_assert(std::is_trivially_copyable_v<T>, "Compare takes strings, numbers and structs that are their bytes");
    column.texts.emplace_back(reinterpret_cast<const char*>(&value), sizeof value);
  }
}

template <class Container>
std::vector<LiveColumn> LiveColumns(const Container& container) {
  if constexpr (requires { typename Container::mapped_type; }) {
    std::vector<LiveColumn> columns(2);
    columns[0].name = "keys";
    columns[1].name = "values";
    for (const auto& [key, value] : container) {
      AddLive(key, columns[0]);
      AddLive(value, columns[1]);
    }
    return columns;
  } else {
    std::vector<LiveColumn> columns(1);
    columns[0].name = "elements";
    for (const typename Container::value_type& value : container) AddLive(value, columns[0]);
    return columns;
  }
}

absl::StatusOr<Comparison> CompareLive(const std::function<std::vector<LiveColumn>()>& columns, const std::function<std::uint64_t()>& footprint,
                                       const CompareOptions& options);

}  // namespace internal

// Shows what a live container's data would cost in every structure that thimble knows: a report from within a running
// service that has no file to show.
//
//   for (const ComparedStructure& s : thimble::Compare(ages)->columns[0].structures) Log(s.structure, s.heap_bytes);
//
// It takes the std and Abseil sequences, sets and maps of strings, numbers and trivially copyable structs. The process
// forks; the children read the container as it was at that moment, and build everything in memory of their own, what is
// quickly built first.
//
// Space    none that stays; while it runs, the machine needs the two largest structures' peaks, 20 bytes a value, and what
//          the process itself writes to in the meantime
// Time     half the sum of all builds, about ten seconds a million strings; options.seconds at most
// Threads  the container must not change until Compare has forked, which is at once; hold its lock to be sure
// Errors   kAborted if the children cannot be started, or died
template <class Container>
absl::StatusOr<Comparison> Compare(const Container& container, const CompareOptions& options = {}) {
  return internal::CompareLive([&] { return internal::LiveColumns(container); }, [&] { return FootprintOf(container); }, options);
}

}  // namespace thimble
