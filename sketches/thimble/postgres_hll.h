#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "thimble/hyperloglog.h"

namespace thimble {

// Values of PostgreSQL's hll type (extension postgresql-hll; storage specification, schema version 1).
//
//   HyperLogLog users(HyperLogLog::Options::PostgreSql());      // log2m 11, as the extension's default
//   for (std::string_view name : names) users.Add(name);
//   WritePostgresHll(users)                                     // '\x...'::hll, hll_union_agg, hll_cardinality there
//   ReadPostgresHll(<bytes of a column>)
//
// An hll knows no hash function, only hashes. The extension's hll_hash_text and hll_hash_bytea take the first half of
// MurmurHash3_x64_128 with seed 0, and so does Options::PostgreSql(): strings added here and hashed there give the same
// registers. hll_hash_bigint hashes the integer's 8 bytes, as Add of an integer does; hll_hash_integer only 4 of them, so cast to
// bigint there.
//
// Space    3 bytes + 2^log2m registers of 5 bits (FULL), or the bits of log2m and a register for each that is not zero (SPARSE)

// What a column's type says, hll(log2m, regwidth, expthresh, sparseon); the server unites equal types only.
struct PostgresHllOptions {
  unsigned register_bits = 5;           // regwidth, 1 to 8; higher ranks are cut to 2^register_bits - 1, as there
  std::int64_t explicit_threshold = -1;  // expthresh: -1 (the server chooses), 0 (none) or a power of two up to 2^61
  bool sparse = true;                   // sparseon; without it all values are FULL
};

// Reads EMPTY, EXPLICIT, SPARSE and FULL. Returns kUnimplemented for another schema version or a log2m outside 4..21,
// kDataLoss for what no server writes.
absl::StatusOr<HyperLogLog> ReadPostgresHll(std::span<const std::byte> value);

// Writes EMPTY, or the smaller of SPARSE and FULL. Returns kInvalidArgument for a sketch of another scheme or rule, or
// impossible options.
absl::StatusOr<std::vector<std::byte>> WritePostgresHll(const HyperLogLogView& sketch, const PostgresHllOptions& options = {});

}  // namespace thimble
