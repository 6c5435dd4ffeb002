#include "sparse_editor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sparse_leaf_edit.h"
#include "sparse_leaf_plan.h"
#include "sparse_node.h"
#include "status_macros.h"

namespace thimble {

using sparse::Change;
using sparse::Entries;
using sparse::Leaf;
using sparse::LeafPlan;
using sparse::Node;

namespace {

// Leaves that are coded anew together. More fill the pages better: they are full but for one part in so many. Fewer cost less.
constexpr std::size_t kWindow = 12;
constexpr std::size_t kBitmapWindow = 48;  // bitmaps are full once and for all
// How full leaves may be after they were coded anew; what is left takes the next keys without another round.
constexpr double kFull = 0.95;

// Inner nodes that share their children when one is full, before another is made.
constexpr std::size_t kNodeWindow = 6;

std::uint64_t Capacity(std::uint64_t page_bytes) { return (page_bytes - sparse::kNodeHeaderBytes) / sparse::kChildBytes; }

std::uint64_t Total(std::span<const sparse::Child> children) {
  std::uint64_t sum = 0;
  for (const sparse::Child& child : children) sum += child.count;
  return sum;
}

}  // namespace

void SparseTreeEditor::WriteEmpty(Kind kind, std::uint64_t page_bytes, unsigned value_bits, std::uint64_t default_value, Buffer& buffer) {
  ImageHeader header{.kind = kind, .header_bytes = SparseTreeView::kHeaderBytes};
  header.image_bytes = SparseTreeView::kHeaderBytes + (buffer.size() - EmptyBytes(0)) / page_bytes * page_bytes + kImageSlack;
  header.used_bytes = EmptyBytes(page_bytes);
  header.parameters[SparseTreeView::kPageBytes] = page_bytes;
  header.parameters[SparseTreeView::kUnitBytes] = page_bytes;
  header.parameters[SparseTreeView::kValueBits] = value_bits;
  header.parameters[SparseTreeView::kPages] = 1;
  header.parameters[SparseTreeView::kFirstFree] = ~std::uint32_t{0};
  header.parameters[SparseTreeView::kDefaultValue] = default_value;
  header.Write(buffer.bytes());
}

std::uint64_t SparseTreeEditor::Parameter(SparseTreeView::Parameter parameter) const {
  return Load<std::uint64_t>(buffer_.data() + 48 + parameter * std::size_t{8});
}

void SparseTreeEditor::SetParameter(SparseTreeView::Parameter parameter, std::uint64_t value) {
  Store(buffer_.data() + 48 + parameter * std::size_t{8}, value);
}

void SparseTreeEditor::Count(std::int64_t change) {
  view_.count_ += static_cast<std::uint64_t>(change);
  Store(buffer_.data() + 16, view_.count_);
}

std::uint32_t SparseTreeEditor::Descend(std::uint64_t key) {
  auto page = static_cast<std::uint32_t>(view_.root_);
  for (unsigned level = 0; level < view_.height_; ++level) {
    const Node node(Data(page), view_.page_bytes_);
    const unsigned child = node.ChildOf(key);
    path_[level] = {page, child};
    page = node.Child(child);
  }
  return page;
}

std::uint64_t SparseTreeEditor::LastPossible(unsigned after) const {
  for (unsigned level = view_.height_; level > 0; --level, after = 0) {
    const Node node(Data(path_[level - 1].page), view_.page_bytes_);
    const unsigned next = path_[level - 1].child + after + 1;
    if (next < node.count()) return node.Key(next) - 1;
  }
  return ~std::uint64_t{0};
}

void SparseTreeEditor::AddToSums(unsigned levels, std::int64_t change) {
  for (unsigned level = 0; level < levels; ++level) {
    std::byte* page = Data(path_[level].page);
    const Node node(page, view_.page_bytes_);
    std::byte* sums = page + sparse::kNodeHeaderBytes + node.capacity() * std::size_t{8};
    for (std::size_t i = path_[level].child; i < node.count(); ++i) {
      Store(sums + i * 8, Load<std::uint64_t>(sums + i * 8) + static_cast<std::uint64_t>(change));
    }
  }
}

absl::Status SparseTreeEditor::ReserveFor(std::uint64_t leaves) {
  std::uint64_t pages = leaves, added = leaves;
  unsigned level = view_.height_;
  for (; level > 0 && added > 0; --level) {
    const Node node(Data(path_[level - 1].page), view_.page_bytes_);
    added = node.count() + added > Capacity(view_.page_bytes_) ? 1 : 0;
    pages += added;
  }
  if (level == 0 && added > 0) ++pages;  // a new root
  const std::uint64_t free = Parameter(SparseTreeView::kFreePages);
  const std::uint64_t room = (view_.image_bytes_ - EmptyBytes(0)) / view_.page_bytes_ - view_.pages_;
  if (pages <= free + room) return absl::OkStatus();
  // A few pages at a time: a mapping grows without copying, and what is reserved counts.
  const std::uint64_t more = std::max(pages - free - room, std::min<std::uint64_t>(16, view_.pages_ / 64));
  const std::uint64_t bytes = view_.image_bytes_ + more * view_.page_bytes_;
  THIMBLE_RETURN_IF_ERROR(buffer_.Grow(static_cast<std::size_t>(bytes)));
  view_.data_ = buffer_.data();
  view_.image_bytes_ = bytes;
  Store(buffer_.data() + 8, bytes);
  return absl::OkStatus();
}

std::uint32_t SparseTreeEditor::TakePage() {
  if (const std::uint64_t free = Parameter(SparseTreeView::kFreePages); free > 0) {
    const auto page = static_cast<std::uint32_t>(Parameter(SparseTreeView::kFirstFree));
    SetParameter(SparseTreeView::kFirstFree, Load<std::uint32_t>(Data(page)));
    SetParameter(SparseTreeView::kFreePages, free - 1);
    return page;
  }
  const auto page = static_cast<std::uint32_t>(view_.pages_++);
  SetParameter(SparseTreeView::kPages, view_.pages_);
  Store(buffer_.data() + 24, EmptyBytes(view_.pages_ * view_.page_bytes_));
  return page;
}

void SparseTreeEditor::FreePage(std::uint32_t page) {
  Store(Data(page), static_cast<std::uint32_t>(Parameter(SparseTreeView::kFirstFree)));
  SetParameter(SparseTreeView::kFirstFree, page);
  SetParameter(SparseTreeView::kFreePages, Parameter(SparseTreeView::kFreePages) + 1);
}

std::vector<SparseTreeEditor::Child> SparseTreeEditor::ChildrenOf(std::uint32_t page) const {
  const Node node(Data(page), view_.page_bytes_);
  std::vector<Child> children;
  children.reserve(node.count() + kWindow);
  for (unsigned i = 0; i < node.count(); ++i) children.push_back({node.Key(i), node.Sum(i) - node.Below(i), node.Child(i)});
  return children;
}

void SparseTreeEditor::WriteNode(std::uint32_t page, std::span<const Child> children) {
  sparse::WriteNode(Data(page), Capacity(view_.page_bytes_), children);
}

void SparseTreeEditor::JoinNodes(std::vector<Child>& nodes, std::size_t left) {
  const Child right = nodes[left + 1];
  std::vector<Child> children = ChildrenOf(nodes[left].page), more = ChildrenOf(right.page);
  if (children.size() + more.size() > Capacity(view_.page_bytes_) * 2 / 3) return;
  more[0].key = right.key;
  children.insert(children.end(), more.begin(), more.end());
  WriteNode(nodes[left].page, children);
  FreePage(right.page);
  nodes[left].count += right.count;
  nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(left) + 1);
}

