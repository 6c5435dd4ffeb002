#include "thimble/sparse_tree.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "cpu.h"
#include "inline.h"
#include "sparse_leaf.h"
#include "sparse_leaf_edit.h"
#include "sparse_node.h"
#include "status_macros.h"

namespace thimble {

using sparse::Leaf;
using sparse::Node;

namespace {

// What stands for a page that does not exist: a leaf without keys, and a node without children.
alignas(8) constexpr std::byte kNothing[sparse::kLeafHeaderBytes + kImageSlack]{};

}  // namespace

// The queries, written once and compiled for each CPU level.
class SparseTreeQueries {
 public:
  using View = SparseTreeView;

  THIMBLE_INLINE static View::Page PageAt(const View& view, std::uint64_t page) {
    if (page >= view.pages_) return {kNothing, sparse::kLeafHeaderBytes};
    const std::uint64_t at = View::kHeaderBytes + page * view.unit_bytes_;
    const std::uint64_t bytes = std::min<std::uint64_t>(view.page_bytes_, view.image_bytes_ - kImageSlack - at);
    if (bytes < sparse::kLeafHeaderBytes) return {kNothing, sparse::kLeafHeaderBytes};
    return {view.data_ + at, static_cast<std::size_t>(bytes)};
  }

  // Goes down to the leaf that a key belongs to, and brings the lines that it will be looked for in: its place is guessed from
  // the keys beside the leaf's.
  struct Descent {
    View::Page page;
    std::uint64_t rank;  // of the leaf's first key
    bool damaged;
    double part;  // how far in the leaf the key may stand, from 0 to 1
  };
  THIMBLE_INLINE static Descent Descend(const View& view, std::uint64_t key) {
    Descent at{PageAt(view, view.root_), 0, false, 0};
    for (unsigned level = view.height_; level > 0; --level) {
      const Node node(at.page.data, at.page.bytes);
      if (node.count() == 0) return {{kNothing, sparse::kLeafHeaderBytes}, at.rank, true, 0};
      const unsigned child = node.ChildOf(key);
      at.rank += node.Below(child);
      at.page = PageAt(view, node.Child(child));
      if (level > 1) continue;
      for (std::size_t line = 0; line < kUnaryBytes; line += 64) __builtin_prefetch(at.page.data + line);
      const std::uint64_t first = node.Key(child), range = child + 1 < node.count() ? node.Key(child + 1) - first : 0;
      at.part = range > 0 ? static_cast<double>(static_cast<std::int64_t>((key - first) >> 1)) / static_cast<double>(static_cast<std::int64_t>((range >> 1) | 1)) : 0;
    }
    return at;
  }
  // What the unary words of a leaf usually take.
  static constexpr std::size_t kUnaryBytes = 512;

  THIMBLE_INLINE static bool HasKey(const View& view, std::uint64_t key) {
    const Descent at = Descend(view, key);
    const Leaf leaf(at.page.data, at.page.bytes, view.value_bits_);
    leaf.Prefetch(at.part);
    return leaf.Contains(key);
  }

  THIMBLE_INLINE static View::Place Find(const View& view, std::uint64_t key) {
    const Descent at = Descend(view, key);
    if (at.damaged) return {at.rank, false, 0};
    const Leaf leaf(at.page.data, at.page.bytes, view.value_bits_);
    leaf.Prefetch(at.part);
    const sparse::Hit hit = leaf.Find(key);
    return {at.rank + hit.index, hit.found, hit.found && view.value_bits_ > 0 ? leaf.Value(hit.index) : 0};
  }

  THIMBLE_INLINE static View::LeafPage LeafOf(const View& view, std::uint64_t rank) {
    View::Page page = PageAt(view, view.root_);
    std::uint64_t below = 0;
    for (unsigned level = view.height_; level > 0; --level) {
      const Node node(page.data, page.bytes);
      if (node.count() == 0) return {kNothing, sparse::kLeafHeaderBytes, below};
      const unsigned child = node.ChildAt(rank - below);
      below += node.Below(child);
      page = PageAt(view, node.Child(child));
    }
    return {page.data, page.bytes, below};
  }

