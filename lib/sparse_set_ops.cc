// Set operations: two sets are read side by side, leaf by leaf, as runs, or as words where both have bitmaps.

#include <algorithm>
#include <array>
#include <vector>

#include "cpu.h"
#include "sparse_build.h"
#include "thimble/sparse_set.h"

namespace thimble {
namespace {

using sparse::Leaf;

enum class Operation { kAnd, kOr, kAndNot, kXor };

constexpr bool Keeps(Operation operation, bool in_a, bool in_b) {
  switch (operation) {
    case Operation::kAnd: return in_a && in_b;
    case Operation::kOr: return in_a || in_b;
    case Operation::kAndNot: return in_a && !in_b;
    case Operation::kXor: return in_a != in_b;
  }
  return false;
}

// The words of a run of keys that both operands have as bitmaps; the result goes to `out` unless that is null. Returns how
// many keys it has.
template <Operation operation>
THIMBLE_INLINE std::uint64_t Combine(const std::byte* a, const std::byte* b, std::size_t words, std::uint64_t* out) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < words; ++i) {
    const auto x = Load<std::uint64_t>(a + i * 8), y = Load<std::uint64_t>(b + i * 8);
    const std::uint64_t word = operation == Operation::kAnd ? x & y : operation == Operation::kOr ? x | y : operation == Operation::kXor ? x ^ y : x & ~y;
    if (out != nullptr) out[i] = word;
    count += sparse::Popcount(word);
  }
  return count;
}

using CombineFunction = std::uint64_t (*)(const std::byte*, const std::byte*, std::size_t, std::uint64_t*);

template <Operation operation>
std::uint64_t CombinePortable(const std::byte* a, const std::byte* b, std::size_t words, std::uint64_t* out) {
  return Combine<operation>(a, b, words, out);
}
#if THIMBLE_HAS_AVX2_KERNELS
template <Operation operation>
THIMBLE_TARGET_AVX2 std::uint64_t CombineAvx2(const std::byte* a, const std::byte* b, std::size_t words, std::uint64_t* out) {
  return Combine<operation>(a, b, words, out);
}
#endif

template <Operation operation>
CombineFunction ChooseCombine() {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return CombineAvx2<operation>;
#endif
  return CombinePortable<operation>;
}

// One operand: where it is in its leaf. What has been passed is gone.
class Cursor {
 public:
  explicit Cursor(const SparseSetView& set) : set_(set) {
    if (!set.empty()) next_ = set.LeafOf(0);
    Refill();
  }

  bool done() const { return done_; }
  // Whole words from `base` on have not been passed; no other leaf has keys in them.
  bool is_bitmap() const { return at_ == runs_.size() && words_ > 0; }
  std::uint64_t base() const { return base_; }
  std::size_t words() const { return words_; }
  const std::byte* data() const { return data_; }
  void SkipWords(std::size_t words) {
    data_ += words * 8;
    base_ += words * 64;
    words_ -= words;
    if (words_ == 0) Refill();
  }

  // The run at hand, of a bitmap's next word if need be. Requires: !done().
  sparse::Run run() {
    if (at_ == runs_.size()) Refill();
    return runs_[at_];
  }
  // Passes the keys below `to` of the run at hand, which begins below it.
  void PassTo(std::uint64_t to) {
    sparse::Run& run = runs_[at_];
    if (to - run.first <= run.more) {
      run.more -= to - run.first;
      run.first = to;
    } else {
      PassRun();
    }
  }
  void PassRun() {
    if (++at_ == runs_.size() && words_ == 0) Refill();
  }

 private:
  // Finds what comes next: runs of the first word that is left, of the words' tail, or of the next leaf, or its words.
  void Refill() {
    runs_.clear();
    at_ = 0;
    while (runs_.empty()) {
      if (words_ > 0) {
        AddWordAsRuns(base_, Load<std::uint64_t>(data_));
        data_ += 8;
        base_ += 64;
        --words_;
      } else if (tail_ != 0) {
        AddWordAsRuns(tail_base_, std::exchange(tail_, 0));
      } else {
        NextLeaf();
        if (done_ || words_ > 0) return;
      }
    }
  }

