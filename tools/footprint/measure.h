#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "column.h"
#include "forked.h"
#include "structure.h"

namespace thimble::footprint {

// What one structure cost on one column.
struct Measurement {
  std::uint64_t stored = 0;
  std::int64_t heap_bytes = 0;      // live after the build, by operator new and mapped buffers
  std::int64_t mallinfo_bytes = 0;  // the same by malloc's own books, and the same mapped buffers
  std::int64_t peak_bytes = 0;      // the most that was live while building
  std::int64_t pss_bytes = 0;       // growth of the anonymous memory that the kernel holds for it
  double build_seconds = 0;         // of the processor, here and below
  std::optional<double> lookup_ns;
  std::optional<ErrorRate> error;
  std::string failure;  // empty, or why there is nothing but this

  double bytes_per_element() const { return stored == 0 ? 0 : static_cast<double>(heap_bytes) / static_cast<double>(stored); }
};

// Makes the column in the child that measures: maps a spool, or reads a live container. What it allocates is not counted.
using ColumnSource = std::function<absl::StatusOr<Column>()>;

// Measures in a forked child, so that no structure sees the heap that another left, and one that dies takes nobody along.
//
//   ForkedMeasurement child(structure, source, limit);
//   Measurement measured = child.Wait();
//
// Several may run at once.
class ForkedMeasurement {
 public:
  // `memory_limit` is in bytes of heap; 0 for none.
  ForkedMeasurement(const Structure& structure, const ColumnSource& source, std::uint64_t memory_limit);

  // Becomes readable when the child is done.
  int fd() const { return child_.fd(); }
  Measurement Wait();

 private:
  Forked child_;
};

}  // namespace thimble::footprint