std::vector<SparseTreeEditor::Child> SparseTreeEditor::ShareChildren(unsigned level, const std::vector<Child>& children) {
  std::vector<Child> nodes = ChildrenAt(level - 1), all;
  const std::size_t at = path_[level - 1].child, capacity = Capacity(view_.page_bytes_);
  const std::size_t first = at - std::min(at, kNodeWindow / 2), window = std::min(kNodeWindow, nodes.size() - first);
  std::vector<std::uint32_t> pages;
  for (std::size_t i = first; i < first + window; ++i) {
    const std::size_t begin = all.size();
    const std::vector<Child> below = i == at ? children : ChildrenOf(nodes[i].page);
    all.insert(all.end(), below.begin(), below.end());
    all[begin].key = nodes[i].key;
    pages.push_back(nodes[i].page);
  }
  if (all.size() > window * capacity * 15 / 16) pages.push_back(TakePage());
  std::vector<Child> shared;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::size_t from = all.size() * i / pages.size(), to = all.size() * (i + 1) / pages.size();
    const std::span<const Child> part = std::span(all).subspan(from, to - from);
    WriteNode(pages[i], part);
    shared.push_back({part[0].key, Total(part), pages[i]});
  }
  const auto begin = nodes.begin() + static_cast<std::ptrdiff_t>(first);
  nodes.insert(nodes.erase(begin, begin + static_cast<std::ptrdiff_t>(window)), shared.begin(), shared.end());
  return nodes;
}

