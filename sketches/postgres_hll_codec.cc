#include "postgres_hll_codec.h"

#include <algorithm>
#include <string>

//   0 schema version << 4 | type       1 (register bits - 1) << 5 | log2m       2 cutoffs: 0x40 sparse allowed, low bits explicit
//
// Then, big-endian and most significant bit first: nothing (EMPTY), ascending signed 64-bit hashes (EXPLICIT), ascending
// (index, value) pairs of log2m and of the register's bits (SPARSE), or all registers (FULL), padded to a byte.

namespace thimble {
namespace {

constexpr std::size_t kHeader = 3;
constexpr unsigned kEmpty = 1, kExplicit = 2, kSparse = 3, kFull = 4;

absl::Status Corrupt(const char* what) { return absl::DataLossError(std::string("PostgreSQL hll: ") + what); }

// The `bits` (at most 39) bits at bit `at`, of bytes that reach that far.
std::uint64_t BitsAt(std::span<const std::byte> bytes, std::size_t at, unsigned bits) {
  std::uint64_t word = 0;
  const std::size_t last = (at + bits + 7) / 8;
  for (std::size_t i = at / 8; i < last; ++i) word = word << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return word >> (last * 8 - at - bits) & ((std::uint64_t{1} << bits) - 1);
}

void SetBits(std::span<std::byte> bytes, std::size_t at, unsigned bits, std::uint64_t value) {
  for (unsigned i = 0; i < bits; ++i) {
    if ((value >> (bits - 1 - i) & 1) != 0) bytes[(at + i) / 8] |= static_cast<std::byte>(0x80 >> (at + i) % 8);
  }
}

absl::Status ReadExplicit(std::span<const std::byte> body, PostgresHllFields& fields) {
  if (body.size() % 8 != 0 || body.empty()) return Corrupt("bad length of the explicit form");
  for (std::size_t i = 0; i < body.size(); i += 8) {
    const std::uint64_t hash = BitsAt(body, i * 8, 32) << 32 | BitsAt(body, i * 8 + 32, 32);
    if (i > 0 && static_cast<std::int64_t>(hash) <= static_cast<std::int64_t>(fields.hashes.back())) {
      return Corrupt("hashes are out of order, or stand twice");
    }
    fields.hashes.push_back(hash);
  }
  return absl::OkStatus();
}

// Zero bits fill the last byte, and less than a byte of them.
absl::Status CheckPadding(std::span<const std::byte> body, std::size_t used_bits) {
  if (body.size() != (used_bits + 7) / 8) return Corrupt("bad length");
  if (used_bits % 8 != 0 && (std::to_integer<unsigned>(body.back()) & (0xffu >> used_bits % 8)) != 0) {
    return Corrupt("padding is not zero");
  }
  return absl::OkStatus();
}

absl::Status ReadSparse(std::span<const std::byte> body, PostgresHllFields& fields) {
  const unsigned pair = fields.log2m + fields.register_bits;
  std::size_t pairs = body.size() * 8 / pair;
  // Pairs of five to seven bits fit into the padding too, where a pair of zeros is none.
  const bool padded = pairs > 0 && body.size() * 8 - (pairs - 1) * pair < 8 && BitsAt(body, (pairs - 1) * pair, pair) == 0;
  if (padded) --pairs;
  if (absl::Status padding = CheckPadding(body, pairs * pair); !padding.ok()) return padding;
  fields.registers.resize(std::size_t{1} << fields.log2m);
  std::size_t next = 0;
  for (std::size_t i = 0; i < pairs; ++i) {
    const std::size_t slot = BitsAt(body, i * pair, fields.log2m);
    const std::uint64_t value = BitsAt(body, i * pair + fields.log2m, fields.register_bits);
    if (slot < next || value == 0) return Corrupt("registers are out of order, or zero");
    fields.registers[slot] = static_cast<std::uint8_t>(value);
    next = slot + 1;
  }
  return absl::OkStatus();
}

absl::Status ReadFull(std::span<const std::byte> body, PostgresHllFields& fields) {
  const std::size_t count = std::size_t{1} << fields.log2m;
  if (absl::Status padding = CheckPadding(body, count * fields.register_bits); !padding.ok()) return padding;
  fields.registers.resize(count);
  for (std::size_t slot = 0; slot < count; ++slot) {
    fields.registers[slot] = static_cast<std::uint8_t>(BitsAt(body, slot * fields.register_bits, fields.register_bits));
  }
  return absl::OkStatus();
}

std::vector<std::byte> Header(const PostgresHllFields& fields, unsigned type, std::size_t body_bits) {
  std::vector<std::byte> bytes(kHeader + (body_bits + 7) / 8);
  bytes[0] = static_cast<std::byte>(1u << 4 | type);
  bytes[1] = static_cast<std::byte>((fields.register_bits - 1) << 5 | fields.log2m);
  bytes[2] = static_cast<std::byte>(fields.cutoffs);
  return bytes;
}

}  // namespace

absl::StatusOr<PostgresHllFields> ParsePostgresHll(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeader) return Corrupt("cut short");
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
  if (byte(0) >> 4 != 1) return absl::UnimplementedError("PostgreSQL hll: unknown schema version");
  PostgresHllFields fields;
  fields.log2m = byte(1) & 31;
  fields.register_bits = (byte(1) >> 5) + 1;
  fields.cutoffs = byte(2);
  if (fields.log2m < 4 || fields.log2m > 21) return absl::UnimplementedError("PostgreSQL hll: log2m outside 4..21");
  if (fields.cutoffs > 0x7f) return Corrupt("bad cutoffs");
  const std::span<const std::byte> body = bytes.subspan(kHeader);
  absl::Status status;
  switch (byte(0) & 15) {
    case kEmpty: status = body.empty() ? absl::OkStatus() : Corrupt("empty, but holds bytes"); break;
    case kExplicit: status = ReadExplicit(body, fields); break;
    case kSparse: status = ReadSparse(body, fields); break;
    case kFull: status = ReadFull(body, fields); break;
    default: status = Corrupt("unknown type");
  }
  if (!status.ok()) return status;
  // A rank counts the zeros that end the hash above its index, and one.
  for (std::uint8_t value : fields.registers) {
    if (value > 65 - fields.log2m) return Corrupt("a register is out of range");
  }
  return fields;
}

