#include "sparse_build.h"

#include <algorithm>
#include <cstring>

#include "cpu.h"
#include "sparse_leaf_plan.h"
#include "sparse_node.h"
#include "status_macros.h"

namespace thimble {

using sparse::Leaf;
using sparse::LeafPlan;

namespace {

// Runs that wait for their leaf, so few that they stay in the cache.
constexpr std::size_t kPendingRuns = std::size_t{1} << 10;
// Where a leaf behind so many full ones stays half empty, little is lost.
constexpr std::size_t kSeveralLeaves = 8;

THIMBLE_INLINE std::uint64_t Ones(std::span<const std::uint64_t> words) {
  std::uint64_t ones = 0;
  for (const std::uint64_t word : words) ones += sparse::Popcount(word);
  return ones;
}
#if THIMBLE_HAS_AVX2_KERNELS
THIMBLE_TARGET_AVX2 std::uint64_t OnesAvx2(std::span<const std::uint64_t> words) { return Ones(words); }
#endif
std::uint64_t CountOnes(std::span<const std::uint64_t> words) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return OnesAvx2(words);
#endif
  return Ones(words);
}

}  // namespace

SparseTreeBuilder::SparseTreeBuilder(Kind kind, unsigned value_bits, std::uint64_t default_value, Form form, Buffer into)
    : kind_(kind), value_bits_(value_bits), default_value_(default_value), form_(form), buffer_(std::move(into)), entries_(value_bits) {}

void SparseTreeBuilder::Add(std::uint64_t first, std::uint64_t more) {
  if (!words_.empty()) {
    // A few keys between the words of bitmaps are bits too.
    const std::uint64_t reach = (page_bytes() - sparse::kLeafHeaderBytes) * 8;
    if (first - words_base_ < reach && more < 64 && first + more - words_base_ < reach) {
      words_.resize(std::max<std::size_t>(words_.size(), static_cast<std::size_t>((first + more - words_base_) / 64 + 1)));
      for (std::uint64_t bit = first - words_base_; bit <= first + more - words_base_; ++bit) words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
      return;
    }
    FlushWords();
  }
  FlushFull();
  entries_.Add(first, more);
}

void SparseTreeBuilder::Add(const Leaf& leaf) {
  if (!words_.empty()) FlushWords();
  entries_.Add(leaf);
  FlushFull();
}

void SparseTreeBuilder::AddPage(const Leaf& leaf, std::span<const std::byte> page) {
  if (form_.packed || page.size() != page_bytes() || (!entries_.empty() && full_leaves_ < kSeveralLeaves)) return Add(leaf);
  if (!words_.empty()) FlushWords();
  Flush();
  std::byte* to = NewPage();
  if (to == nullptr) return;
  std::memcpy(to, page.data(), page.size());
  children_.push_back({std::max(separator_, leaf.base()), leaf.count(), KeepPage(page_bytes())});
  separator_ = 0;
  count_ += leaf.count();
}

void SparseTreeBuilder::AddBounds(std::span<const std::uint64_t> bounds) {
  for (; !words_.empty() && bounds.size() >= 2; bounds = bounds.subspan(2)) {
    if (bounds[0] < bounds[1]) Add(bounds[0], bounds[1] - bounds[0] - 1);
  }
  entries_.AddBounds(bounds);
  FlushFull();
}

void SparseTreeBuilder::AddWords(std::uint64_t base, std::span<const std::uint64_t> words) {
  const std::size_t most = (page_bytes() - sparse::kLeafHeaderBytes) / 8;
  if (!words_.empty() && base == words_base_ + (words_.size() - 1) * 64) {
    words_.back() |= words[0];
    base += 64;
    words = words.subspan(1);
  }
  while (!words.empty()) {
    // A full page waits: the next keys may be of its last word.
    if (!words_.empty() && (base - words_base_) / 64 >= most) FlushWords();
    if (words_.empty()) words_base_ = base;
    const std::size_t at = static_cast<std::size_t>((base - words_base_) / 64), n = std::min(words.size(), most - at);
    words_.resize(at);  // the words between are zero
    words_.insert(words_.end(), words.begin(), words.begin() + static_cast<std::ptrdiff_t>(n));
    base += n * 64;
    words = words.subspan(n);
  }
}

// Whether a full page of words is not much smaller in another code: below one key in five Elias-Fano is, by more than a tenth,
// and above four in five runs may be, at some twenty bits each.
bool SparseTreeBuilder::WordsAreBestAsBitmap(std::uint64_t count) const {
  const std::uint64_t bits = words_.size() * 64;
  if (words_.size() < (page_bytes() - sparse::kLeafHeaderBytes) / 8 || count < bits / 5) return false;
  if (count <= bits / 5 * 4) return true;
  std::uint64_t runs = 0;
  for (const std::uint64_t word : words_) runs += sparse::Popcount(word & ~(word << 1));
  return runs * 20 >= bits;
}

void SparseTreeBuilder::FlushWords() {
  const std::uint64_t count = CountOnes(words_);
  if (!WordsAreBestAsBitmap(count)) {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0;) {
        const unsigned first = sparse::LowestBit(word);
        const std::uint64_t rest = ~(word >> first);
        const unsigned length = rest == 0 ? 64 : sparse::LowestBit(rest);
        entries_.Add(words_base_ + w * 64 + first, length - 1);
        word &= first + length >= 64 ? 0 : ~std::uint64_t{0} << (first + length);
      }
    }
    words_.clear();
    FlushFull();
    return;
  }
  Flush();
  if (std::byte* page = NewPage(); page != nullptr) {
    Store(page, words_base_);
    Store(page + 8, static_cast<std::uint32_t>(count));
    Store(page + 12, static_cast<std::uint32_t>(sparse::kBitmap | words_.size() << 16));
    std::memcpy(page + sparse::kLeafHeaderBytes, words_.data(), words_.size() * 8);
    // Keys before it may stand in its first word.
    std::size_t first = 0;
    while (words_[first] == 0) ++first;
    children_.push_back({words_base_ + first * 64 + sparse::LowestBit(words_[first]), count, KeepPage(page_bytes())});
    separator_ = 0;
    count_ += count;
  }
  words_.clear();
}

