#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

namespace thimble {

// What a value of PostgreSQL's hll type says (storage specification, schema version 1).
struct PostgresHllFields {
  // Byte 2: whether SPARSE is allowed, and the threshold of EXPLICIT: 0 for none, 1 + its lg, or 63 for the server's own.
  static constexpr unsigned kSparseAllowed = 0x40, kExplicitAuto = 63;

  unsigned log2m = 11;
  unsigned register_bits = 5;
  unsigned cutoffs = kSparseAllowed | kExplicitAuto;
  std::vector<std::uint64_t> hashes;       // EXPLICIT: the hashes themselves, distinct, ascending as signed numbers
  std::vector<std::uint8_t> registers;     // SPARSE and FULL: 2^log2m; otherwise none
};

// Reads EMPTY, EXPLICIT, SPARSE and FULL. kUnimplemented for another schema version, kDataLoss for anything damaged.
absl::StatusOr<PostgresHllFields> ParsePostgresHll(std::span<const std::byte> bytes);

// Writes what the server would for the same fields: EMPTY, EXPLICIT, or the smaller of SPARSE and FULL.
std::vector<std::byte> SerializePostgresHll(const PostgresHllFields& fields);

}  // namespace thimble
