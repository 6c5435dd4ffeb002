#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace thimble {

// A random access iterator over any view with operator[] and value_type. It holds a copy of the view, and yields values, not
// references.
template <class View>
class IndexedIterator {
 public:
  using iterator_category = std::input_iterator_tag;  // for C++17 algorithms, which ask forward ones for references
  using iterator_concept = std::random_access_iterator_tag;
  using value_type = typename View::value_type;
  using difference_type = std::ptrdiff_t;
  using reference = value_type;
  using pointer = void;

  IndexedIterator() = default;
  IndexedIterator(const View& view, std::uint64_t index) : view_(view), index_(index) {}

  std::uint64_t index() const { return index_; }
  value_type operator*() const { return view_[index_]; }
  value_type operator[](difference_type n) const { return view_[index_ + static_cast<std::uint64_t>(n)]; }

  IndexedIterator& operator++() { return *this += 1; }
  IndexedIterator& operator--() { return *this -= 1; }
  IndexedIterator operator++(int) { return Old(1); }
  IndexedIterator operator--(int) { return Old(-1); }
  IndexedIterator& operator+=(difference_type n) {
    index_ += static_cast<std::uint64_t>(n);
    return *this;
  }
  IndexedIterator& operator-=(difference_type n) { return *this += -n; }
  friend IndexedIterator operator+(IndexedIterator it, difference_type n) { return it += n; }
  friend IndexedIterator operator+(difference_type n, IndexedIterator it) { return it += n; }
  friend IndexedIterator operator-(IndexedIterator it, difference_type n) { return it -= n; }
  friend difference_type operator-(const IndexedIterator& a, const IndexedIterator& b) {
    return static_cast<difference_type>(a.index_ - b.index_);
  }
  friend bool operator==(const IndexedIterator& a, const IndexedIterator& b) { return a.index_ == b.index_; }
  friend auto operator<=>(const IndexedIterator& a, const IndexedIterator& b) { return a.index_ <=> b.index_; }

 private:
  IndexedIterator Old(difference_type n) {
    IndexedIterator old = *this;
    *this += n;
    return old;
  }

  View view_;
  std::uint64_t index_ = 0;
};

// Calls visit(value) for each of `size` values in order: decode(from, block) copies as many of them as the block has room for,
// from that index on. Few, so that the machine decodes a block while it still visits the one before.
template <class Decode, class Visit>
void ForEachDecoded(std::uint64_t size, Decode decode, Visit visit) {
  alignas(64) std::array<std::uint64_t, 128> block;
  for (std::uint64_t i = 0; i < size; i += block.size()) {
    const auto values = std::span(block).first(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size - i)));
    decode(i, values);
    for (const std::uint64_t value : values) visit(value);
  }
}

}  // namespace thimble