void SparseTreeEditor::PutChildren(unsigned level, std::vector<Child> children, bool appending) {
  const std::size_t capacity = Capacity(view_.page_bytes_);
  for (;; --level) {
    const std::uint32_t page = path_[level].page;
    std::vector<Child> nodes;  // what stands for this node in the one above
    if (children.empty()) {
      FreePage(page);
    } else if (children.size() <= capacity) {
      WriteNode(page, children);
      nodes.push_back({children[0].key, Total(children), page});
    } else if (appending || level == 0) {
      const std::size_t left = appending ? capacity : children.size() / 2;
      WriteNode(page, std::span(children).first(left));
      const std::uint32_t right = TakePage();
      WriteNode(right, std::span(children).subspan(left));
      nodes.push_back({children[0].key, Total(std::span(children).first(left)), page});
      nodes.push_back({children[left].key, Total(std::span(children).subspan(left)), right});
    } else {
      children = ShareChildren(level, children);
      continue;
    }
    if (level == 0) {
      if (nodes.size() == 2) {
        view_.root_ = TakePage();
        WriteNode(static_cast<std::uint32_t>(view_.root_), nodes);
        ++view_.height_;
      }
      break;
    }
    std::vector<Child> parents = ChildrenAt(level - 1);
    const std::size_t at = path_[level - 1].child;
    if (!nodes.empty()) nodes[0].key = parents[at].key;
    parents.erase(parents.begin() + static_cast<std::ptrdiff_t>(at));
    parents.insert(parents.begin() + static_cast<std::ptrdiff_t>(at), nodes.begin(), nodes.end());
    if (nodes.size() == 1 && children.size() < capacity / 3 && parents.size() > 1) JoinNodes(parents, at + 1 < parents.size() ? at : at - 1);
    children = std::move(parents);
  }
  // A root with a single child is not needed.
  while (view_.height_ > 0) {
    const Node node(Data(view_.root_), view_.page_bytes_);
    if (node.count() > 1) break;
    const std::uint32_t child = node.Child(0);
    FreePage(static_cast<std::uint32_t>(view_.root_));
    view_.root_ = child;
    --view_.height_;
  }
  SetParameter(SparseTreeView::kRoot, view_.root_);
  SetParameter(SparseTreeView::kHeight, view_.height_);
}

// A key below all others goes to the first child of every node on its way: those children begin with it from now on, so that
// what they are split by stays in order.
void SparseTreeEditor::LowerFirstKeys(std::uint64_t key) {
  for (unsigned level = 0; level < view_.height_; ++level) {
    if (Node(Data(path_[level].page), view_.page_bytes_).Key(0) <= key) continue;
    std::vector<Child> children = ChildrenAt(level);
    children[0].key = key;
    WriteNode(path_[level].page, children);
  }
}

absl::StatusOr<bool> SparseTreeEditor::Insert(std::uint64_t key, std::uint64_t value) {
  const std::uint32_t page = Descend(key);
  LowerFirstKeys(key);
  switch (sparse::InsertInLeaf(Data(page), view_.page_bytes_, view_.value_bits_, key, value)) {
    case Change::kNothing: return false;
    case Change::kDone:
      AddToSums(view_.height_, 1);
      MergeIfSparse(page, key, false);
      break;
    case Change::kNoRoom:
      THIMBLE_RETURN_IF_ERROR(Recode(Edit::kInsert, page, key, value, kWindow));
      TrimIfLoose();
      break;
  }
  Count(1);
  return true;
}