  void NextLeaf() {
    if (next_rank_ >= set_.size()) {
      done_ = true;
      return;
    }
    const SparseTreeView::LeafPage place = next_;
    next_rank_ = std::max(place.next, next_rank_ + 1);
    if (next_rank_ < set_.size()) next_ = set_.LeafOf(next_rank_);
    const Leaf leaf(place.page, place.bytes, 0);
    if (leaf.codec() != sparse::kBitmap || leaf.base() % 64 != 0) {
      leaf.ForEachRun([this](std::uint64_t first, std::uint64_t more) { runs_.push_back({first, more}); });
      end_ = runs_.empty() ? end_ : runs_.back().last();
      return;
    }
    // A first or last word may have keys of the neighbours too; then its own become runs.
    unsigned from = 0, to = leaf.size();
    while (from < to && leaf.Word(from) == 0) ++from;
    while (to > from && leaf.Word(to - 1) == 0) --to;
    if (from == to) return;
    if (end_ / 64 == leaf.base() / 64 + from) {
      AddWordAsRuns(leaf.base() + from * 64, leaf.Word(from));
      ++from;
    }
    end_ = leaf.base() + (to - 1) * 64;
    if (from < to && next_rank_ < set_.size() && set_.Select(next_rank_) / 64 == end_ / 64) {
      --to;
      tail_ = leaf.Word(to);
      tail_base_ = leaf.base() + to * 64;
    }
    data_ = leaf.words() + from * 8;
    base_ = leaf.base() + from * 64;
    words_ = to - from;
  }

  void AddWordAsRuns(std::uint64_t base, std::uint64_t word) {
    while (word != 0) {
      const unsigned first = sparse::LowestBit(word);
      const std::uint64_t rest = ~(word >> first);
      const unsigned length = rest == 0 ? 64 : sparse::LowestBit(rest);
      runs_.push_back({base + first, length - 1});
      word &= first + length >= 64 ? 0 : ~std::uint64_t{0} << (first + length);
    }
  }

  SparseSetView set_;
  SparseTreeView::LeafPage next_{};
  std::uint64_t next_rank_ = 0;  // of next_
  std::uint64_t end_ = ~std::uint64_t{0};  // a key in the last word of the leaf before
  std::uint64_t base_ = 0, tail_ = 0, tail_base_ = 0;
  std::size_t words_ = 0, at_ = 0;
  const std::byte* data_ = nullptr;
  std::vector<sparse::Run> runs_;
  bool done_ = false;
};

// What becomes of the result: a set, or its size only.
class SetSink {
 public:
  static constexpr bool kWantsWords = true;
  void Add(std::uint64_t first, std::uint64_t more) { builder_.Add(first, more); }
  void AddWords(std::uint64_t base, std::span<const std::uint64_t> words, std::uint64_t) { builder_.AddWords(base, words); }
  Buffer Finish() { return *builder_.Finish(); }

 private:
  SparseTreeBuilder builder_{Kind::kSparseSet, 0, 0, SparseTreeBuilder::kMutable};
};

class SizeSink {
 public:
  static constexpr bool kWantsWords = false;
  void Add(std::uint64_t, std::uint64_t more) { size_ += more + 1; }
  void AddWords(std::uint64_t, std::span<const std::uint64_t>, std::uint64_t count) { size_ += count; }
  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_ = 0;
};

