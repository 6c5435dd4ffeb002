#pragma once

#include "thimble/bloom_filter.h"

namespace thimble {

// Where a key's bits stand, and the loops over them. A hash is first shifted left by the number of folds, for folding a
// filter takes away the top bit of each position. The 128-bit product of it and the number of positions then gives the
// position (high half) and, blocked, a remainder (low half) that is independent of it and chooses the bits: lane i of four
// bytes has the bit that the upper five bits of remainder * kLaneSalts[i] say.
struct BloomKernels {
  using Shape = BloomFilterView::Shape;
  using Kernels = BloomFilterView::Kernels;

  static const Kernels* For(BloomLayout layout);

  // Bytes that hold the bits. A blocked load takes 32 bytes, whatever k.
  static constexpr std::uint64_t kBlockBytes = 32;

  // Calls visit(byte, mask) for each bit of a key until one returns false.
  template <class Visit>
  static bool ForBits(BloomLayout layout, Shape shape, std::uint64_t hash, Visit visit) {
    __extension__ using Wide = unsigned __int128;
    if (layout == BloomLayout::kBlocked) {
      const Wide product = Wide{hash << shape.folds} * shape.positions;
      const auto start = static_cast<std::uint64_t>(product >> 64);
      const auto remainder = static_cast<std::uint32_t>(static_cast<std::uint64_t>(product) >> 32);
      for (std::uint32_t i = 0; i < shape.k; ++i) {
        const std::uint32_t bit = (remainder * kLaneSalts[i]) >> 27;
        if (!visit(start + 4 * i + bit / 8, static_cast<std::uint8_t>(1u << bit % 8))) return false;
      }
    } else {
      const std::uint64_t step = ClassicStep(hash);
      for (std::uint32_t i = 0; i < shape.k; ++i, hash += step) {
        const std::uint64_t position = ClassicPosition(shape, hash);
        if (!visit(position / 8, static_cast<std::uint8_t>(1u << position % 8))) return false;
      }
    }
    return true;
  }

  // Double hashing (Kirsch and Mitzenmacher 2006): probe i uses hash + i * step.
  static std::uint64_t ClassicStep(std::uint64_t hash) { return (hash ^ hash >> 32) * 0x9FB21C651E98DF25u; }
  static std::uint64_t ClassicPosition(Shape shape, std::uint64_t hash) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{hash << shape.folds} * shape.positions >> 64);
  }

  static constexpr std::uint32_t kLaneSalts[8] = {0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F,
                                                  0x165667B1, 0xD3A2646D, 0xFD7046C5, 0xB55A4F09};
};

}  // namespace thimble