absl::StatusOr<bool> SparseTreeEditor::Erase(std::uint64_t key) {
  const std::uint32_t page = Descend(key);
  switch (sparse::EraseFromLeaf(Data(page), view_.page_bytes_, view_.value_bits_, key)) {
    case Change::kNothing: return false;
    case Change::kNoRoom: THIMBLE_RETURN_IF_ERROR(Recode(Edit::kErase, page, key, 0, kWindow)); break;
    case Change::kDone:
      AddToSums(view_.height_, -1);
      MergeIfSparse(page, key, true);
      break;
  }
  Count(-1);
  return true;
}

std::uint32_t SparseTreeEditor::MoveBelow(std::uint32_t page, unsigned level, std::uint64_t end, std::vector<std::uint32_t>& holes) {
  if (page >= end) {
    std::memcpy(Data(holes.back()), Data(page), view_.page_bytes_);
    page = holes.back();
    holes.pop_back();
  }
  const Node node(Data(page), view_.page_bytes_);
  for (unsigned i = 0; level > 0 && i < node.count(); ++i) {
    if (level == 1 && node.Child(i) < end) continue;
    const std::uint32_t moved = MoveBelow(node.Child(i), level - 1, end, holes);
    Store(Data(page) + sparse::kNodeHeaderBytes + node.capacity() * std::size_t{16} + i * std::size_t{4}, moved);
  }
  return page;
}

void SparseTreeEditor::TrimIfLoose() {
  const std::uint64_t free = Parameter(SparseTreeView::kFreePages);
  const std::uint64_t room = (view_.image_bytes_ - EmptyBytes(view_.pages_ * view_.page_bytes_)) / view_.page_bytes_;
  if (free + room == 0 || free * 256 + room * 32 < view_.pages_) return;
  const std::uint64_t end = view_.pages_ - free;
  std::vector<std::uint32_t> holes;
  for (auto page = static_cast<std::uint32_t>(Parameter(SparseTreeView::kFirstFree)); page < view_.pages_; page = Load<std::uint32_t>(Data(page))) {
    if (page < end) holes.push_back(page);
  }
  view_.root_ = MoveBelow(static_cast<std::uint32_t>(view_.root_), view_.height_, end, holes);
  view_.pages_ = end;
  view_.image_bytes_ = EmptyBytes(end * view_.page_bytes_);
  SetParameter(SparseTreeView::kRoot, view_.root_);
  SetParameter(SparseTreeView::kPages, end);
  SetParameter(SparseTreeView::kFirstFree, ~std::uint32_t{0});
  SetParameter(SparseTreeView::kFreePages, 0);
  Store(buffer_.data() + 8, view_.image_bytes_);
  Store(buffer_.data() + 24, view_.image_bytes_);
  if (buffer_.size() - view_.image_bytes_ > view_.image_bytes_ / 32) buffer_.Shrink(static_cast<std::size_t>(view_.image_bytes_));
  view_.data_ = buffer_.data();
}

