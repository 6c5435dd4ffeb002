#include "thimble/fingerprint_index.h"

#include <utility>

namespace thimble {

bool FingerprintIndex::Count(std::uint64_t& used, std::uint64_t& erased) const {
  used = erased = 0;
  for (std::uint64_t line = 0; line < lines_; ++line) {
    const std::byte* at = LineAt(line);
    unsigned slot = 0;
    for (; slot < slots_ && at[slot] != std::byte{0}; ++slot) erased += IdAt(at, slot) == id_mask_;
    used += slot;
    for (; slot < kFingerprints; ++slot) {
      if (at[slot] != std::byte{0}) return false;
    }
  }
  return true;
}

void FingerprintIndex::SetId(std::byte* line, unsigned slot, std::uint64_t id) const {
  const unsigned bit = slot * id_bits_;
  std::byte* word = line + kFingerprints + bit / 8;
  Store(word, (Load<std::uint64_t>(word) & ~(id_mask_ << (bit % 8))) | id << (bit % 8));
}

void FingerprintIndex::SwapPair(std::byte* line, unsigned pair) const {
  const unsigned first = 2 * pair, second = first + 1;
  std::swap(line[first], line[second]);
  const std::uint64_t id = IdAt(line, first);
  SetId(line, first, IdAt(line, second));
  SetId(line, second, id);
}

void FingerprintIndex::Add(std::byte* to, std::uint64_t hash, std::uint64_t id) const {
  std::uint64_t line = LineOf(hash);
  std::uint32_t empty = Match(LineAt(line), 0);
  for (std::uint64_t passed = 0; empty == 0; ++passed) {
    std::byte* at = to + line * line_bytes_;
    const unsigned pair = PairOf(hash, slots_);
    if (at[2 * pair] < at[2 * pair + 1]) SwapPair(at, pair);
    line = LineBehind(line, hash, passed);
    empty = Match(LineAt(line), 0);
  }
  std::byte* at = to + line * line_bytes_;
  const auto slot = static_cast<unsigned>(std::countr_zero(empty));
  at[slot] = std::byte{FingerprintOf(hash)};
  SetId(at, slot, id);
  if (slot + 1 < slots_) return;
  // Now it is full, and nothing went on from it yet.
  for (unsigned pair = 0; pair < slots_ / 2; ++pair) {
    if (at[2 * pair] > at[2 * pair + 1]) SwapPair(at, pair);
  }
}

bool FingerprintIndex::Erase(std::byte* to, const Found& found) const {
  std::byte* at = to + found.line * line_bytes_;
  const std::uint32_t empty = Match(at, 0);
  if (empty == 0) {
    SetId(at, found.slot, id_mask_);
    return false;
  }
  const auto last = static_cast<unsigned>(std::countr_zero(empty)) - 1;
  at[found.slot] = at[last];
  SetId(at, found.slot, IdAt(at, last));
  at[last] = std::byte{0};
  SetId(at, last, 0);
  return true;
}

}  // namespace thimble