  THIMBLE_INLINE static View::Entry At(const View& view, std::uint64_t rank) {
    const View::LeafPage place = LeafOf(view, rank);
    const Leaf leaf(place.page, place.bytes, view.value_bits_);
    const std::uint64_t index = rank - place.rank;
    if (index >= leaf.count()) return {leaf.base(), 0};
    return {leaf.Key(static_cast<std::uint32_t>(index)), view.value_bits_ > 0 ? leaf.Value(static_cast<std::uint32_t>(index)) : 0};
  }

  THIMBLE_INLINE static std::size_t Copy(const View& view, std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values) {
    const View::LeafPage place = LeafOf(view, rank);
    const Leaf leaf(place.page, place.bytes, view.value_bits_);
    const std::uint64_t index = rank - place.rank;
    if (rank >= view.count_ || index >= leaf.count()) return 0;
    const auto first = static_cast<std::uint32_t>(index);
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(keys.size(), leaf.count() - first));
    leaf.Keys(first, n, keys.data());
    if (values != nullptr && view.value_bits_ > 0) {
      for (std::uint32_t i = 0; i < n; ++i) values[i] = leaf.Value(first + i);
    }
    return n;
  }

  THIMBLE_NOINLINE static bool HasKeyPortable(const View& view, std::uint64_t key) { return HasKey(view, key); }
  THIMBLE_NOINLINE static View::Place FindPortable(const View& view, std::uint64_t key) { return Find(view, key); }
  THIMBLE_NOINLINE static View::Entry AtPortable(const View& view, std::uint64_t rank) { return At(view, rank); }
  THIMBLE_NOINLINE static std::size_t CopyPortable(const View& view, std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values) {
    return Copy(view, rank, keys, values);
  }
#if THIMBLE_HAS_AVX2_KERNELS
  THIMBLE_TARGET_AVX2 static bool HasKeyAvx2(const View& view, std::uint64_t key) { return HasKey(view, key); }
  THIMBLE_TARGET_AVX2 static View::Place FindAvx2(const View& view, std::uint64_t key) { return Find(view, key); }
  THIMBLE_TARGET_AVX2 static View::Entry AtAvx2(const View& view, std::uint64_t rank) { return At(view, rank); }
  THIMBLE_TARGET_AVX2 static std::size_t CopyAvx2(const View& view, std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values) {
    return Copy(view, rank, keys, values);
  }
#endif
};

#if THIMBLE_HAS_AVX2_KERNELS
#define THIMBLE_QUERY(name, ...) (avx2_ ? SparseTreeQueries::name##Avx2(*this, __VA_ARGS__) : SparseTreeQueries::name##Portable(*this, __VA_ARGS__))
#else
#define THIMBLE_QUERY(name, ...) SparseTreeQueries::name##Portable(*this, __VA_ARGS__)
#endif

bool SparseTreeView::HasKey(std::uint64_t key) const { return THIMBLE_QUERY(HasKey, key); }
SparseTreeView::Place SparseTreeView::Find(std::uint64_t key) const { return THIMBLE_QUERY(Find, key); }
SparseTreeView::Entry SparseTreeView::At(std::uint64_t rank) const { return THIMBLE_QUERY(At, rank); }
std::size_t SparseTreeView::Copy(std::uint64_t rank, std::span<std::uint64_t> keys, std::uint64_t* values) const {
  return THIMBLE_QUERY(Copy, rank, keys, values);
}
SparseTreeView::Page SparseTreeView::PageAt(std::uint64_t page) const { return SparseTreeQueries::PageAt(*this, page); }

absl::StatusOr<SparseTreeView> SparseTreeView::OpenTree(std::span<const std::byte> image, Kind kind) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kind));
  const auto& parameters = header.parameters;
  const std::uint64_t page_bytes = parameters[kPageBytes], unit = parameters[kUnitBytes], pages = parameters[kPages];
  if (header.header_bytes != kHeaderBytes || page_bytes < 512 || page_bytes > 65536 || !std::has_single_bit(page_bytes) ||
      parameters[kValueBits] > 64 || parameters[kHeight] > kMaxHeight || (unit != page_bytes && unit != kPackedUnitBytes)) {
    return absl::DataLossError("sparse tree: bad parameters");
  }
  if (pages == 0 || pages > ~std::uint32_t{0} || parameters[kRoot] >= pages) return absl::DataLossError("sparse tree: bad pages");
  ImageLayout layout(kHeaderBytes);
  layout.Add(pages, unit * 8);
  if (layout.image_bytes() > header.image_bytes) return absl::DataLossError("sparse tree: more pages than bytes");
  SparseTreeView view;
  view.data_ = image.data();
  view.image_bytes_ = header.image_bytes;
  view.count_ = header.count;
  view.pages_ = pages;
  view.root_ = parameters[kRoot];
  view.page_bytes_ = static_cast<std::uint32_t>(page_bytes);
  view.unit_bytes_ = static_cast<std::uint32_t>(unit);
  view.height_ = static_cast<std::uint8_t>(parameters[kHeight]);
  view.value_bits_ = static_cast<std::uint8_t>(parameters[kValueBits]);
  view.avx2_ = ActiveCpuLevel() == CpuLevel::kAvx2;
  return view;
}