template <Operation operation, class Sink>
void Apply(const SparseSetView& left, const SparseSetView& right, Sink& sink) {
  constexpr bool kKeepsA = Keeps(operation, true, false), kKeepsB = Keeps(operation, false, true), kKeepsBoth = Keeps(operation, true, true);
  const CombineFunction combine = ChooseCombine<operation>();
  std::array<std::uint64_t, 1024> out;
  Cursor a(left), b(right);
  // Passes words that one operand alone has.
  const auto alone = [&](Cursor& cursor, std::size_t words, bool keeps) {
    for (words = std::min(words, cursor.words()); words > 0;) {
      const std::size_t n = std::min(words, out.size());
      if (keeps) {
        // x | x, with the kernel of Or.
        static const CombineFunction copy = ChooseCombine<Operation::kOr>();
        const std::uint64_t count = copy(cursor.data(), cursor.data(), n, out.data());
        sink.AddWords(cursor.base(), {out.data(), n}, count);
      }
      words -= n;
      cursor.SkipWords(n);
    }
  };
  while (!a.done() && !b.done()) {
    if (a.is_bitmap() && b.is_bitmap()) {
      if (a.base() < b.base()) {
        alone(a, static_cast<std::size_t>((b.base() - a.base()) / 64), kKeepsA);
      } else if (b.base() < a.base()) {
        alone(b, static_cast<std::size_t>((a.base() - b.base()) / 64), kKeepsB);
      } else {
        const std::size_t n = std::min({a.words(), b.words(), out.size()});
        const std::uint64_t count = combine(a.data(), b.data(), n, Sink::kWantsWords ? out.data() : nullptr);
        sink.AddWords(a.base(), {out.data(), n}, count);
        a.SkipWords(n);
        b.SkipWords(n);
      }
      continue;
    }
    const sparse::Run x = a.run(), y = b.run();
    if (x.first < y.first) {
      const std::uint64_t to = x.last() < y.first ? x.last() : y.first - 1;
      if (kKeepsA) sink.Add(x.first, to - x.first);
      to == x.last() ? a.PassRun() : a.PassTo(to + 1);
    } else if (y.first < x.first) {
      const std::uint64_t to = y.last() < x.first ? y.last() : x.first - 1;
      if (kKeepsB) sink.Add(y.first, to - y.first);
      to == y.last() ? b.PassRun() : b.PassTo(to + 1);
    } else {
      const std::uint64_t to = std::min(x.last(), y.last());
      if (kKeepsBoth) sink.Add(x.first, to - x.first);
      to == x.last() ? a.PassRun() : a.PassTo(to + 1);
      to == y.last() ? b.PassRun() : b.PassTo(to + 1);
    }
  }
  const auto rest = [&](Cursor& cursor) {
    while (!cursor.done()) {
      if (cursor.is_bitmap()) {
        alone(cursor, cursor.words(), true);
      } else {
        const sparse::Run run = cursor.run();
        sink.Add(run.first, run.more);
        cursor.PassRun();
      }
    }
  };
  if (kKeepsA) rest(a);
  if (kKeepsB) rest(b);
}

template <Operation operation>
Buffer Combined(const SparseSetView& a, const SparseSetView& b) {
  SetSink sink;
  Apply<operation>(a, b, sink);
  return sink.Finish();
}

}  // namespace

SparseSet And(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combined<Operation::kAnd>(a, b)); }
SparseSet Or(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combined<Operation::kOr>(a, b)); }
SparseSet AndNot(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combined<Operation::kAndNot>(a, b)); }
SparseSet Xor(const SparseSetView& a, const SparseSetView& b) { return SparseSet::Adopt(Combined<Operation::kXor>(a, b)); }

std::uint64_t AndSize(const SparseSetView& a, const SparseSetView& b) {
  SizeSink sink;
  Apply<Operation::kAnd>(a, b, sink);
  return sink.size();
}

std::uint64_t OrSize(const SparseSetView& a, const SparseSetView& b) { return a.size() + b.size() - AndSize(a, b); }
std::uint64_t AndNotSize(const SparseSetView& a, const SparseSetView& b) { return a.size() - AndSize(a, b); }
std::uint64_t XorSize(const SparseSetView& a, const SparseSetView& b) { return a.size() + b.size() - 2 * AndSize(a, b); }

}  // namespace thimble
