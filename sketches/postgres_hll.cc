#include "thimble/postgres_hll.h"

#include <algorithm>
#include <bit>

#include "postgres_hll_codec.h"
#include "status_macros.h"

namespace thimble {

absl::StatusOr<HyperLogLog> ReadPostgresHll(std::span<const std::byte> value) {
  THIMBLE_ASSIGN_OR_RETURN(const PostgresHllFields fields, ParsePostgresHll(value));
  const HyperLogLog::Options options = HyperLogLog::Options::PostgreSql(fields.log2m);
  if (!fields.registers.empty()) return HyperLogLog::FromRegisters(options, fields.registers);
  THIMBLE_ASSIGN_OR_RETURN(HyperLogLog sketch, HyperLogLog::Make(options));
  for (std::uint64_t hash : fields.hashes) sketch.AddHash(hash);
  return sketch;
}

absl::StatusOr<std::vector<std::byte>> WritePostgresHll(const HyperLogLogView& sketch, const PostgresHllOptions& options) {
  const HyperLogLog::Options ours = HyperLogLog::Options::PostgreSql(sketch.precision());
  if (sketch.hash_scheme() != ours.hash_scheme || sketch.rule() != ours.rule || sketch.seed() != ours.seed) {
    return absl::InvalidArgumentError("only a HyperLogLog made with Options::PostgreSql() holds what PostgreSQL would");
  }
  if (options.register_bits < 1 || options.register_bits > 8) return absl::InvalidArgumentError("register_bits must be 1 to 8");
  const std::int64_t threshold = options.explicit_threshold;
  if (threshold < -1 || (threshold > 0 && !std::has_single_bit(static_cast<std::uint64_t>(threshold))) || threshold >> 62 > 0) {
    return absl::InvalidArgumentError("explicit_threshold must be -1, 0 or a power of two up to 2^61");
  }
  const auto cutoff =
      threshold < 0 ? PostgresHllFields::kExplicitAuto : static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(threshold)));
  PostgresHllFields fields{.log2m = sketch.precision(),
                           .register_bits = options.register_bits,
                           .cutoffs = cutoff | (options.sparse ? PostgresHllFields::kSparseAllowed : 0),
                           .hashes = {},
                           .registers = sketch.Registers()};
  const auto highest = static_cast<std::uint8_t>((1u << options.register_bits) - 1);
  for (std::uint8_t& value : fields.registers) value = std::min(value, highest);
  return SerializePostgresHll(fields);
}

}  // namespace thimble
