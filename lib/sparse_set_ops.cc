// Set operations. Both sets are read side by side in windows of keys, in which each has one of three things: nothing, a bitmap,
// or runs. Bitmaps are combined word by word, and what stands beside one is spread out to words; runs are merged as the keys at
// which they begin and end; a leaf that has the window for itself is copied as it is.

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "cpu.h"
#include "sparse_build.h"
#include "sparse_run_merge.h"
#include "sparse_walk.h"
#include "thimble/bits.h"
#include "thimble/sparse_set.h"

namespace thimble {
namespace {

using sparse::kNoKey;
using sparse::Leaf;
using sparse::Operation;
using sparse::Runs;

template <Operation operation, class Word>
THIMBLE_INLINE constexpr Word Combined(Word a, Word b) {
  if constexpr (operation == Operation::kAnd) return a & b;
  if constexpr (operation == Operation::kOr) return a | b;
  if constexpr (operation == Operation::kXor) return a ^ b;
  return a & ~b;
}

constexpr std::uint64_t kNoBounds[] = {kNoKey, kNoKey};

// A window of keys, and the words that it lies in.
struct Window {
  std::uint64_t first, last;
  std::size_t words() const { return static_cast<std::size_t>(last / 64 - first / 64 + 1); }
};
constexpr std::size_t kMostWords = 1024;

// The kernels, written once and compiled for each CPU level.
template <Operation operation>
struct Kernels {
  // Combines the words of a window to `out`, and returns 0 if there is no key in it; with null, returns how many there are.
  THIMBLE_INLINE static std::uint64_t Words(const std::byte* a, const std::byte* b, Window window, std::uint64_t* out) {
    const auto combined = [a, b](std::size_t i) { return Combined<operation>(Load<std::uint64_t>(a + i * 8), Load<std::uint64_t>(b + i * 8)); };
    const std::size_t n = window.words();
    // The first word and the last may reach beyond the window.
    const std::uint64_t first = ~std::uint64_t{0} << (window.first % 64), last = LowBits(static_cast<unsigned>(window.last % 64) + 1);
    const std::uint64_t head = combined(0) & (n == 1 ? first & last : first), tail = n == 1 ? 0 : combined(n - 1) & last;
    if (out == nullptr) {
      std::uint64_t count = sparse::Popcount(head) + sparse::Popcount(tail);
      for (std::size_t i = 1; i + 1 < n; ++i) count += sparse::Popcount(combined(i));
      return count;
    }
    // Counted later, where a page of them is full.
    std::uint64_t any = head | tail;
    for (std::size_t i = 1; i + 1 < n; ++i) any |= out[i] = combined(i);
    if (n > 1) out[n - 1] = tail;
    out[0] = head;
    return any;
  }
  static std::uint64_t WordsPortable(const std::byte* a, const std::byte* b, Window window, std::uint64_t* out) { return Words(a, b, window, out); }
#if THIMBLE_HAS_AVX2_KERNELS
  THIMBLE_TARGET_AVX2 static std::uint64_t WordsAvx2(const std::byte* a, const std::byte* b, Window window, std::uint64_t* out) {
    return Words(a, b, window, out);
  }
#endif
  static auto* ChooseWords() {
#if THIMBLE_HAS_AVX2_KERNELS
    if (ActiveCpuLevel() == CpuLevel::kAvx2) return WordsAvx2;
#endif
    return WordsPortable;
  }
};

// Writes the bounds of a leaf's runs, and behind them those of no run; returns how many runs there are.
THIMBLE_INLINE std::size_t Decode(const Leaf& leaf, std::uint64_t* out) {
  std::uint64_t* const from = out;
  const auto record_bits = static_cast<unsigned>(leaf.record_bits());
  if (leaf.codec() == sparse::kRuns && record_bits > 0 && record_bits <= kOneLoadBits && leaf.base() >> 63 == 0) {
    // A record at a time would take longer than to merge it.
    std::array<std::uint64_t, 64> records;
    for (std::size_t done = 0; done < leaf.size(); done += records.size()) {
      const std::size_t n = std::min(records.size(), leaf.size() - done);
      UnpackBits({leaf.records(), (leaf.size() * leaf.record_bits() + 7) / 8}, record_bits, done, std::span(records).first(n));
      const std::uint64_t mask = LowBits(leaf.width());
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t first = leaf.base() + (records[i] & mask);
        out[2 * i] = first;
        out[2 * i + 1] = first + (records[i] >> leaf.width()) + 1;
      }
      out += 2 * n;
    }
  } else {
    leaf.ForEachRun([&out](std::uint64_t first, std::uint64_t more) {
      const std::uint64_t end = first + more + 1;
      *out++ = first;
      *out++ = end > first ? end : kNoKey;
    });
  }
  out[0] = out[1] = kNoKey;
  return static_cast<std::size_t>(out - from) / 2;
}
std::size_t DecodePortable(const Leaf& leaf, std::uint64_t* out) { return Decode(leaf, out); }
#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 std::size_t DecodeAvx2(const Leaf& leaf, std::uint64_t* out) { return Decode(leaf, out); }
#endif

// One operand, read from front to back.
class Operand {
 public:
  enum class Kind { kNothing, kWords, kRuns };

