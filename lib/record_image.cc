#include "thimble/record_image.h"

#include <array>
#include <bit>
#include <functional>
#include <unordered_map>
#include <utility>

#include "status_macros.h"

namespace thimble {
namespace {

// Image: header of 64 bytes (count = records, parameters[0] = fields | layout << 32, [1] = bytes of the specs), then the
// specs, the records, and for every text field the ends of its strings and their bytes. A spec is
//
//   u8 type, u8 width, u8 digits, u8 padded, u32 name bytes, i64 base, u64 strings, u64 string bytes, name
constexpr std::size_t kSpecBytes = 32;
constexpr std::size_t kMaxFields = 4096;
constexpr unsigned kMaxDigits = 22;

struct PoolSize {
  std::uint64_t strings = 0;
  std::uint64_t bytes = 0;
  unsigned end_width() const { return static_cast<unsigned>(std::bit_width(bytes)); }
};

struct RecordImageLayout {
  std::uint64_t records = 0, image_bytes = 0;
  std::vector<FieldRun> runs;  // without bytes; `first` counts from the records
  struct Pool {
    std::uint64_t ends, bytes;
  };
  std::vector<Pool> pools;

  RecordImageLayout(std::uint64_t spec_bytes, std::span<const FieldSpec> specs, RecordLayout how, std::uint64_t size,
         std::span<const PoolSize> pool_sizes) {
    ImageLayout layout(64);
    layout.Add(spec_bytes, 8);
    records = layout.Add(0, 8, kImageAlignment);
    std::uint64_t record_bits = 0;
    for (const FieldSpec& spec : specs) {
      const std::uint64_t first = how == RecordLayout::kRows ? record_bits : (layout.Add(size, spec.width) - records) * 8;
      runs.push_back({.bytes = {}, .first = first, .stride = spec.width, .size = size, .width = spec.width});
      record_bits += spec.width;
    }
    if (how == RecordLayout::kRows) {
      const std::uint64_t stride = RoundUp(record_bits, 8);
      for (FieldRun& run : runs) run.stride = stride;
      layout.Add(size, stride);
    }
    for (const PoolSize& pool : pool_sizes) {
      const std::uint64_t ends = layout.Add(pool.strings, pool.end_width());
      pools.push_back({ends, layout.Add(pool.bytes, 8, 1)});
    }
    layout.Add(kImageSlack, 8);  // a read of no bits at the very end
    image_bytes = layout.image_bytes();
  }
};

std::uint64_t SpecBytes(std::span<const FieldSpec> specs) {
  std::uint64_t bytes = 0;
  for (const FieldSpec& spec : specs) bytes += kSpecBytes + spec.name.size();
  return bytes;
}

bool Possible(const FieldSpec& spec) {
  return spec.name.size() <= 255 && spec.width <= 64 && spec.digits <= kMaxDigits && spec.type <= FieldType::kText;
}

absl::Status ReadSpecs(std::span<const std::byte> from, std::size_t fields, std::vector<FieldSpec>& specs,
                       std::vector<PoolSize>& pool_sizes) {
  for (std::size_t i = 0; i < fields; ++i) {
    if (from.size() < kSpecBytes) return absl::DataLossError("PackedRecords: fields cut short");
    const std::byte* at = from.data();
    const auto name_bytes = Load<std::uint32_t>(at + 4);
    if (name_bytes > from.size() - kSpecBytes) return absl::DataLossError("PackedRecords: a name cut short");
    FieldSpec spec{.name = std::string(reinterpret_cast<const char*>(at) + kSpecBytes, name_bytes),
                   .type = Load<FieldType>(at),
                   .width = Load<std::uint8_t>(at + 1),
                   .digits = Load<std::uint8_t>(at + 2),
                   .padded = Load<std::uint8_t>(at + 3) != 0,
                   .base = Load<std::int64_t>(at + 8)};
    const PoolSize pool{Load<std::uint64_t>(at + 16), Load<std::uint64_t>(at + 24)};
    const bool strange_pool = spec.type != FieldType::kText && (pool.strings != 0 || pool.bytes != 0);
    if (!Possible(spec) || Load<std::uint8_t>(at + 3) > 1 || strange_pool) return absl::DataLossError("PackedRecords: impossible field");
    specs.push_back(std::move(spec));
    pool_sizes.push_back(pool);
    from = from.subspan(kSpecBytes + name_bytes);
  }
  return from.empty() ? absl::OkStatus() : absl::DataLossError("PackedRecords: bytes behind the fields");
}

}  // namespace

void FieldRun::Decode(std::uint64_t from, std::span<std::uint64_t> out) const {
  if (from >= size) return;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - from)));
  if (stride == width && first % 8 == 0 && width > 0) {
    UnpackBits(bytes.subspan(static_cast<std::size_t>(first / 8)), width, from, out);
    return;
  }
  std::uint64_t at = first + from * stride;
  for (std::uint64_t& value : out) {
    value = ReadBits(bytes.data(), at, width);
    at += stride;
  }
}