std::vector<std::byte> SerializePostgresHll(const PostgresHllFields& fields) {
  if (!fields.hashes.empty()) {
    std::vector<std::byte> bytes = Header(fields, kExplicit, fields.hashes.size() * 64);
    for (std::size_t i = 0; i < fields.hashes.size(); ++i) {
      SetBits(std::span<std::byte>(bytes).subspan(kHeader), i * 64, 64, fields.hashes[i]);
    }
    return bytes;
  }
  const std::size_t filled = static_cast<std::size_t>(
      std::count_if(fields.registers.begin(), fields.registers.end(), [](std::uint8_t value) { return value != 0; }));
  if (filled == 0) return Header(fields, kEmpty, 0);
  const unsigned pair = fields.log2m + fields.register_bits;
  const bool sparse = (fields.cutoffs & PostgresHllFields::kSparseAllowed) != 0 && filled * pair < fields.registers.size() * fields.register_bits;
  std::vector<std::byte> bytes =
      Header(fields, sparse ? kSparse : kFull, sparse ? filled * pair : fields.registers.size() * fields.register_bits);
  const std::span<std::byte> body = std::span<std::byte>(bytes).subspan(kHeader);
  std::size_t at = 0;
  for (std::size_t slot = 0; slot < fields.registers.size(); ++slot) {
    if (sparse && fields.registers[slot] == 0) continue;
    if (sparse) {
      SetBits(body, at, fields.log2m, slot);
      at += fields.log2m;
    }
    SetBits(body, at, fields.register_bits, fields.registers[slot]);
    at += fields.register_bits;
  }
  return bytes;
}

}  // namespace thimble
