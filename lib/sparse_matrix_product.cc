// The product of a sparse matrix with a vector. Places are decoded a word of high parts at a time, and what they need of the
// vector is prefetched; meanwhile the block before is multiplied. Runs of places are multiplied without being written down.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "cpu.h"
#include "sparse_walk.h"
#include "thimble/sparse_matrix.h"

namespace thimble {
namespace {

using sparse::Leaf;

constexpr unsigned kBlock = 64;

// Where up to 64 entries stand. Nothing is branched on: where lines end cannot be foreseen.
struct Block {
  unsigned size = 0;
  std::array<std::uint64_t, kBlock> line, place;  // and where in the line
  std::array<std::uint64_t, kBlock> same_line;    // as the entry before: all bits, or none
};
struct Vectors {
  const double* x;
  double* y;
};

}  // namespace

// Multiplies along lines (`gathers`: a line's result is one element of y), or across them.
template <bool gathers>
class SparseMatrixProduct {
 public:
  SparseMatrixProduct(const SparseMatrixView& matrix, Vectors vectors)
      : matrix_(matrix), vectors_(vectors), length_(matrix.LineLength()), lines_(matrix.Lines()) {
    // Values that lie as doubles are not copied.
    const bool plain = matrix.values_ == MatrixValues::kF64 && reinterpret_cast<std::uintptr_t>(matrix.value_data_) % alignof(double) == 0;
    plain_ = plain ? reinterpret_cast<const double*>(matrix.value_data_) : nullptr;
  }

  THIMBLE_INLINE void Run() {
    for (SparseTreeWalk walk(matrix_.index_); !walk.done() && right_; walk.Next()) {
      const Leaf leaf = walk.leaf();
      left_ = std::min<std::uint64_t>(leaf.count(), matrix_.value_count_ - decoded_);
      switch (leaf.codec()) {
        case sparse::kEliasFano: Unary<true>(leaf); break;
        case sparse::kBitmap: Unary<false>(leaf); break;
        case sparse::kRuns: leaf.length_width() > 0 ? Runs(leaf) : Array(leaf); break;
        default: break;
      }
    }
    Multiply(blocks_[0]);
    Multiply(blocks_[1]);
  }
#if THIMBLE_HAS_AVX2_KERNELS
  THIMBLE_TARGET_AVX2 void RunAvx2() { Run(); }
#endif

 private:
  // Decodes a leaf of Elias-Fano or a bitmap.
  template <bool low_parts>
  THIMBLE_INLINE void Unary(const Leaf& leaf) {
    const unsigned width = low_parts ? leaf.width() : 0;
    std::uint64_t index = 0;
    for (std::uint64_t w = 0; w < leaf.size() && left_ > 0; ++w) {
      std::uint64_t word = leaf.Word(w);
      if (word == 0) continue;
      Block& block = Next();
      const auto size = static_cast<unsigned>(std::min<std::uint64_t>(sparse::Popcount(word), left_));
      std::uint64_t high = w * 64 - index;
      for (unsigned i = 0; i < size; ++i, word &= word - 1) {
        if constexpr (low_parts) {
          Place(block, i, leaf.base() + ((high + sparse::LowestBit(word) - i) << width | leaf.Record(index + i)));
        } else {
          Place(block, i, leaf.base() + w * 64 + sparse::LowestBit(word));
        }
      }
      index += size;
      Finish(block, size);
    }
  }

  THIMBLE_INLINE void Array(const Leaf& leaf) {
    for (std::uint64_t index = 0; left_ > 0;) {
      Block& block = Next();
      const auto size = static_cast<unsigned>(std::min<std::uint64_t>(kBlock, left_));
      for (unsigned i = 0; i < size; ++i) Place(block, i, leaf.base() + leaf.Record(index + i));
      index += size;
      Finish(block, size);
    }
  }

  THIMBLE_INLINE void Runs(const Leaf& leaf) {
    Multiply(blocks_[0]);
    Multiply(blocks_[1]);
    for (unsigned i = 0; i < leaf.size() && left_ > 0 && right_; ++i) {
      std::uint64_t key = leaf.base() + leaf.Record(i);
      for (std::uint64_t run = std::min(leaf.RunLength(i), left_); run > 0 && right_;) {
        (void)Enter(key);
        if (line_ != multiplied_line_) {
          sum_ = 0;
          multiplied_line_ = line_;
        }
        const std::uint64_t place = key - line_begin_;
        const auto n = static_cast<std::size_t>(std::min({run, length_ - place, plain_ != nullptr ? run : kBlock}));
        if (right_) MultiplyRun(place, n);
        key += n;
        run -= n;
        left_ -= n;
        decoded_ += n;
      }
    }
  }

