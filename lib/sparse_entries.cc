#include "sparse_entries.h"

#include <algorithm>

namespace thimble::sparse {

THIMBLE_INLINE void Entries::AddInline(std::uint64_t first, std::uint64_t more) {
  if (first <= last_ && any_) return;
  more = std::min(more, ~std::uint64_t{0} - first);
  last_ = first + more;
  any_ = true;
  // Keys with values do not come as runs, so theirs are only kept together.
  const std::uint64_t longest = value_bits_ > 0 ? 15 : (std::uint64_t{1} << 30) - 1;
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
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2) {
    if (bounds[i] < bounds[i + 1]) AddInline(bounds[i], bounds[i + 1] - bounds[i] - 1);
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
