#include "thimble/sparse_set.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "sparse_build.h"
#include "sparse_editor.h"
#include "sparse_walk.h"
#include "status_macros.h"

namespace thimble {

absl::StatusOr<SparseSetView> SparseSetView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const SparseTreeView tree, OpenTree(image, kKind));
  if (tree.value_bits() != 0) return absl::DataLossError("sparse set: it holds values");
  SparseSetView view;
  static_cast<SparseTreeView&>(view) = tree;
  return view;
}

std::optional<std::uint64_t> SparseSetView::Next(std::uint64_t key) const {
  const Place place = Find(key);
  if (place.found) return key;
  if (place.rank >= size()) return std::nullopt;
  return Select(place.rank);
}

std::optional<std::uint64_t> SparseSetView::Previous(std::uint64_t key) const {
  const Place place = Find(key);
  if (place.found) return key;
  if (place.rank == 0) return std::nullopt;
  return Select(place.rank - 1);
}

void SparseSetView::Iterator::Fill() {
  at_ = 0;
  filled_ = static_cast<std::uint32_t>(view_.Copy(rank_, keys_));
  // A damaged image may hold less than it counts: that is its end.
  if (filled_ == 0) rank_ = view_.size();
}

absl::StatusOr<PackedSparseSet> PackedSparseSet::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const SparseSetView view, ViewOf(buffer));
  if (!view.packed()) return absl::FailedPreconditionError("sparse set: the image is of the mutable form");
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return PackedSparseSet(view, std::move(buffer));
}

std::uint64_t SparseSet::ImageBytes(const Options& options) { return SparseTreeEditor::EmptyBytes(std::min<std::uint64_t>(options.page_bytes, 65536)); }

SparseSet::SparseSet(const Options& options) : SparseSet(*Make(options)) {}

absl::StatusOr<SparseSet> SparseSet::Make(const Options& options) { return Make(options, Buffer::Heap(ImageBytes(options))); }

absl::StatusOr<SparseSet> SparseSet::Make(const Options& options, Buffer buffer) {
  if (options.page_bytes < 512 || options.page_bytes > 65536 || !std::has_single_bit(options.page_bytes)) {
    return absl::InvalidArgumentError("sparse set: page_bytes must be a power of two from 512 to 65536");
  }
  if (buffer.size() < ImageBytes(options)) return absl::InvalidArgumentError("sparse set: the buffer is too small");
  SparseTreeEditor::WriteEmpty(Kind::kSparseSet, options.page_bytes, 0, 0, buffer);
  THIMBLE_ASSIGN_OR_RETURN(const SparseSetView view, ViewOf(buffer));
  return SparseSet(view, std::move(buffer));
}

absl::StatusOr<SparseSet> SparseSet::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const SparseSetView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  if (view.packed()) return Copy(view);
  return SparseSet(view, std::move(buffer));
}

namespace {

absl::StatusOr<Buffer> Rebuild(const SparseSetView& from, SparseTreeBuilder::Form form, Buffer into) {
  SparseTreeBuilder builder(Kind::kSparseSet, 0, 0, form, std::move(into));
  for (SparseTreeWalk walk(from); !walk.done(); walk.Next()) builder.Add(walk.leaf());
  return builder.Finish();
}

// How a set packs best. A large page takes keys that lie close and keys far apart in one code where two would be smaller, which
// counts where there are few pages: there all sizes are tried.
SparseTreeBuilder::Form BestForm(const SparseSetView& from) {
  constexpr std::size_t kFewBytes = std::size_t{1} << 16;
  SparseTreeBuilder::Form best = SparseTreeBuilder::kPacked;
  if (from.image().size() > kFewBytes) return best;
  std::uint64_t least = ~std::uint64_t{0};
  for (SparseTreeBuilder::Form form = best; form.page_bytes >= 512; form.page_bytes /= 2) {
    const absl::StatusOr<Buffer> packed = Rebuild(from, form, Buffer::Heap(1 << 14));
    if (!packed.ok()) return best;
    const absl::StatusOr<ImageHeader> header = ImageHeader::Read(packed->bytes(), Kind::kSparseSet);
    if (!header.ok()) return best;
    if (header->used_bytes < least) {
      least = header->used_bytes;
      best = form;
    }
  }
  return best;
}

}  // namespace

