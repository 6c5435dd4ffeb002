#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "sparse_entries.h"
#include "sparse_node.h"
#include "thimble/buffer.h"
#include "thimble/owner.h"
#include "thimble/sparse_tree.h"

namespace thimble {

// Changes a sparse tree: made for one operation, over the view and the buffer of its owner. On an error nothing changed.
class SparseTreeEditor {
 public:
  SparseTreeEditor(SparseTreeView& view, Buffer& buffer) : view_(view), buffer_(buffer) {}

  // Adds a key, or gives it another value if it is there. Returns whether it was added.
  absl::StatusOr<bool> Insert(std::uint64_t key, std::uint64_t value);
  // Returns whether the key was there.
  absl::StatusOr<bool> Erase(std::uint64_t key);

  static std::uint64_t EmptyBytes(std::uint64_t page_bytes) { return SparseTreeView::kHeaderBytes + page_bytes + kImageSlack; }
  // Writes the image of a tree without keys. Requires: buffer.size() >= EmptyBytes(page_bytes), zeroed.
  static void WriteEmpty(Kind kind, std::uint64_t page_bytes, unsigned value_bits, std::uint64_t default_value, Buffer& buffer);

 private:
  using Child = sparse::Child;
  struct Step {
    std::uint32_t page;
    unsigned child;
  };

  std::byte* Data(std::uint64_t page) const { return buffer_.data() + SparseTreeView::kHeaderBytes + page * view_.page_bytes_; }
  std::uint64_t PageBits() const { return std::uint64_t{view_.page_bytes_} * 8; }
  sparse::Leaf LeafAt(std::uint64_t page) const { return {Data(page), view_.page_bytes_, view_.value_bits_}; }
  std::uint64_t Parameter(SparseTreeView::Parameter parameter) const;
  void SetParameter(SparseTreeView::Parameter parameter, std::uint64_t value);

  // Fills path_; returns the leaf's page.
  std::uint32_t Descend(std::uint64_t key);
  void LowerFirstKeys(std::uint64_t key);
  // The last key that may stand in the leaf that the path leads to, or in its sibling `after` places on.
  std::uint64_t LastPossible(unsigned after) const;
  void Count(std::int64_t change);
  void AddToSums(unsigned levels, std::int64_t change);

  // Makes sure that there are pages for so many more leaves, and for the nodes that split over them.
  absl::Status ReserveFor(std::uint64_t leaves);
  std::uint32_t TakePage();
  void FreePage(std::uint32_t page);

  std::vector<Child> ChildrenOf(std::uint32_t page) const;
  std::vector<Child> ChildrenAt(unsigned level) const { return ChildrenOf(path_[level].page); }
  // Joins two neighbouring nodes if they fit in one with room.
  void JoinNodes(std::vector<Child>& nodes, std::size_t left);
  void WriteNode(std::uint32_t page, std::span<const Child> children);
  // Spreads the children of a node that is too small for them over it and its neighbours; returns what stands in the node above.
  std::vector<Child> ShareChildren(unsigned level, const std::vector<Child>& children);
  // Gives the node of the path at `level` these children, splitting or removing nodes above as needed.
  void PutChildren(unsigned level, std::vector<Child> children, bool appending);

  enum class Edit { kInsert, kErase, kMerge };
  // Codes the leaf that the path leads to anew, alone or with its neighbours, one key more or less.
  absl::Status Recode(Edit edit, std::uint32_t page, std::uint64_t key, std::uint64_t value, std::size_t most);
  absl::Status Append(std::uint32_t page, std::uint64_t key, std::uint64_t value);
  struct Window {
    std::size_t first, count;
    double need;   // pages that its leaves would fill
    double pages;  // and with the room that they are left
  };
  Window ChooseWindow(const std::vector<Child>& siblings, std::size_t at, std::size_t most) const;
  // Once a part of the pages is unused, moves the last ones into their places and gives them back.
  void TrimIfLoose();
  std::uint32_t MoveBelow(std::uint32_t page, unsigned level, std::uint64_t end, std::vector<std::uint32_t>& holes);
  void MergeIfSparse(std::uint32_t page, std::uint64_t key, bool erased);

  SparseTreeView& view_;
  Buffer& buffer_;
  std::array<Step, SparseTreeView::kMaxHeight> path_;
};

}  // namespace thimble
