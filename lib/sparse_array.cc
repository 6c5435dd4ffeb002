#include "thimble/sparse_array.h"

#include <algorithm>
#include <array>
#include <bit>

#include "sparse_build.h"
#include "sparse_editor.h"
#include "sparse_table_build.h"
#include "sparse_walk.h"
#include "status_macros.h"

namespace thimble {

absl::StatusOr<SparsePairsView> SparsePairsView::OpenPairs(std::span<const std::byte> image) {
  SparsePairsView view;
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, Kind::kSparseArray));
  if (header.header_bytes == kHeaderBytes && SparseTableView::IsIn(header)) {
    THIMBLE_ASSIGN_OR_RETURN(view.table_, SparseTableView::Open(image, header));
    static_cast<SparseTreeView&>(view) = NoTree(image, header);
  } else {
    THIMBLE_ASSIGN_OR_RETURN(static_cast<SparseTreeView&>(view), OpenTree(image, Kind::kSparseArray));
  }
  return view;
}

std::uint64_t SparseArrayStore::ImageBytes(std::uint64_t page_bytes) { return SparseTreeEditor::EmptyBytes(std::min<std::uint64_t>(page_bytes, 65536)); }

absl::Status SparseArrayStore::WriteEmpty(std::uint64_t page_bytes, unsigned value_bits, std::uint64_t default_bits, Buffer& buffer) {
  if (page_bytes < 512 || page_bytes > 65536 || !std::has_single_bit(page_bytes)) {
    return absl::InvalidArgumentError("sparse array: page_bytes must be a power of two from 512 to 65536");
  }
  if (buffer.size() < ImageBytes(page_bytes)) return absl::InvalidArgumentError("sparse array: the buffer is too small");
  SparseTreeEditor::WriteEmpty(Kind::kSparseArray, page_bytes, value_bits, default_bits, buffer);
  return absl::OkStatus();
}

absl::StatusOr<bool> SparseArrayStore::Set(SparseTreeView& view, Buffer& buffer, std::uint64_t index, std::uint64_t bits) {
  return SparseTreeEditor(view, buffer).Insert(index, bits);
}

absl::StatusOr<bool> SparseArrayStore::Erase(SparseTreeView& view, Buffer& buffer, std::uint64_t index) {
  return SparseTreeEditor(view, buffer).Erase(index);
}

absl::StatusOr<Buffer> SparseArrayStore::Rebuild(const SparsePairsView& view, bool packed, Buffer into) {
  SparseTreeBuilder builder(Kind::kSparseArray, view.value_bits(), view.default_bits(),
                            packed ? SparseTreeBuilder::kPackedWithValues : SparseTreeBuilder::kMutable, std::move(into));
  if (view.is_table()) {
    std::array<std::uint64_t, 256> keys, values;
    for (std::uint64_t rank = 0; const std::size_t n = view.Copy(rank, keys, values.data()); rank += n) {
      for (std::size_t i = 0; i < n; ++i) {
        builder.Add(keys[i]);
        builder.AddValue(values[i]);
      }
    }
  } else {
    for (SparseTreeWalk walk(view); !walk.done(); walk.Next()) builder.Add(walk.leaf());
  }
  THIMBLE_ASSIGN_OR_RETURN(Buffer tree, builder.Finish());
  return packed ? TableIfAsSmall(view, std::move(tree)) : std::move(tree);
}

absl::Status SparseArrayStore::SetAll(SparseTreeView& view, Buffer& buffer, std::vector<Pair>& pairs, std::uint64_t default_bits) {
  // Neighbours fall into one page one after the other, while it is in the cache.
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.index < b.index; });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i + 1 < pairs.size() && pairs[i + 1].index == pairs[i].index) continue;
    THIMBLE_RETURN_IF_ERROR((pairs[i].bits == default_bits ? Erase(view, buffer, pairs[i].index) : Set(view, buffer, pairs[i].index, pairs[i].bits)).status());
  }
  return absl::OkStatus();
}

Stats SparseArrayStore::StatsOf(const SparseTreeView& view, const Buffer& buffer) {
  const auto free = Load<std::uint64_t>(buffer.data() + 48 + SparseTreeView::kFreePages * std::size_t{8}) * view.page_bytes();
  const auto used = Load<std::uint64_t>(buffer.data() + 24);
  return {.live_bytes = used - free, .slack_bytes = buffer.size() - used, .garbage_bytes = free, .peak_bytes = buffer.size()};
}

}  // namespace thimble