void SparseTreeEditor::MergeIfSparse(std::uint32_t page, std::uint64_t key, bool erased) {
  const Leaf leaf = LeafAt(page);
  if (leaf.count() == 0) {
    std::memset(Data(page), 0, view_.page_bytes_);
    if (view_.height_ == 0) return;
    std::vector<Child> siblings = ChildrenAt(view_.height_ - 1u);
    siblings.erase(siblings.begin() + path_[view_.height_ - 1u].child);
    FreePage(page);
    // An inner node that lost its first child keeps its place: nothing below it is smaller than what stood there.
    PutChildren(view_.height_ - 1u, std::move(siblings), false);
    return TrimIfLoose();
  }
  // Looked at now and then only. A bitmap that fills its page in part lies between two that fill theirs.
  if (!erased && leaf.codec() == sparse::kBitmap && view_.value_bits_ == 0 && view_.height_ > 0) {
    if (leaf.count() % 256 != 0 || sparse::UsedBits(leaf) > PageBits() * 15 / 16) return;
    const Step& step = path_[view_.height_ - 1u];
    const Window window = ChooseWindow(ChildrenOf(step.page), step.child, kBitmapWindow);
    if (std::ceil(window.pages) < static_cast<double>(window.count)) (void)Recode(Edit::kMerge, page, key, 0, kBitmapWindow);
    return TrimIfLoose();
  }
  // Leaves of runs also shrink when keys are added, as runs join.
  const bool runs = leaf.codec() == sparse::kRuns && leaf.length_width() > 0;
  const bool sparse = runs ? leaf.size() % 8 == 0 && sparse::UsedBits(leaf) < PageBits() * 9 / 10
                           : erased && leaf.count() % 64 == 0 && (leaf.codec() == sparse::kBitmap || sparse::UsedBits(leaf) < PageBits() / 2);
  // It takes no new page, so it cannot fail for want of one; if it does, the leaf stays as it is.
  if (!sparse) return;
  (void)Recode(Edit::kMerge, page, key, 0, kWindow);
  TrimIfLoose();
}

SparseTreeEditor::Window SparseTreeEditor::ChooseWindow(const std::vector<Child>& siblings, std::size_t at, std::size_t most) const {
  const std::size_t from = at + 1 > most ? at + 1 - most : 0, to = std::min(siblings.size(), at + most);
  std::vector<double> need, pages;
  for (std::size_t i = from; i < to; ++i) {
    const Leaf leaf = LeafAt(siblings[i].page);
    need.push_back(static_cast<double>(sparse::UsedBits(leaf)) / static_cast<double>(PageBits()));
    pages.push_back(leaf.codec() == sparse::kBitmap && view_.value_bits_ == 0 ? need.back() : need.back() / kFull);
  }
  const std::size_t count = std::min(most, to - from);
  Window best{from, count, 0, 2.0 * static_cast<double>(most)};
  for (std::size_t first = from; first + count <= to; ++first) {
    if (first > at || first + count <= at) continue;
    double used = 0, sum = 0;
    for (std::size_t i = first; i < first + count; ++i) used += need[i - from], sum += pages[i - from];
    if (sum < best.pages) best = {first, count, used, sum};
  }
  return best;
}

absl::Status SparseTreeEditor::Append(std::uint32_t page, std::uint64_t key, std::uint64_t value) {
  THIMBLE_RETURN_IF_ERROR(ReserveFor(1));
  Entries entries(view_.value_bits_);
  entries.Add(key);
  if (view_.value_bits_ > 0) entries.AddValue(value);
  const std::uint32_t added = TakePage();
  sparse::WriteLeaf(sparse::PlanLeaf(entries, 0, PageBits(), PageBits()), entries, 0, ~std::uint64_t{0}, false, Data(added), view_.page_bytes_);
  if (view_.height_ == 0) {
    path_[0] = {TakePage(), 0};
    view_.root_ = path_[0].page;
    view_.height_ = 1;
    PutChildren(0, {{0, view_.count_, page}, {key, 1, added}}, true);
    return absl::OkStatus();
  }
  std::vector<Child> siblings = ChildrenAt(view_.height_ - 1u);
  siblings.push_back({key, 1, added});
  PutChildren(view_.height_ - 1u, std::move(siblings), true);
  return absl::OkStatus();
}

