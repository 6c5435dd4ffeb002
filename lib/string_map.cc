#include "thimble/string_map.h"

#include <cstring>

#include "status_macros.h"

namespace thimble::internal {
namespace {

// Parameters: 0 bytes of the dictionary's image, 1 sizeof(T), 2 packed, 3 width in bits, 4 base.
struct StringMapLayout {
  ImageLayout layout{128};
  std::uint64_t keys, values;

  StringMapLayout(std::uint64_t key_bytes, std::uint64_t count, std::uint64_t width)
      : keys(layout.Add(key_bytes, 8, kImageAlignment)), values(layout.Add(count, width)) {
    layout.Add(kImageSlack, 8);
  }
};

}  // namespace

absl::StatusOr<StringMapParts> StringMapParts::Open(std::span<const std::byte> image, std::uint64_t value_bytes, bool packed) {
  THIMBLE_ASSIGN_OR_RETURN(const StringMapParts parts, Open(image));
  if (parts.value_bytes != value_bytes || parts.packed != packed) {
    return absl::FailedPreconditionError("StringMap: values of another type");
  }
  return parts;
}

absl::StatusOr<StringMapParts> StringMapParts::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, Kind::kStringMap));
  const auto& [key_bytes, stored_bytes, stored_packed, width, base, p5, p6, p7, p8, p9] = header.parameters;
  if (header.header_bytes != 128 || stored_packed > 1 || (stored_packed == 1 ? width > 64 : width != 8 * stored_bytes)) {
    return absl::DataLossError("StringMap: impossible parameters");
  }
  const StringMapLayout layout(key_bytes, header.count, width);
  if (layout.layout.image_bytes() != header.image_bytes) return absl::DataLossError("StringMap: sizes do not add up");
  StringMapParts parts;
  parts.image = image.first(header.image_bytes);
  THIMBLE_ASSIGN_OR_RETURN(parts.keys, StringDictionaryView::Open(image.subspan(layout.keys, key_bytes)));
  if (parts.keys.size() != header.count) return absl::DataLossError("StringMap: another number of values");
  parts.values = image.data() + layout.values;
  parts.value_bytes = stored_bytes;
  parts.packed = stored_packed == 1;
  parts.base = base;
  parts.width = static_cast<unsigned>(width);
  return parts;
}

absl::StatusOr<Buffer> StringMapParts::Write(const StringDictionaryView& keys, std::span<const std::byte> values,
                                             std::uint64_t value_bytes, bool packed, std::uint64_t base, unsigned width,
                                             Buffer buffer) {
  const StringMapLayout layout(keys.image().size(), keys.size(), width);
  const std::uint64_t image_bytes = layout.layout.image_bytes();
  THIMBLE_RETURN_IF_ERROR(buffer.Grow(image_bytes));
  ImageHeader{.kind = Kind::kStringMap,
              .header_bytes = 128,
              .image_bytes = image_bytes,
              .count = keys.size(),
              .used_bytes = image_bytes,
              .parameters = {keys.image().size(), value_bytes, packed ? 1u : 0u, width, base}}
      .Write(buffer.bytes());
  std::memcpy(buffer.data() + layout.keys, keys.image().data(), keys.image().size());
  if (!values.empty()) std::memcpy(buffer.data() + layout.values, values.data(), values.size());
  return buffer;
}

}  // namespace thimble::internal

namespace thimble {

absl::StatusOr<RawStringMapView> RawStringMapView::Open(std::span<const std::byte> image) {
  RawStringMapView view;
  THIMBLE_ASSIGN_OR_RETURN(view.parts_, internal::StringMapParts::Open(image));
  return view;
}

}  // namespace thimble