  // The block that is not being multiplied yet.
  THIMBLE_INLINE Block& Next() {
    current_ ^= 1;
    return blocks_[current_];
  }

  // Writes down where an entry stands, and brings that part of the vector.
  THIMBLE_INLINE void Place(Block& block, unsigned i, std::uint64_t key) {
    block.same_line[i] = Enter(key) - 1;
    block.line[i] = line_;
    const std::uint64_t place = key - line_begin_;
    block.place[i] = place;
    if constexpr (gathers) {
      __builtin_prefetch(vectors_.x + place);
    } else {
      __builtin_prefetch(vectors_.y + place, 1);
    }
  }

  // Goes on to the line of a key; returns whether it is another one than before.
  THIMBLE_INLINE std::uint64_t Enter(std::uint64_t key) {
    std::uint64_t entered = static_cast<std::uint64_t>(key - line_begin_ >= length_);
    line_begin_ += (~entered + 1) & length_;
    line_ += entered;
    if (key - line_begin_ >= length_) [[unlikely]] {
      line_ = key / length_;
      line_begin_ = line_ * length_;
    }
    // In a damaged matrix an entry may lie beyond the last line.
    if (line_ >= lines_) [[unlikely]] line_ = 0, right_ = false;
    return entered;
  }

  THIMBLE_INLINE void Finish(Block& block, unsigned size) {
    left_ -= size;
    decoded_ += size;
    block.size = size;
    if (!right_) block.size = 0;
    Multiply(blocks_[current_ ^ 1]);
  }

  THIMBLE_INLINE void Multiply(Block& block) {
    if (block.size == 0) return;
    const double* values = Values(block.size);
    if constexpr (gathers) {
      double sum = sum_;
      for (unsigned i = 0; i < block.size; ++i) {
        const double before = std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) & block.same_line[i]);
        sum = before + values[i] * vectors_.x[block.place[i]];
        vectors_.y[block.line[i]] = sum;
      }
      sum_ = sum;
    } else {
      for (unsigned i = 0; i < block.size; ++i) vectors_.y[block.place[i]] += values[i] * vectors_.x[block.line[i]];
    }
    multiplied_line_ = block.line[block.size - 1];
    block.size = 0;
  }

  THIMBLE_INLINE void MultiplyRun(std::uint64_t place, std::size_t n) {
    const double* values = Values(n);
    if constexpr (gathers) {
      const double* x = vectors_.x + place;
      std::array<double, 4> sums{};
      std::size_t i = 0;
      for (; i + 4 <= n; i += 4) {
        for (std::size_t part = 0; part < 4; ++part) sums[part] += values[i + part] * x[i + part];
      }
      for (; i < n; ++i) sums[0] += values[i] * x[i];
      sum_ += (sums[0] + sums[1]) + (sums[2] + sums[3]);
      vectors_.y[multiplied_line_] = sum_;
    } else {
      const double factor = vectors_.x[multiplied_line_];
      for (std::size_t i = 0; i < n; ++i) vectors_.y[place + i] += values[i] * factor;
    }
  }

  // The values of the next n entries. Requires: n <= kBlock unless they lie as doubles.
  THIMBLE_INLINE const double* Values(std::size_t n) {
    const std::uint64_t first = taken_;
    taken_ += n;
    if (plain_ != nullptr) return plain_ + first;
    matrix_.CopyValues(first, std::span(values_).first(n));
    return values_.data();
  }

  const SparseMatrixView matrix_;
  const Vectors vectors_;
  const std::uint64_t length_, lines_;
  const double* plain_;
  std::uint64_t line_ = 0, line_begin_ = 0;  // of what was decoded last
  std::uint64_t multiplied_line_ = 0;        // of sum_
  std::uint64_t left_ = 0;   // entries of the leaf
  std::uint64_t decoded_ = 0, taken_ = 0;  // entries so far, and values
  double sum_ = 0;
  bool right_ = true;
  unsigned current_ = 0;
  std::array<Block, 2> blocks_;
  std::array<double, kBlock> values_;
};

template <bool gathers>
void SparseMatrixView::Product(std::span<const double> x, std::span<double> y) const {
  std::fill(y.begin(), y.end(), 0.0);
  if (LineLength() == 0 || Lines() == 0) return;
  SparseMatrixProduct<gathers> product(*this, {x.data(), y.data()});
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return product.RunAvx2();
#endif
  product.Run();
}

void SparseMatrixView::Multiply(std::span<const double> x, std::span<double> y) const {
  order_ == MatrixOrder::kRows ? Product<true>(x, y) : Product<false>(x, y);
}

void SparseMatrixView::MultiplyTransposed(std::span<const double> x, std::span<double> y) const {
  order_ == MatrixOrder::kColumns ? Product<true>(x, y) : Product<false>(x, y);
}

}  // namespace thimble