absl::Status SparseTreeEditor::Recode(Edit edit, std::uint32_t page, std::uint64_t key, std::uint64_t value, std::size_t most) {
  const Leaf leaf = LeafAt(page);
  const auto add_changed = [&](Entries& entries) {
    if (edit == Edit::kInsert) entries.AddWith(leaf, key, value);
    if (edit == Edit::kErase) entries.AddWithout(leaf, key);
    if (edit == Edit::kMerge) entries.Add(leaf);
  };
  Entries entries(view_.value_bits_);
  add_changed(entries);
  const std::uint64_t page_bits = PageBits(), last_possible = LastPossible(0);
  const LeafPlan alone = sparse::PlanLeaf(entries, 0, static_cast<std::uint64_t>(kFull * static_cast<double>(page_bits)), page_bits);
  // A leaf that another codec makes much smaller leaves its room to its neighbours.
  const bool fits = alone.runs == entries.size(), merges = edit == Edit::kMerge && view_.height_ > 0;
  const bool shares = merges || (alone.bits <= page_bits / 2 && view_.height_ > 0 && sparse::UsedBits(leaf) > page_bits / 2);
  const auto write_alone = [&] {
    sparse::WriteLeaf(alone, entries, 0, last_possible, false, Data(page), view_.page_bytes_);
    if (edit != Edit::kMerge) AddToSums(view_.height_, edit == Edit::kInsert ? 1 : -1);
    return absl::OkStatus();
  };
  if (fits && !shares) return write_alone();

  if (edit == Edit::kInsert && !shares && last_possible == ~std::uint64_t{0} && key > leaf.Key(leaf.count() - 1)) return Append(page, key, value);

  std::vector<Child> siblings{{0, view_.count_, page}};
  std::size_t at = 0;
  if (view_.height_ > 0) {
    siblings = ChildrenAt(view_.height_ - 1u);
    at = path_[view_.height_ - 1u].child;
  }
  const Window window = ChooseWindow(siblings, at, most);
  const auto count = static_cast<double>(window.count);
  const double pages = std::min(std::ceil(window.pages), count + 1);
  if (edit == Edit::kMerge && pages >= count) return fits && alone.bits < sparse::UsedBits(leaf) ? write_alone() : absl::OkStatus();

  entries.clear();
  for (std::size_t i = window.first; i < window.first + window.count; ++i) {
    i == at ? add_changed(entries) : entries.Add(LeafAt(siblings[i].page));
  }
  std::vector<LeafPlan> plans;
  for (double fill = std::min(1.0, window.need / pages * 1.005);; fill = std::min(1.0, fill + 0.01)) {
    for (std::size_t from = entries.size(); !plans.empty(); plans.pop_back()) {
      if (plans.back().tail_keys > 0) entries.Mend(from, plans.back().tail_keys);
      from -= plans.back().runs;
    }
    const auto bits = static_cast<std::uint64_t>(fill * static_cast<double>(page_bits));
    for (std::size_t from = 0; from < entries.size(); from += plans.back().runs) {
      plans.push_back(sparse::PlanLeaf(entries, from, bits, page_bits));
    }
    if (static_cast<double>(plans.size()) <= pages || fill == 1.0) break;
  }
  const std::uint64_t added = plans.size() > window.count ? plans.size() - window.count : 0;
  THIMBLE_RETURN_IF_ERROR(ReserveFor(added));

  const std::uint64_t behind = LastPossible(static_cast<unsigned>(window.first + window.count - 1 - at));
  std::vector<Child> coded;
  std::size_t from = 0;
  std::uint64_t separator = siblings[window.first].key;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const std::uint32_t to = i < window.count ? siblings[window.first + i].page : TakePage();
    const std::size_t next = from + plans[i].runs;
    const std::uint64_t next_separator = i + 1 < plans.size() ? sparse::Separator(plans[i], entries[next].first) : 0;
    const std::uint64_t last = i + 1 < plans.size() ? next_separator - 1 : behind;
    sparse::WriteLeaf(plans[i], entries, from, last, false, Data(to), view_.page_bytes_);
    coded.push_back({separator, entries.Count(from, next), to});
    separator = next_separator;
    from = next;
  }
  for (std::size_t i = plans.size(); i < window.count; ++i) FreePage(siblings[window.first + i].page);
  if (view_.height_ == 0) {
    if (coded.size() == 1) return absl::OkStatus();
    path_[0] = {TakePage(), 0};
    view_.root_ = path_[0].page;
    view_.height_ = 1;
    PutChildren(0, std::move(coded), false);
    return absl::OkStatus();
  }
  const auto begin = siblings.begin() + static_cast<std::ptrdiff_t>(window.first);
  const auto end = begin + static_cast<std::ptrdiff_t>(window.count);
  siblings.insert(siblings.erase(begin, end), coded.begin(), coded.end());
  PutChildren(view_.height_ - 1u, std::move(siblings), false);
  return absl::OkStatus();
}

}  // namespace thimble
