#include "thimble/redis_hll.h"

#include <algorithm>

#include "redis_hll_codec.h"
#include "status_macros.h"

namespace thimble {
namespace {

constexpr std::size_t kMaxSparseBytes = 3000;
constexpr unsigned kMaxSparseValue = 32;

}  // namespace

absl::StatusOr<HyperLogLog> ReadRedisHll(std::span<const std::byte> value) {
  THIMBLE_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> registers, ParseRedisHll(value));
  return HyperLogLog::FromRegisters(HyperLogLog::Options::Redis(), registers);
}

absl::StatusOr<std::vector<std::byte>> WriteRedisHll(const HyperLogLogView& sketch) {
  const HyperLogLog::Options redis = HyperLogLog::Options::Redis();
  if (sketch.precision() != redis.precision || sketch.hash_scheme() != redis.hash_scheme || sketch.rule() != redis.rule ||
      sketch.seed() != redis.seed) {
    return absl::InvalidArgumentError("only a HyperLogLog made with Options::Redis() holds what Redis would");
  }
  const std::vector<std::uint8_t> registers = sketch.Registers();
  if (*std::max_element(registers.begin(), registers.end()) <= kMaxSparseValue) {
    std::vector<std::byte> sparse = SerializeRedisHllSparse(registers);
    if (sparse.size() <= kMaxSparseBytes) return sparse;
  }
  return SerializeRedisHllDense(registers);
}

}  // namespace thimble