absl::StatusOr<RecordImage> RecordImage::Open(std::span<const std::byte> bytes) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(bytes, Kind::kPackedRecords));
  const std::uint64_t fields = header.parameters[0] & 0xffffffff;
  const std::uint64_t how = header.parameters[0] >> 32;
  const std::uint64_t spec_bytes = header.parameters[1];
  if (header.header_bytes != 64 || fields > kMaxFields || how > 1 || spec_bytes > header.image_bytes - 64) {
    return absl::DataLossError("PackedRecords: bad parameters");
  }
  RecordImage opened;
  opened.image = bytes.first(header.image_bytes);
  opened.layout = static_cast<RecordLayout>(how);
  opened.size = header.count;
  std::vector<PoolSize> pool_sizes;
  THIMBLE_RETURN_IF_ERROR(ReadSpecs(opened.image.subspan(64, spec_bytes), fields, opened.specs, pool_sizes));
  RecordImageLayout layout(spec_bytes, opened.specs, opened.layout, opened.size, pool_sizes);
  if (layout.image_bytes != header.image_bytes) return absl::DataLossError("PackedRecords: image of another length");
  opened.runs = std::move(layout.runs);
  for (FieldRun& run : opened.runs) run.bytes = opened.image.subspan(layout.records);
  for (std::size_t i = 0; i < fields; ++i) {
    opened.pools.push_back({.ends = opened.image.data() + layout.pools[i].ends,
                            .bytes = reinterpret_cast<const char*>(opened.image.data() + layout.pools[i].bytes),
                            .byte_count = pool_sizes[i].bytes,
                            .size = pool_sizes[i].strings,
                            .end_width = pool_sizes[i].end_width()});
  }
  return opened;
}

absl::Status RecordImage::Verify() const {
  for (std::size_t field = 0; field < specs.size(); ++field) {
    if (specs[field].type != FieldType::kText) continue;
    const TextPool& pool = pools[field];
    std::uint64_t previous = 0;
    for (std::uint64_t code = 0; code < pool.size && pool.end_width > 0; ++code) {
      const std::uint64_t end = ReadBits(pool.ends, code * pool.end_width, pool.end_width);
      if (end < previous || end > pool.byte_count) return absl::DataLossError("PackedRecords: strings overlap");
      previous = end;
    }
    if (previous != pool.byte_count) return absl::DataLossError("PackedRecords: bytes behind the last string");
    if (specs[field].width == 0 && size > 0 && pool.size == 0) return absl::DataLossError("PackedRecords: a string is missing");
    std::array<std::uint64_t, 512> codes;
    for (std::uint64_t i = 0; i < size && specs[field].width > 0; i += codes.size()) {
      const auto some = std::span(codes).first(static_cast<std::size_t>(std::min<std::uint64_t>(codes.size(), size - i)));
      runs[field].Decode(i, some);
      for (const std::uint64_t code : some) {
        if (code >= pool.size) return absl::DataLossError("PackedRecords: a string is missing");
      }
    }
  }
  return absl::OkStatus();
}

struct RecordImageBuilder::Pool {
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> codes;
  std::vector<const std::string*> strings;  // by code; the map's keys do not move
  std::uint64_t bytes = 0;
};

struct RecordImageBuilder::Places {
  std::vector<PoolSize> sizes;
  RecordImageLayout layout;
};

