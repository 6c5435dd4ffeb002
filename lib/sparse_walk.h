#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sparse_node.h"
#include "thimble/sparse_tree.h"

namespace thimble {

// Visits the leaves of a sparse tree in order. The ranges of keys that they are for lie end to end and hold every key.
class SparseTreeWalk {
 public:
  explicit SparseTreeWalk(const SparseTreeView& tree) : tree_(tree) { Descend(0, tree.PageAt(tree.root_), ~std::uint64_t{0}); }

  bool done() const { return done_; }
  // The leaf at hand. Requires: !done().
  sparse::Leaf leaf() const { return {page_.data, page_.bytes, tree_.value_bits_}; }
  std::span<const std::byte> page() const { return {page_.data, page_.bytes}; }
  // The last key of its range.
  std::uint64_t last() const { return last_; }

  void Next() {
    // A damaged tree may lead to one page again and again.
    if (++visited_ >= tree_.pages_) done_ = true;
    for (unsigned level = tree_.height_; !done_ && level > 0; --level) {
      Step& step = steps_[level - 1];
      const sparse::Node node(step.page.data, step.page.bytes);
      if (++step.child < node.count()) return Descend(level, tree_.PageAt(node.Child(step.child)), LastBelow(node, step));
    }
    done_ = true;
  }

 private:
  struct Step {
    SparseTreeView::Page page;
    unsigned child;
    std::uint64_t last;
  };

  static std::uint64_t LastBelow(const sparse::Node& node, const Step& step) {
    return step.child + 1 < node.count() ? node.Key(step.child + 1) - 1 : step.last;
  }

  void Descend(unsigned level, SparseTreeView::Page page, std::uint64_t last) {
    for (; level < tree_.height_; ++level) {
      const sparse::Node node(page.data, page.bytes);
      if (node.count() == 0) {
        done_ = true;
        return;
      }
      steps_[level] = {page, 0, last};
      page = tree_.PageAt(node.Child(0));
      last = LastBelow(node, steps_[level]);
    }
    page_ = page;
    last_ = last;
  }

  SparseTreeView tree_;
  SparseTreeView::Page page_{};
  std::uint64_t last_ = 0, visited_ = 0;
  std::array<Step, SparseTreeView::kMaxHeight> steps_;
  bool done_ = false;
};

}  // namespace thimble
