// The product of a sparse matrix with a vector, in one pass over the codes of its places: nothing is written down between
// decoding and multiplying, so that the machine looks ahead far enough to wait for many parts of the vector at once.

#include <algorithm>
#include <array>
#include <cstdint>

#include "cpu.h"
#include "sparse_walk.h"
#include "thimble/bits.h"
#include "thimble/sparse_matrix.h"

namespace thimble {
namespace {

using sparse::Codec;
using sparse::Leaf;

// Entries whose low parts are unpacked together.
constexpr std::size_t kBlock = 256;

struct Vectors {
  const double* x;
  double* y;
};

// A line of the matrix, and what its entries are added to or multiplied by.
struct Line {
  std::uint64_t number = 0;
  std::uint64_t begin = 0;  // the number of its first place
  double sum = 0, factor = 0;
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
    Begin(line_);
  }

  THIMBLE_INLINE void Run() {
    for (SparseTreeWalk walk(matrix_.index_); !walk.done(); walk.Next()) {
      const Leaf leaf = walk.leaf();
      left_ = std::min<std::uint64_t>(leaf.count(), matrix_.value_count_ - taken_);
      switch (leaf.codec()) {
        case sparse::kEliasFano: Entries<sparse::kEliasFano>(leaf); break;
        case sparse::kBitmap: Entries<sparse::kBitmap>(leaf); break;
        case sparse::kRuns: leaf.length_width() > 0 ? Runs(leaf) : Entries<sparse::kRuns>(leaf); break;
        default: break;
      }
    }
    End(line_);
  }
#if THIMBLE_HAS_AVX2_KERNELS
  THIMBLE_TARGET_AVX2 void RunAvx2() { Run(); }
#endif

 private:
  // Multiplies a leaf of Elias-Fano, a bitmap, or an array.
  template <Codec codec>
  THIMBLE_INLINE void Entries(const Leaf& leaf) {
    const std::uint64_t base = leaf.base(), words = leaf.size();
    const unsigned width = leaf.width();
    std::uint64_t w = 0, word = codec != sparse::kRuns && words > 0 ? leaf.Word(0) : 0;
    Line line = line_;
    for (std::uint64_t index = 0; left_ > 0;) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, left_));
      const double* values = Values(n);
      if (codec != sparse::kBitmap) {
        UnpackBits({leaf.records(), (leaf.count() * std::size_t{width} + 7) / 8 + kImageSlack}, width, index, std::span(low_).first(n));
      }
      if (codec == sparse::kRuns) {
        for (std::size_t i = 0; i < n; ++i) Multiply(line, base + low_[i], values[i]);
      }
      for (std::size_t i = 0; codec != sparse::kRuns && i < n;) {
        while (word == 0 && ++w < words) word = leaf.Word(w);
        if (word == 0) break;  // a damaged leaf
        // What a key's bit is to be moved by, less the keys before it.
        const std::uint64_t high = w * 64 - (codec == sparse::kBitmap ? 0 : index);
        for (const std::size_t end = std::min<std::size_t>(n, i + sparse::Popcount(word)); i < end; ++i, word &= word - 1) {
          const std::uint64_t at = high + sparse::LowestBit(word);
          Multiply(line, codec == sparse::kBitmap ? base + at : base + ((at - i) << width | low_[i]), values[i]);
        }
      }
      index += n;
      left_ -= n;
    }
    line_ = line;
  }

  THIMBLE_INLINE void Runs(const Leaf& leaf) {
    for (unsigned i = 0; i < leaf.size() && left_ > 0; ++i) {
      std::uint64_t key = leaf.base() + leaf.Record(i);
      for (std::uint64_t run = std::min(leaf.RunLength(i), left_); run > 0;) {
        if (key - line_.begin >= length_) Enter(line_, key);
        const std::uint64_t place = key - line_.begin;
        const auto n = static_cast<std::size_t>(std::min({run, length_ - place, plain_ != nullptr ? run : kBlock}));
        MultiplyRun(place, Values(n), n);
        key += n;
        run -= n;
        left_ -= n;
      }
    }
  }

  THIMBLE_INLINE void Multiply(Line& line, std::uint64_t key, double value) {
    if (key - line.begin >= length_) Enter(line, key);
    const std::uint64_t place = key - line.begin;
    if constexpr (gathers) {
      line.sum += value * vectors_.x[place];
    } else {
      vectors_.y[place] += value * line.factor;
    }
  }

  THIMBLE_INLINE void MultiplyRun(std::uint64_t place, const double* values, std::size_t n) {
    if constexpr (gathers) {
      const double* x = vectors_.x + place;
      std::array<double, 4> sums{};
      std::size_t i = 0;
      for (; i + 4 <= n; i += 4) {
        for (std::size_t part = 0; part < 4; ++part) sums[part] += values[i + part] * x[i + part];
      }
      for (; i < n; ++i) sums[0] += values[i] * x[i];
      line_.sum += (sums[0] + sums[1]) + (sums[2] + sums[3]);
    } else {
      for (std::size_t i = 0; i < n; ++i) vectors_.y[place + i] += values[i] * line_.factor;
    }
  }

  // Goes on to the line of a key, most often the next one.
  THIMBLE_INLINE void Enter(Line& line, std::uint64_t key) {
    End(line);
    ++line.number;
    line.begin += length_;
    if (key - line.begin >= length_) {
      line.number = key / length_;
      line.begin = line.number * length_;
    }
    // In a damaged matrix an entry may lie beyond the last line.
    if (line.number >= lines_) line.number = 0;
    Begin(line);
  }
  THIMBLE_INLINE void Begin(Line& line) const { gathers ? line.sum = vectors_.y[line.number] : line.factor = vectors_.x[line.number]; }
  THIMBLE_INLINE void End(const Line& line) {
    if constexpr (gathers) vectors_.y[line.number] = line.sum;
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
  Line line_;
  std::uint64_t left_ = 0;   // entries of the leaf
  std::uint64_t taken_ = 0;  // entries so far
  std::array<std::uint64_t, kBlock> low_;
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
