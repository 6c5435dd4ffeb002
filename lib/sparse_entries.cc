#include "sparse_entries.h"

#include <algorithm>

namespace thimble::sparse {

namespace {

// Keys of a run at most.
constexpr std::uint64_t kLongestRun = std::uint64_t{1} << 30;
// Keys in a row of two leaves at most, as none has 2^31. What damaged ones claim beyond is cut: it would be split into pieces
// until memory ends.
constexpr std::uint64_t kMostInARow = std::uint64_t{1} << 32;

}  // namespace

THIMBLE_INLINE void Entries::AddInline(std::uint64_t first, std::uint64_t more) {
  if (first <= last_ && any_) return;
  more = std::min(more, ~std::uint64_t{0} - first);
  last_ = first + more;
  any_ = true;
  // Keys with values do not come as runs, so theirs are only kept together.
  const std::uint64_t longest = value_bits_ > 0 ? 15 : kLongestRun - 1;
  if (!runs_.empty() && runs_.back().last() + 1 == first && runs_.back().more + more < longest) {
    runs_.back().more += more + 1;
    ends_.back() += more + 1;
    return;
  }
  while (more > longest) {
    runs_.push_back({first, longest});
    ends_.push_back(ends_.back() + longest + 1);
    first += longest + 1;
    more -= longest + 1;
  }
  runs_.push_back({first, more});
  ends_.push_back(ends_.back() + more + 1);
}

void Entries::Add(std::uint64_t first, std::uint64_t more) { AddInline(first, more); }

void Entries::AddBounds(std::span<const std::uint64_t> bounds) {
  while (bounds.size() >= 2) {
    // Nearly all of them are runs of their own: room is made for all at once.
    const std::size_t before = runs_.size();
    runs_.resize(before + bounds.size() / 2);
    ends_.resize(runs_.size() + 1);
    const std::uint64_t *next = bounds.data(), *const end = next + bounds.size() / 2 * 2;
    Run* run = runs_.data() + before;
    std::uint64_t* keys = ends_.data() + before;
    std::uint64_t behind = any_ ? last_ + 1 : 0, sum = *keys;
    for (; next != end; next += 2) {
      const std::uint64_t first = next[0], length = next[1] - first;
      if (first <= behind || length - 1 >= kLongestRun) break;
      behind = next[1];
      *run++ = {first, length - 1};
      *++keys = sum += length;
    }
    const auto added = static_cast<std::size_t>(next - bounds.data());
    if (added > 0) last_ = behind - 1, any_ = true;
    bounds = bounds.subspan(added);
    if (bounds.size() < 2) return;
    runs_.resize(before + added / 2);
    ends_.resize(runs_.size() + 1);
    if (bounds[0] < bounds[1]) AddInline(bounds[0], std::min(bounds[1] - bounds[0], kMostInARow) - 1);
    bounds = bounds.subspan(2);
  }
}

void Entries::Add(const Leaf& leaf) {
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) { AddInline(first, more); });
  if (value_bits_ > 0) {
    for (std::uint32_t i = 0; i < leaf.count(); ++i) AddValue(leaf.Value(i));
    values_.resize(Count(0, size()));  // a damaged leaf may have fewer than keys
  }
}

void Entries::AddWith(const Leaf& leaf, std::uint64_t key, std::uint64_t value) {
  bool added = false;
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) {
    if (!added && key < first) {
      Add(key);
      added = true;
    }
    Add(first, more);
  });
  if (!added) Add(key);
  if (value_bits_ > 0) {
    const std::uint32_t index = leaf.Find(key).index;
    for (std::uint32_t i = 0; i < index; ++i) AddValue(leaf.Value(i));
    AddValue(value);
    for (std::uint32_t i = index; i < leaf.count(); ++i) AddValue(leaf.Value(i));
  }
}

void Entries::AddWithout(const Leaf& leaf, std::uint64_t key) {
  leaf.ForEachRun([&](std::uint64_t first, std::uint64_t more) {
    if (key < first || key - first > more) return Add(first, more);
    if (key > first) Add(first, key - first - 1);
    if (key - first < more) Add(key + 1, more - (key - first) - 1);
  });
  if (value_bits_ > 0) {
    const std::uint32_t index = leaf.Find(key).index;
    for (std::uint32_t i = 0; i < leaf.count(); ++i) {
      if (i != index) AddValue(leaf.Value(i));
    }
  }
}

void Entries::Drop(std::size_t runs) {
  if (value_bits_ > 0) values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(Count(0, runs)));
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(runs));
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(runs));
}

void Entries::clear() {
  runs_.clear();
  values_.clear();
  ends_.assign(1, 0);
  any_ = false;
}

}  // namespace thimble::sparse