SparseTreeView SparseTreeView::NoTree(std::span<const std::byte> image, const ImageHeader& header) {
  SparseTreeView view;
  view.data_ = image.data();
  view.image_bytes_ = header.image_bytes;
  view.count_ = header.count;
  view.unit_bytes_ = kPackedUnitBytes;
  view.value_bits_ = static_cast<std::uint8_t>(header.parameters[kValueBits]);
  return view;
}

absl::Status SparseTreeView::VerifyTree() const {
  const auto damaged = [](const char* what) { return absl::DataLossError(std::string("sparse tree: ") + what); };
  std::vector<bool> seen(pages_);
  std::uint64_t free = 0;
  const auto header = Load<std::array<std::uint64_t, ImageHeader::kMaxParameters>>(data_ + 48);
  // The chain of unused pages ends with the number of pages.
  for (std::uint64_t page = header[kFirstFree]; !packed() && page < pages_; ++free) {
    if (seen[page]) return damaged("a page is unused twice");
    seen[page] = true;
    page = Load<std::uint32_t>(PageAt(page).data);
  }
  if (free != header[kFreePages]) return damaged("unused pages miscounted");

  struct Step {
    std::uint64_t page;
    unsigned level;
    std::uint64_t first, last;  // the keys that may stand below it
    std::uint64_t count;
  };
  std::vector<Step> steps{{root_, height_, 0, ~std::uint64_t{0}, count_}};
  std::uint64_t used = 0;
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    if (step.page >= pages_ || seen[step.page]) return damaged("a page has two parents or none");
    seen[step.page] = true;
    const Page page = PageAt(step.page);
    if (step.level == 0) {
      const Leaf leaf(page.data, page.bytes, value_bits_);
      used += packed() ? leaf.bytes() / unit_bytes_ : 1;
      if (used > pages_) return damaged("pages overlap");
      if (count_ == 0 && height_ == 0 && leaf.count() == 0) continue;
      if (leaf.count() != step.count || !sparse::VerifyLeaf(leaf)) return damaged("a leaf's keys are wrong");
      if (leaf.Key(0) < step.first || leaf.Key(leaf.count() - 1) > step.last) return damaged("a leaf's keys are out of order");
      continue;
    }
    const Node node(page.data, page.bytes);
    used += packed() ? Node::Bytes(node.capacity()) / unit_bytes_ : 1;
    if (used > pages_) return damaged("pages overlap");
    if (node.count() == 0) return damaged("an inner node has no children");
    if (node.Sum(node.count() - 1) != step.count) return damaged("an inner node miscounts");
    if (node.count() > 1 && node.Key(0) >= node.Key(1)) return damaged("an inner node's keys are out of order");
    for (unsigned i = 0; i < node.count(); ++i) {
      const std::uint64_t first = i == 0 ? step.first : node.Key(i);
      const std::uint64_t last = i + 1 < node.count() ? node.Key(i + 1) - 1 : step.last;
      if (first < step.first || (i + 1 < node.count() && (node.Key(i + 1) == 0 || last < first)) || last > step.last) {
        return damaged("an inner node's keys are out of order");
      }
      if (node.Sum(i) <= node.Below(i)) return damaged("an inner node miscounts");
      steps.push_back({node.Child(i), step.level - 1, first, last, node.Sum(i) - node.Below(i)});
    }
  }
  if (used + free != pages_) return damaged("a page belongs to nothing");
  return absl::OkStatus();
}

}  // namespace thimble
