#pragma once

#include <cstddef>
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
struct PostgresHllOptions {
  unsigned register_bits = 5;  // 1 to 8, as the column's type says; higher ranks are cut to 2^register_bits - 1, as there
};

// Reads EMPTY, EXPLICIT, SPARSE and FULL. Returns kUnimplemented for another schema version or a log2m outside 4..21,
// kDataLoss for what no server writes.
absl::StatusOr<HyperLogLog> ReadPostgresHll(std::span<const std::byte> value);

// Writes EMPTY, or the smaller of SPARSE and FULL. Returns kInvalidArgument for a sketch of another scheme or rule, or
// impossible options.
absl::StatusOr<std::vector<std::byte>> WritePostgresHll(const HyperLogLogView& sketch, const PostgresHllOptions& options = {});

}  // namespace thimble
