#include "thimble/string_column.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <vector>

#include "status_macros.h"

namespace thimble {
namespace {

// Parameters: 0 coded, 1 bytes of the image of the codes; the strings' image is the rest.
struct StringColumnLayout {
  ImageLayout layout{64};
  std::uint64_t codes, strings;

  StringColumnLayout(std::uint64_t code_bytes, std::uint64_t string_bytes)
      : codes(layout.Add(code_bytes, 8, kImageAlignment)), strings(layout.Add(string_bytes, 8, kImageAlignment)) {}
};

}  // namespace

absl::StatusOr<StringColumnView> StringColumnView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t coded = header.parameters[0], code_bytes = header.parameters[1];
  if (header.header_bytes != 64 || coded > 1) return absl::DataLossError("StringColumn: impossible parameters");
  const StringColumnLayout layout(code_bytes, 0);
  if (layout.layout.image_bytes() > header.image_bytes) return absl::DataLossError("StringColumn: sizes do not add up");
  StringColumnView view;
  view.image_ = image.first(header.image_bytes);
  view.size_ = header.count;
  view.coded_ = coded == 1;
  const std::span<const std::byte> strings = view.image_.subspan(layout.strings);
  if (view.coded_) {
    THIMBLE_ASSIGN_OR_RETURN(view.codes_, PackedVectorView::Open(view.image_.subspan(layout.codes, code_bytes)));
    THIMBLE_ASSIGN_OR_RETURN(view.strings_, StringDictionaryView::Open(strings));
  } else {
    THIMBLE_ASSIGN_OR_RETURN(view.rows_, StringStoreView::Open(strings));
  }
  if ((view.coded_ ? view.codes_.size() : view.rows_.size()) != view.size_) {
    return absl::DataLossError("StringColumn: another number of rows");
  }
  return view;
}

absl::Status StringColumnView::Verify() const {
  if (!coded_) return rows_.Verify();
  THIMBLE_RETURN_IF_ERROR(codes_.Verify());
  THIMBLE_RETURN_IF_ERROR(strings_.Verify());
  for (std::uint64_t i = 0; i < size_; ++i) {
    if (codes_[i] >= strings_.size()) return absl::DataLossError("StringColumn: a row without a string");
  }
  return absl::OkStatus();
}

std::string StringColumnView::operator[](std::uint64_t i) const {
  std::string buffer;
  return std::string(Get(i, buffer));
}

absl::StatusOr<StringColumn> StringColumn::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const StringColumnView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return StringColumn(view, std::move(buffer));
}

StringColumn::Builder::Builder() : pool_(StringPool::Options{}), rows_(PackedVector::Options{.width = 32}) {}

absl::Status StringColumn::Builder::Add(std::string_view string) {
  if (string.size() > StringDictionary::kMaxKeyBytes) return absl::InvalidArgumentError("StringColumn: a string of more than 16 MiB");
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t id, pool_.Add(string));
  return rows_.Append(id);
}

absl::StatusOr<StringColumn> StringColumn::Builder::Finish() && { return std::move(*this).Finish(Buffer::Heap(0)); }

absl::StatusOr<StringColumn> StringColumn::Builder::Finish(Buffer buffer) && {
  // The different strings in order, and the rank of each.
  std::vector<std::uint32_t> order(pool_.size()), rank(pool_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return pool_[a] < pool_[b]; });
  StringDictionary::Builder dictionary_builder;
  for (std::size_t i = 0; i < order.size(); ++i) {
    THIMBLE_RETURN_IF_ERROR(dictionary_builder.Add(pool_[order[i]]));
    rank[order[i]] = static_cast<std::uint32_t>(i);
  }
  THIMBLE_ASSIGN_OR_RETURN(const StringDictionary dictionary, std::move(dictionary_builder).Finish());
  const auto width = std::max(1u, static_cast<unsigned>(std::bit_width(order.empty() ? 0 : order.size() - 1)));
  PackedVector codes(PackedVector::Options{.width = width, .size = rows_.size()});
  for (std::uint64_t i = 0; i < rows_.size(); ++i) codes.Set(i, rank[rows_[i]]);

  // A column whose strings come fewer than twice each may be smaller as it is.
  std::optional<StringStore> store;
  if (pool_.size() > rows_.size() / 2) {
    StringStore::Builder store_builder;
    for (std::uint64_t i = 0; i < rows_.size(); ++i) THIMBLE_RETURN_IF_ERROR(store_builder.Add(pool_[rows_[i]]));
    THIMBLE_ASSIGN_OR_RETURN(store, std::move(store_builder).Finish());
    if (store->image().size() >= codes.image().size() + dictionary.image().size()) store.reset();
  }
  const std::span<const std::byte> code_image = store ? std::span<const std::byte>() : codes.image();
  const std::span<const std::byte> string_image = store ? store->image() : dictionary.image();
  const StringColumnLayout layout(code_image.size(), string_image.size());
  const std::uint64_t image_bytes = layout.layout.image_bytes();
  THIMBLE_RETURN_IF_ERROR(buffer.Grow(image_bytes));
  ImageHeader{.kind = Kind::kStringColumn,
              .image_bytes = image_bytes,
              .count = rows_.size(),
              .used_bytes = image_bytes,
              .parameters = {store ? 0u : 1u, code_image.size()}}
      .Write(buffer.bytes());
  if (!code_image.empty()) std::memcpy(buffer.data() + layout.codes, code_image.data(), code_image.size());
  std::memcpy(buffer.data() + layout.strings, string_image.data(), string_image.size());
  THIMBLE_ASSIGN_OR_RETURN(const StringColumnView view, ViewOf(buffer));
  return StringColumn(view, std::move(buffer));
}

}  // namespace thimble