std::byte* SparseTreeBuilder::NewPage() {
  const std::size_t at = SparseTreeView::kHeaderBytes + static_cast<std::size_t>(pages_ * Unit(form_));
  const std::size_t end = at + page_bytes() + kImageSlack;
  if (end > buffer_.size() && error_.ok()) {
    error_ = buffer_.Grow(end + std::min<std::size_t>(buffer_.size() / 4, 1 << 18));
    // Bytes that cannot grow may still be enough for what follows exactly.
    if (!error_.ok()) error_ = buffer_.Grow(end);
  }
  if (pages_ > ~std::uint32_t{0} - page_bytes()) error_ = absl::ResourceExhaustedError("sparse tree: too many pages");
  return error_.ok() ? buffer_.data() + at : nullptr;
}

std::uint32_t SparseTreeBuilder::KeepPage(std::size_t bytes) {
  const std::uint64_t page = pages_;
  pages_ += (bytes + Unit(form_) - 1) / Unit(form_);
  return static_cast<std::uint32_t>(page);
}

void SparseTreeBuilder::Flush(bool full_only) {
  std::size_t from = 0;
  const std::uint64_t page_bits = page_bytes() * 8;
  while (from < entries_.size() && error_.ok()) {
    const LeafPlan plan = sparse::PlanLeaf(entries_, from, static_cast<std::uint64_t>(form_.fill * static_cast<double>(page_bits)), page_bits);
    const std::size_t next = from + plan.runs;
    if (full_only && next == entries_.size()) break;
    std::byte* page = NewPage();
    if (page == nullptr) break;
    // The last leaf of a set that may grow expects keys behind it.
    const std::uint64_t behind = next < entries_.size() ? sparse::Separator(plan, entries_[next].first) : 0;
    const std::uint64_t last = next < entries_.size() ? behind - 1 : form_.packed ? entries_[next - 1].last() : ~std::uint64_t{0};
    const std::size_t bytes = sparse::WriteLeaf(plan, entries_, from, last, form_.packed, page, page_bytes());
    const std::uint64_t count = entries_.Count(from, next);
    children_.push_back({separator_ != 0 ? separator_ : entries_[from].first, count, KeepPage(bytes)});
    separator_ = behind;
    count_ += count;
    from = next;
    ++full_leaves_;
  }
  entries_.Drop(from);
  if (!full_only) full_leaves_ = 0;
}

void SparseTreeBuilder::FlushFull() {
  if (entries_.size() < flush_at_) return;
  Flush(true);
  flush_at_ = std::max(kPendingRuns, entries_.size() * 2);
}

void SparseTreeBuilder::WriteNodes() {
  const std::size_t most = (page_bytes() - sparse::kNodeHeaderBytes) / sparse::kChildBytes;
  for (; children_.size() > 1; ++height_) {
    std::vector<Child> nodes;
    const std::size_t parts = (children_.size() + most - 1) / most;
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t from = children_.size() * part / parts, count = children_.size() * (part + 1) / parts - from;
      std::byte* page = NewPage();
      if (page == nullptr) return;
      const std::size_t capacity = form_.packed ? count : most;
      const std::span<const Child> below = std::span(children_).subspan(from, count);
      sparse::WriteNode(page, capacity, below);
      std::uint64_t sum = 0;
      for (const Child& child : below) sum += child.count;
      root_ = KeepPage(sparse::Node::Bytes(capacity));
      nodes.push_back({children_[from].key, sum, root_});
    }
    children_ = std::move(nodes);
  }
}

absl::StatusOr<Buffer> SparseTreeBuilder::Finish() {
  if (!words_.empty()) FlushWords();
  Flush();
  if (error_.ok() && pages_ == 0) {
    NewPage();
    KeepPage(sparse::kLeafHeaderBytes);
  }
  if (error_.ok()) WriteNodes();
  THIMBLE_RETURN_IF_ERROR(error_);
  const auto image_bytes = static_cast<std::size_t>(SparseTreeView::kHeaderBytes + pages_ * Unit(form_) + kImageSlack);
  // Pages are written whole and kept in part: what lies behind the last one is not the image's.
  std::memset(buffer_.data() + image_bytes - kImageSlack, 0, kImageSlack);
  ImageHeader header{.kind = kind_, .header_bytes = SparseTreeView::kHeaderBytes, .image_bytes = image_bytes, .count = count_, .used_bytes = image_bytes};
  header.parameters[SparseTreeView::kPageBytes] = page_bytes();
  header.parameters[SparseTreeView::kUnitBytes] = Unit(form_);
  header.parameters[SparseTreeView::kValueBits] = value_bits_;
  header.parameters[SparseTreeView::kHeight] = height_;
  header.parameters[SparseTreeView::kRoot] = root_;
  header.parameters[SparseTreeView::kPages] = pages_;
  header.parameters[SparseTreeView::kFirstFree] = ~std::uint32_t{0};
  header.parameters[SparseTreeView::kDefaultValue] = default_value_;
  header.Write(buffer_.bytes());
  // What is far larger than the image gives the rest back.
  if (buffer_.size() - image_bytes > image_bytes / 32) buffer_.Shrink(image_bytes);
  return std::move(buffer_);
}

}  // namespace thimble
