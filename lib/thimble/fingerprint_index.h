#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "thimble/byte_match.h"
#include "thimble/bytes.h"

namespace thimble {

// From hashes to record numbers of id_bits each: the index of CompactDict, a table of lines. It is a view that knows nothing
// of records; the caller says which of the numbers under a hash is the right one.
//
//   line       16 fingerprints, one byte a slot (0 is an empty slot, and the empty ones are the last), and the slots' record
//              numbers. A line is 16 + 2 * id_bits bytes, from 24 bits on a cache line: so many slots as numbers fit then.
//              The number of all ones marks a slot whose record was erased
//
// A key lies in the first line that had room of these: line floor(hash * lines / 2^64), its home; the one to which
// hash * kSecond leads in the same way; those behind it. Nearly all lie at home, and a lookup must know whether to go on. A
// line with room says no. A full line says it by the order of its slots, which means nothing else: each two neighbors are one
// bit of a Bloom filter of the keys that went on from here, set unless the first fingerprint is below the second (equal ones
// cannot say no). That costs no byte, and 9 of 10 lookups of absent keys read one line only.
//
// Space    1 + id_bits / 8 bytes a slot
class FingerprintIndex {
 public:
  static constexpr unsigned kFingerprints = 16;
  static constexpr unsigned kMaxIdBits = 56;
  static constexpr unsigned kLineIdBits = 24;
  static constexpr std::uint64_t kAbsent = ~std::uint64_t{0};       // nothing has this hash
  static constexpr std::uint64_t kElsewhere = ~std::uint64_t{0} - 1;  // what has it lies in another line, if anywhere

  struct Found {
    std::uint64_t id = kAbsent, line = 0;
    unsigned slot = 0;
  };

  static constexpr unsigned SlotsPerLine(unsigned id_bits) { return std::min(kFingerprints, (64 - kFingerprints) * 8 / id_bits); }
  static constexpr unsigned LineBytes(unsigned id_bits) { return std::min(64u, kFingerprints + kFingerprints * id_bits / 8); }
  // The bits to give to numbers below 2^bits: near a cache line's width, lines are one, and lookups then know it by heart.
  static constexpr unsigned IdBitsFor(unsigned bits) { return bits > 20 ? std::max(bits, kLineIdBits) : bits; }

  FingerprintIndex() = default;
  // Requires: 1 to kMaxIdBits bits; readable at `at` are lines * LineBytes(id_bits) bytes and 8 more, 72 if there is no line.
  FingerprintIndex(const std::byte* at, std::uint64_t lines, unsigned id_bits)
      : at_(at), lines_(lines), id_bits_(id_bits), slots_(SlotsPerLine(id_bits)), slot_mask_(static_cast<std::uint32_t>(LowBits(slots_))),
        line_bytes_(LineBytes(id_bits)), id_mask_(LowBits(id_bits)) {}

  std::uint64_t lines() const { return lines_; }
  std::uint64_t slots() const { return lines_ * slots_; }
  unsigned id_bits() const { return id_bits_; }
  std::uint64_t erased_id() const { return id_mask_; }
  const std::byte* HomeOf(std::uint64_t hash) const { return LineAt(LineOf(hash)); }

  // The number in the first slot at home that has the hash's fingerprint, which is the right one in 9 of 10 hits; kAbsent or
  // kElsewhere if there is none.
  std::uint64_t First(std::uint64_t hash) const;

  // The first number under the hash of which is_right(number) holds.
  template <class IsRight>
  Found Search(std::uint64_t hash, IsRight is_right) const;

  // Counts the slots that are used, and those of them whose record was erased; false if a line has one behind its last.
  bool Count(std::uint64_t& used, std::uint64_t& erased) const;

  // The writing half. Requires: `to` is the index's own memory.
  //
  // Adds a slot. Requires: one is empty.
  void Add(std::byte* to, std::uint64_t hash, std::uint64_t id) const;
  // Frees a slot if its line has room, and returns whether it did; else marks it, as keys may have gone on from there.
  bool Erase(std::byte* to, const Found& found) const;

 private:
  static constexpr std::uint64_t kSecond = 0x9E3779B97F4A7C15u;

  template <unsigned kIdBits>
  std::uint64_t FirstOfBits(std::uint64_t hash) const;
  std::uint64_t LineOf(std::uint64_t hash) const;
  const std::byte* LineAt(std::uint64_t line) const { return at_ + line * line_bytes_; }
  std::uint32_t Match(const std::byte* line, std::uint8_t fingerprint) const;
  static bool EndsAt(const std::byte* line, std::uint64_t hash, unsigned slots);
  static unsigned PairOf(std::uint64_t hash, unsigned slots);
  std::uint64_t LineBehind(std::uint64_t line, std::uint64_t hash, std::uint64_t passed) const;
  std::uint64_t IdAt(const std::byte* line, unsigned slot) const;
  void SetId(std::byte* line, unsigned slot, std::uint64_t id) const;
  void SwapPair(std::byte* line, unsigned pair) const;

  const std::byte* at_ = nullptr;
  std::uint64_t lines_ = 0;
  unsigned id_bits_ = 8, slots_ = 0;
  std::uint32_t slot_mask_ = 0;
  std::uint64_t line_bytes_ = 0, id_mask_ = 0;
};

// The reading half, inline: the shorter a lookup, the more independent ones the machine overlaps.

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