  explicit Operand(const SparseSetView& set) : walk_(set) { Enter(); }

  // Finds what is at a key, which is not below the one before.
  void Seek(std::uint64_t key) {
    while (leaf_last_ < key) {
      walk_.Next();
      Enter();
    }
    if (key < first_) {
      kind_ = Kind::kNothing;
      last_ = std::min(leaf_last_, first_ - 1);
    } else if (words_ && key <= words_last_) {
      kind_ = Kind::kWords;
      last_ = std::min(leaf_last_, words_last_);
    } else {
      kind_ = words_ || (decoded_ && runs_.at == runs_.size) ? Kind::kNothing : Kind::kRuns;
      last_ = leaf_last_;
    }
  }
  // What there is from the key on, up to the key last().
  Kind kind() const { return kind_; }
  std::uint64_t last() const { return last_; }

  // The leaf at hand, if the window holds all of it.
  const Leaf* WholeLeaf(Window window) const {
    return kind_ != Kind::kNothing && window.first == first_ && window.last >= last_ && last_ == leaf_last_ ? &*leaf_ : nullptr;
  }
  std::span<const std::byte> page() const { return walk_.page(); }

  // The words of a window, spread out in `scratch` unless they are there already. Requires: kind() is not kNothing.
  const std::byte* Words(Window window, std::span<std::uint64_t, kMostWords> scratch) {
    if (kind_ == Kind::kWords) return leaf_->words() + (window.first / 64 - first_ / 64) * 8;
    std::fill_n(scratch.begin(), window.words(), 0);
    const std::uint64_t first = window.first / 64 * 64;
    for (const Runs& runs = Decoded(); runs.bounds[2 * runs.at] <= window.last; ++runs_.at) {
      const std::uint64_t from = std::max(runs.bounds[2 * runs.at], window.first), end = runs.bounds[2 * runs.at + 1];
      if (from < end) SetBits(scratch, from - first, std::min(end, window.last + 1) - first);
      if (end > window.last) break;
    }
    return reinterpret_cast<const std::byte*>(scratch.data());
  }

  // The leaf's runs. Where there are none, an empty list.
  Runs& Decoded() {
    if (kind_ != Kind::kRuns) return nothing_ = {kNoBounds, 0, 0};
    if (!decoded_) {
      const std::size_t most = leaf_->codec() == sparse::kRuns ? leaf_->size() : leaf_->size() * std::size_t{64};
      if (bounds_.size() < most * 2 + 2) bounds_.resize(most * 2 + 2);
      runs_ = {bounds_.data(), decode_(*leaf_, bounds_.data()), 0};
      decoded_ = true;
    }
    return runs_;
  }

 private:
  void Enter() {
    decoded_ = words_ = false;
    first_ = 0;
    if (walk_.done()) {
      // As if another leaf followed that has no key.
      first_ = leaf_last_ = kNoKey;
      return;
    }
    leaf_.emplace(walk_.leaf());
    leaf_last_ = walk_.last();
    first_ = leaf_->base();
    if (leaf_->codec() == sparse::kEmpty || leaf_->size() == 0 || leaf_->count() == 0) first_ = kNoKey;
    if (leaf_->codec() != sparse::kBitmap || first_ % 64 != 0) return;
    words_last_ = first_ + (std::uint64_t{leaf_->size()} * 64 - 1);
    words_ = words_last_ > first_;
  }

  static void SetBits(std::span<std::uint64_t> words, std::uint64_t from, std::uint64_t end) {
    while (from < end) {
      const unsigned width = static_cast<unsigned>(std::min(end - from, 64 - from % 64));
      words[from / 64] |= LowBits(width) << (from % 64);
      from += width;
    }
  }

  static std::size_t (*ChooseDecode())(const Leaf&, std::uint64_t*) {
#if THIMBLE_HAS_AVX2_KERNELS
    if (ActiveCpuLevel() == CpuLevel::kAvx2) return DecodeAvx2;
#endif
    return DecodePortable;
  }

  SparseTreeWalk walk_;
  std::optional<Leaf> leaf_;
  std::uint64_t leaf_last_ = 0;  // the last key of the leaf's range
  std::uint64_t first_ = 0;      // nothing of the leaf is below
  std::uint64_t words_last_ = 0;
  bool words_ = false, decoded_ = false;
  Kind kind_ = Kind::kNothing;
  std::uint64_t last_ = 0;
  std::size_t (*decode_)(const Leaf&, std::uint64_t*) = ChooseDecode();
  std::vector<std::uint64_t> bounds_;
  Runs runs_{kNoBounds, 0, 0}, nothing_{kNoBounds, 0, 0};
};

// What becomes of the result: a set, or its size only.
class SetSink {
 public:
  static constexpr bool kKeeps = true;
  explicit SetSink(std::uint64_t bytes) : builder_(Kind::kSparseSet, 0, 0, SparseTreeBuilder::kMutable, Buffer::Heap(static_cast<std::size_t>(bytes))) {}
  void AddBounds(std::span<const std::uint64_t> bounds) { builder_.AddBounds(bounds); }
  void AddWords(std::uint64_t base, std::span<const std::uint64_t> words, std::uint64_t any) {
    if (any != 0) builder_.AddWords(base, words);
  }
  void AddLeaf(const Leaf& leaf, std::span<const std::byte> page) { builder_.AddPage(leaf, page); }
  void AddLargest() { builder_.Add(kNoKey); }
  Buffer Finish() { return *builder_.Finish(); }