SparseSet SparseSet::Copy(const SparseSetView& from) {
  return Adopt(*Rebuild(from, SparseTreeBuilder::kMutable, Buffer::Heap(1 << 14)));
}

SparseSet SparseSet::Adopt(Buffer buffer) {
  const SparseSetView view = *ViewOf(buffer);
  return SparseSet(view, std::move(buffer));
}

absl::StatusOr<PackedSparseSet> SparseSet::Pack(const SparseSetView& from, Buffer into) {
  THIMBLE_ASSIGN_OR_RETURN(Buffer buffer, Rebuild(from, BestForm(from), std::move(into)));
  THIMBLE_ASSIGN_OR_RETURN(const SparseSetView view, ViewOf(buffer));
  return PackedSparseSet(view, std::move(buffer));
}

absl::StatusOr<bool> SparseSet::Add(std::uint64_t key) { return SparseTreeEditor(*this, buffer()).Insert(key, 0); }

absl::Status SparseSet::AddMany(std::span<const std::uint64_t> keys) {
  for (const std::uint64_t key : keys) THIMBLE_RETURN_IF_ERROR(Add(key).status());
  return absl::OkStatus();
}

absl::StatusOr<bool> SparseSet::Remove(std::uint64_t key) { return SparseTreeEditor(*this, buffer()).Erase(key); }

Stats SparseSet::stats() const {
  const auto free = Load<std::uint64_t>(data() + 48 + kFreePages * std::size_t{8}) * page_bytes();
  const auto used = Load<std::uint64_t>(data() + 24);
  return {.live_bytes = used - free, .slack_bytes = buffer().size() - used, .garbage_bytes = free, .peak_bytes = buffer().size()};
}

SparseSet::Builder::Builder()
    : tree_(std::make_unique<SparseTreeBuilder>(Kind::kSparseSet, 0, 0, SparseTreeBuilder::kMutable)) {}
SparseSet::Builder::~Builder() = default;
SparseSet::Builder::Builder(Builder&&) noexcept = default;

absl::Status SparseSet::Builder::AddRange(std::uint64_t first, std::uint64_t last) {
  if ((last - first) >> 48 != 0) return absl::InvalidArgumentError("sparse set: a range of more than 2^48 elements");
  if (full_ || first < next_ || last < first) return absl::InvalidArgumentError("sparse set: elements must ascend");
  tree_->Add(first, last - first);
  next_ = last + 1;
  full_ = next_ == 0;
  return absl::OkStatus();
}

absl::Status SparseSet::Builder::AddBitmap(std::uint64_t base, std::span<const std::uint64_t> words) {
  while (!words.empty() && words.back() == 0) words = words.first(words.size() - 1);
  if (words.empty()) return absl::OkStatus();
  if (base % 64 != 0 || words.size() > (~base >> 6) + 1) return absl::InvalidArgumentError("sparse set: bad bitmap");
  std::size_t at = 0;
  while (words[at] == 0) ++at;
  if (full_ || base + at * 64 + sparse::LowestBit(words[at]) < next_) return absl::InvalidArgumentError("sparse set: elements must ascend");
  tree_->AddWords(base + at * 64, words.subspan(at));
  next_ = base + (words.size() - 1) * 64 + sparse::HighestBit(words.back()) + 1;
  full_ = next_ == 0;
  return absl::OkStatus();
}

absl::StatusOr<SparseSet> SparseSet::Builder::Finish() && {
  THIMBLE_ASSIGN_OR_RETURN(Buffer buffer, tree_->Finish());
  THIMBLE_ASSIGN_OR_RETURN(const SparseSetView view, ViewOf(buffer));
  return SparseSet(view, std::move(buffer));
}

}  // namespace thimble
