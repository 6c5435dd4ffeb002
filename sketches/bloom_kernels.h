#pragma once

#include "thimble/bloom_filter.h"

namespace thimble {

// Where a key's bits stand, and the loops over them. A hash is first shifted left by the number of folds, for folding a
// filter takes away the top bit of each position. The high half of its 128-bit product with the number of positions is the
// position. Blocked, the hash's low 32 bits choose the bits, for the position hardly depends on them: lane i of four bytes has
// the bit that the upper five bits of hash * kLaneSalts[i] say.
struct BloomKernels {
  using Shape = BloomFilterView::Shape;
  using Kernels = BloomFilterView::Kernels;

  // Requires: shape.k <= 8 where the layout is blocked.
  static Kernels For(BloomLayout layout, const Shape& shape);

  // A blocked load takes 32 bytes, whatever k.
  static constexpr std::uint64_t kBlockBytes = 32;
  static constexpr std::size_t kHeaderBytes = BloomFilterView::kHeaderBytes;

  // Which position is a hash's.
  static std::uint64_t Position(const Shape& shape, std::uint64_t hash) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{hash << shape.folds} * shape.positions >> 64);
  }

  // Calls visit(byte, mask) for each bit of a key until one returns false; bytes are counted from the image's first.
  template <class Visit>
  static bool ForBits(BloomLayout layout, const Shape& shape, std::uint64_t hash, Visit visit) {
    if (layout == BloomLayout::kBlocked) {
      const std::uint64_t start = kHeaderBytes + Position(shape, hash);
      for (std::uint32_t i = 0; i < shape.k; ++i) {
        const std::uint32_t bit = (static_cast<std::uint32_t>(hash) * kLaneSalts[i]) >> 27;
        if (!visit(start + 4 * i + bit / 8, static_cast<std::uint8_t>(1u << bit % 8))) return false;
      }
    } else {
      const std::uint64_t step = ClassicStep(hash);
      for (std::uint32_t i = 0; i < shape.k; ++i, hash += step) {
        const std::uint64_t position = Position(shape, hash);
        if (!visit(kHeaderBytes + position / 8, static_cast<std::uint8_t>(1u << position % 8))) return false;
      }
    }
    return true;
  }

  // Double hashing (Kirsch and Mitzenmacher 2006): probe i uses hash + i * step.
  static std::uint64_t ClassicStep(std::uint64_t hash) { return (hash ^ hash >> 32) * 0x9FB21C651E98DF25u; }

  static constexpr std::uint32_t kLaneSalts[8] = {0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F,
                                                  0x165667B1, 0xD3A2646D, 0xFD7046C5, 0xB55A4F09};
};

}  // namespace thimble
