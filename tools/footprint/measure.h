#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include <absl/status/statusor.h>

#include "column.h"
#include "structure.h"

namespace thimble::footprint {

// What one structure cost on one column. It crosses a pipe as it is.
struct Measurement {
  std::uint64_t stored = 0;
  std::int64_t heap_bytes = 0;      // live after the build, by operator new and mapped buffers
  std::int64_t mallinfo_bytes = 0;  // the same by malloc's own books, and the same mapped buffers
  std::int64_t peak_bytes = 0;      // the most that was live while building
  std::int64_t pss_bytes = 0;       // growth of the anonymous memory that the kernel holds for it
  double build_seconds = 0;         // of the processor, here and below
  std::optional<double> lookup_ns;
  std::optional<ErrorRate> error;
  char failure_text[200] = {};

  bool ok() const { return failure_text[0] == '\0'; }
  // Why there is nothing but this, or empty.
  std::string_view failure() const { return failure_text; }
  void Fail(std::string_view why);
  double bytes_per_element() const { return stored == 0 ? 0 : static_cast<double>(heap_bytes) / static_cast<double>(stored); }
};
static_assert(std::is_trivially_copyable_v<Measurement>);

// Makes the column in the child that measures: maps a spool, or reads a live container. What it allocates is not counted.
using ColumnSource = std::function<absl::StatusOr<Column>()>;

struct MeasureTask {
  const Structure* structure;
  ColumnSource source;
  Measurement* result;
};

struct MeasureLimits {
  std::uint64_t memory_bytes = 0;  // of heap, for each structure; 0 for none
  unsigned at_once = 1;            // children that measure at the same time
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;  // what is not done by then has failed
};

// Measures each in a forked child of its own, so that no structure sees the heap that another left, and one that dies or
// outgrows its limit takes nobody along. `started` is called with each task as its turn comes.
void MeasureAll(std::span<const MeasureTask> tasks, const MeasureLimits& limits, const std::function<void(std::size_t)>& started);

// Counts them by 64-bit hashes, of which two agree once in 10^19 / n^2 columns. For a child: it takes 16 bytes a value.
std::uint64_t CountDistinct(const Column& column);

}  // namespace thimble::footprint
