#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "byte_match.h"
#include "thimble/bytes.h"
#include "thimble/fingerprint_index.h"

// The reading half of FingerprintIndex, inline: the shorter a lookup, the more independent ones the machine overlaps.
namespace thimble {

// 1 to 255: a slot that holds 0 is empty.
inline std::uint8_t FingerprintOf(std::uint64_t hash) {
  const auto low = static_cast<std::uint8_t>(hash);
  return static_cast<std::uint8_t>(low + (low == 0));
}

inline std::uint64_t FingerprintIndex::LineOf(std::uint64_t hash) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{hash} * lines_ >> 64);
}

inline std::uint64_t FingerprintIndex::LineBehind(std::uint64_t line, std::uint64_t hash, std::uint64_t passed) const {
  if (passed == 0) return LineOf(hash * kSecond);
  return line + 1 == lines_ ? 0 : line + 1;
}

inline std::uint64_t FingerprintIndex::IdAt(const std::byte* line, unsigned slot) const {
  const unsigned bit = slot * id_bits_;
  return (Load<std::uint64_t>(line + kFingerprints + bit / 8) >> (bit % 8)) & id_mask_;
}

// Bit i says that slot i has this fingerprint; what stands behind the line's last slot is no slot's.
inline std::uint32_t FingerprintIndex::Match(const std::byte* line, std::uint8_t fingerprint) const {
  return MatchBytes16(line, fingerprint) & slot_mask_;
}

inline unsigned FingerprintIndex::PairOf(std::uint64_t hash, unsigned slots) {
  return (static_cast<std::uint8_t>(hash >> 8) * (slots / 2)) >> 8;
}

inline bool FingerprintIndex::EndsAt(const std::byte* line, std::uint64_t hash, unsigned slots) {
  const std::byte* pair = line + 2 * PairOf(hash, slots);
  // Room in the last slot, or a pair in order. Half of the lines have room, so that || would be a branch that nobody foresees.
  const int full = std::to_integer<int>(line[slots - 1]) - 1;
  const int went_on = std::to_integer<int>(pair[0]) - std::to_integer<int>(pair[1]);
  return (full | went_on) < 0;
}

// kIdBits is kLineIdBits, or 0 for any other width.
template <unsigned kIdBits>
inline std::uint64_t FingerprintIndex::FirstOfBits(std::uint64_t hash) const {
  const std::byte* line = kIdBits == 0 ? HomeOf(hash) : at_ + LineOf(hash) * 64;
  const std::uint32_t found = kIdBits == 0 ? Match(line, FingerprintOf(hash)) : MatchBytes16(line, FingerprintOf(hash));
  if (found != 0) [[likely]] {
    const auto slot = static_cast<unsigned>(std::countr_zero(found));
    if constexpr (kIdBits == 0) return IdAt(line, slot);
    return Load<std::uint32_t>(line + kFingerprints + slot * (kIdBits / 8)) & LowBits(kIdBits);
  }
  return EndsAt(line, hash, kIdBits == 0 ? slots_ : kFingerprints) ? kAbsent : kElsewhere;
}

inline std::uint64_t FingerprintIndex::First(std::uint64_t hash) const {
  if (id_bits_ == kLineIdBits) [[likely]] return FirstOfBits<kLineIdBits>(hash);
  return FirstOfBits<0>(hash);
}

template <class IsRight>
FingerprintIndex::Found FingerprintIndex::Search(std::uint64_t hash, IsRight is_right) const {
  if (lines_ == 0) return {};
  const std::uint8_t fingerprint = FingerprintOf(hash);
  std::uint64_t line = LineOf(hash);
  for (std::uint64_t passed = 0; passed <= lines_; ++passed) {
    const std::byte* at = LineAt(line);
    for (std::uint32_t found = Match(at, fingerprint); found != 0; found &= found - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(found));
      if (const std::uint64_t id = IdAt(at, slot); is_right(id)) return {id, line, slot};
    }
    if (EndsAt(at, hash, slots_)) break;
    line = LineBehind(line, hash, passed);
  }
  return {};
}

}  // namespace thimble