RecordImageBuilder::RecordImageBuilder(std::vector<FieldSpec> specs, RecordLayout layout, std::uint64_t size, Buffer buffer)
    : specs_(std::move(specs)), layout_(layout), size_(size), buffer_(std::move(buffer)), pools_(specs_.size()) {
  if (specs_.size() > kMaxFields || !std::all_of(specs_.begin(), specs_.end(), Possible)) error_ = "impossible fields";
  Places places = PlacesNow();
  records_at_ = places.layout.records;
  runs_ = std::move(places.layout.runs);
  if (places.layout.image_bytes == ImageLayout::kTooLarge) error_ = "larger than memory";
  if (buffer_.size() == 0 && error_.empty()) buffer_ = Buffer::Heap(places.layout.image_bytes);
  if (buffer_.size() < places.layout.image_bytes) error_ = "buffer too small";
}

RecordImageBuilder::RecordImageBuilder(RecordImageBuilder&&) noexcept = default;
RecordImageBuilder& RecordImageBuilder::operator=(RecordImageBuilder&&) noexcept = default;
RecordImageBuilder::~RecordImageBuilder() = default;

void RecordImageBuilder::Fail(std::size_t field, std::uint64_t record, std::string_view why) {
  if (!error_.empty()) return;
  error_ = "record " + std::to_string(record) + ": " + specs_[field].name + " " + std::string(why);
}

void RecordImageBuilder::Set(std::size_t field, std::uint64_t record, std::uint64_t value) {
  const FieldRun& run = runs_[field];
  if (record >= size_) return Fail(field, record, "is beyond the last record");
  if (value > LowBits(run.width)) return Fail(field, record, "does not fit in " + std::to_string(run.width) + " bits");
  if (error_.empty()) WriteBits(buffer_.data() + records_at_, run.first + record * run.stride, run.width, value);
}

void RecordImageBuilder::SetText(std::size_t field, std::uint64_t record, std::string_view text) {
  Pool& pool = pools_[field];
  auto found = pool.codes.find(text);
  if (found == pool.codes.end()) {
    found = pool.codes.emplace(text, pool.strings.size()).first;
    pool.strings.push_back(&found->first);
    pool.bytes += text.size();
  }
  Set(field, record, found->second);
}

RecordImageBuilder::Places RecordImageBuilder::PlacesNow() const {
  std::vector<PoolSize> sizes;
  for (const Pool& pool : pools_) sizes.push_back({pool.strings.size(), pool.bytes});
  RecordImageLayout layout(SpecBytes(specs_), specs_, layout_, size_, sizes);
  return {std::move(sizes), std::move(layout)};
}

std::uint64_t RecordImageBuilder::ImageBytes() const { return PlacesNow().layout.image_bytes; }

absl::StatusOr<Buffer> RecordImageBuilder::Finish() && {
  if (!error_.empty()) return absl::InvalidArgumentError("PackedRecords: " + error_);
  const auto [sizes, layout] = PlacesNow();
  if (!buffer_.Grow(layout.image_bytes).ok()) return absl::InvalidArgumentError("PackedRecords: buffer too small for the strings");
  ImageHeader header{
      .kind = Kind::kPackedRecords, .image_bytes = layout.image_bytes, .count = size_, .used_bytes = layout.image_bytes};
  header.parameters = {specs_.size() | static_cast<std::uint64_t>(layout_) << 32, SpecBytes(specs_)};
  header.Write(buffer_.bytes());
  std::byte* at = buffer_.data() + 64;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const FieldSpec& spec = specs_[i];
    Store(at, spec.type);
    Store(at + 1, static_cast<std::uint8_t>(spec.width));
    Store(at + 2, static_cast<std::uint8_t>(spec.digits));
    Store(at + 3, static_cast<std::uint8_t>(spec.padded));
    Store(at + 4, static_cast<std::uint32_t>(spec.name.size()));
    Store(at + 8, spec.base);
    Store(at + 16, sizes[i].strings);
    Store(at + 24, sizes[i].bytes);
    std::copy_n(reinterpret_cast<const std::byte*>(spec.name.data()), spec.name.size(), at + kSpecBytes);
    at += kSpecBytes + spec.name.size();

    std::uint64_t end = 0, end_at = 0;
    for (const std::string* string : pools_[i].strings) {
      std::copy_n(reinterpret_cast<const std::byte*>(string->data()), string->size(), buffer_.data() + layout.pools[i].bytes + end);
      end += string->size();
      WriteBits(buffer_.data() + layout.pools[i].ends, end_at, sizes[i].end_width(), end);
      end_at += sizes[i].end_width();
    }
  }
  return std::move(buffer_);
}

}  // namespace thimble