 private:
  SparseTreeBuilder builder_;
};

class SizeSink {
 public:
  static constexpr bool kKeeps = false;
  void AddKeys(std::uint64_t count) { size_ += count; }
  void AddWords(std::uint64_t, std::span<const std::uint64_t>, std::uint64_t count) { size_ += count; }
  void AddLeaf(const Leaf& leaf, std::span<const std::byte>) { size_ += leaf.count(); }
  void AddLargest() { ++size_; }
  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_ = 0;
};

template <Operation operation, class Sink>
void Apply(const SparseSetView& left, const SparseSetView& right, Sink& sink) {
  constexpr bool kKeepsA = Combined<operation>(1, 0) == 1, kKeepsB = Combined<operation>(0, 1) == 1;
  const auto combine = Kernels<operation>::ChooseWords();
  const auto copy = Kernels<Operation::kOr>::ChooseWords();
  using KindOf = Operand::Kind;
  std::array<std::uint64_t, kMostWords> out, scratch_a, scratch_b;
  std::vector<std::uint64_t> bounds;
  Operand a(left), b(right);
  for (Window window{0, 0};; window.first = window.last + 1) {
    a.Seek(window.first);
    b.Seek(window.first);
    window.last = std::min({a.last(), b.last(), kNoKey - 1});
    const bool in_a = a.kind() != KindOf::kNothing, in_b = b.kind() != KindOf::kNothing;
    if ((in_a && in_b) || (in_a && kKeepsA) || (in_b && kKeepsB)) {
      const Leaf* whole = in_a && in_b ? nullptr : (in_a ? a : b).WholeLeaf(window);
      if (whole != nullptr) {
        sink.AddLeaf(*whole, (in_a ? a : b).page());
      } else if (a.kind() == KindOf::kWords || b.kind() == KindOf::kWords) {
        window.last = window.first + std::min(window.last - window.first, kMostWords * 64 - 1 - window.first % 64);
        const std::byte* x = in_a ? a.Words(window, scratch_a) : nullptr;
        const std::byte* y = in_b ? b.Words(window, scratch_b) : nullptr;
        std::uint64_t* to = Sink::kKeeps ? out.data() : nullptr;
        const std::uint64_t count = in_a && in_b ? combine(x, y, window, to) : copy(in_a ? x : y, in_a ? x : y, window, to);
        sink.AddWords(window.first / 64 * 64, std::span(out).first(window.words()), count);
      } else {
        Runs& x = a.Decoded();
        Runs& y = b.Decoded();
        if (const std::size_t most = sparse::MergedBounds(x, y); Sink::kKeeps && bounds.size() < most) bounds.resize(most);
        sparse::MergeRuns<operation, Sink::kKeeps>(x, y, window.first, window.last + 1, bounds.data(), sink);
      }
    }
    if (window.last == kNoKey - 1) break;
  }
  if (Combined<operation>(left.Contains(kNoKey) ? 1 : 0, right.Contains(kNoKey) ? 1 : 0) != 0) sink.AddLargest();
}

// The result needs about so many bytes at most, of which a large mapping holds only those that it comes to touch.
template <Operation operation>
Buffer Combine(const SparseSetView& a, const SparseSetView& b) {
  const std::uint64_t all = a.image().size() + b.image().size(), least = std::min(a.image().size(), b.image().size());
  SetSink sink(std::max<std::uint64_t>((operation == Operation::kAnd ? least : operation == Operation::kAndNot ? a.image().size() : all) * 9 / 8, 1 << 14));
  Apply<operation>(a, b, sink);
  return sink.Finish();
}

}  // namespace

SparseSet And(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combine<Operation::kAnd>(a, b)); }
SparseSet Or(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combine<Operation::kOr>(a, b)); }
SparseSet AndNot(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combine<Operation::kAndNot>(a, b)); }
SparseSet Xor(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combine<Operation::kXor>(a, b)); }

std::uint64_t AndSize(const SparseSetView& a, const SparseSetView& b) {
  SizeSink sink;
  Apply<Operation::kAnd>(a, b, sink);
  return sink.size();
}

std::uint64_t OrSize(const SparseSetView& a, const SparseSetView& b) { return a.size() + b.size() - AndSize(a, b); }
std::uint64_t AndNotSize(const SparseSetView& a, const SparseSetView& b) { return a.size() - AndSize(a, b); }
std::uint64_t XorSize(const SparseSetView& a, const SparseSetView& b) { return a.size() + b.size() - 2 * AndSize(a, b); }

}  // namespace thimble
