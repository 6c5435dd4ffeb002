#include "redis_hll_codec.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "packed_registers.h"

//   0 "HYLL"   4 encoding: 0 dense, 1 sparse   5 three zero bytes   8 u64 cached count; its top bit says that it is stale
//
// Dense: registers of 6 bits, least significant bit first. Sparse, runs in order of the registers:
//
//   00xxxxxx            x + 1 zeros
//   01xxxxxx yyyyyyyy   xy + 1 zeros
//   1vvvvvxx            x + 1 registers of value v + 1

namespace thimble {
namespace {

constexpr std::size_t kRedisHeader = 16;
constexpr std::size_t kRegisters = std::size_t{1} << kRedisPrecision;
constexpr std::size_t kDenseBytes = kRedisHeader + kRegisters * 6 / 8;

absl::Status CorruptRedis(const char* what) { return absl::DataLossError(std::string("Redis HyperLogLog: ") + what); }

absl::StatusOr<std::vector<std::uint8_t>> ParseDense(std::span<const std::byte> bytes) {
  if (bytes.size() != kDenseBytes) return CorruptRedis("bad length of the dense form");
  std::vector<std::uint8_t> registers(kRegisters);
  if (internal::UnpackRegisters<6>(bytes.data() + kRedisHeader, registers) > kRedisMaxRank) return CorruptRedis("a register is out of range");
  return registers;
}

absl::StatusOr<std::vector<std::uint8_t>> ParseSparse(std::span<const std::byte> bytes) {
  std::vector<std::uint8_t> registers;
  registers.reserve(kRegisters);
  for (std::size_t at = kRedisHeader; at < bytes.size(); ++at) {
    const unsigned code = std::to_integer<unsigned>(bytes[at]);
    std::size_t run;
    unsigned value = 0;
    if ((code & 0x80) != 0) {
      value = (code >> 2 & 31) + 1;
      run = (code & 3) + 1;
    } else if ((code & 0x40) != 0) {
      if (++at == bytes.size()) return CorruptRedis("cut short");
      run = ((code & 63) << 8 | std::to_integer<unsigned>(bytes[at])) + 1;
    } else {
      run = (code & 63) + 1;
    }
    if (run > kRegisters - registers.size()) return CorruptRedis("too many registers");
    registers.insert(registers.end(), run, static_cast<std::uint8_t>(value));
  }
  if (registers.size() != kRegisters) return CorruptRedis("too few registers");
  return registers;
}

std::vector<std::byte> Header(std::size_t size, unsigned encoding) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), "HYLL", 4);
  bytes[4] = static_cast<std::byte>(encoding);
  bytes[15] = std::byte{0x80};
  return bytes;
}

}  // namespace

absl::StatusOr<std::vector<std::uint8_t>> ParseRedisHll(std::span<const std::byte> bytes) {
  if (bytes.size() < kRedisHeader || std::memcmp(bytes.data(), "HYLL", 4) != 0) {
    return absl::FailedPreconditionError("no Redis HyperLogLog");
  }
  if (bytes[5] != std::byte{0} || bytes[6] != std::byte{0} || bytes[7] != std::byte{0}) return CorruptRedis("bad header");
  switch (std::to_integer<unsigned>(bytes[4])) {
    case 0: return ParseDense(bytes);
    case 1: return ParseSparse(bytes);
    default: return absl::UnimplementedError("Redis HyperLogLog: unknown encoding");
  }
}

std::vector<std::byte> SerializeRedisHllDense(std::span<const std::uint8_t> registers) {
  std::vector<std::byte> bytes = Header(kDenseBytes, 0);
  internal::PackRegisters<6>(registers, bytes.data() + kRedisHeader);
  return bytes;
}

std::vector<std::byte> SerializeRedisHllSparse(std::span<const std::uint8_t> registers) {
  std::vector<std::byte> bytes = Header(kRedisHeader, 1);
  for (std::size_t i = 0; i < kRegisters;) {
    const std::uint8_t value = registers[i];
    std::size_t end = i + 1;
    while (end < kRegisters && registers[end] == value) ++end;
    if (value == 0) {
      const std::size_t run = end - i;
      if (run > 64) bytes.push_back(static_cast<std::byte>(0x40 | (run - 1) >> 8));
      bytes.push_back(static_cast<std::byte>(run - 1));
    } else {
      end = std::min(end, i + 4);
      bytes.push_back(static_cast<std::byte>(0x80 | (value - 1) << 2 | (end - i - 1)));
    }
    i = end;
  }
  return bytes;
}

}  // namespace thimble
