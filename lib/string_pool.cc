#include "thimble/string_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "status_macros.h"
#include "thimble/bytes.h"
#include "thimble/hash.h"

namespace thimble {
namespace {

constexpr std::uint64_t kSlots = 12;
constexpr std::uint64_t kLineBytes = 64;
constexpr std::uint64_t kIdsAt = 16;
constexpr std::uint64_t kBlockStrings = 8;
constexpr std::uint64_t kBlockBytes = 16;
constexpr std::uint64_t kLong = 255;
constexpr std::uint64_t kMost = std::uint64_t{1} << 56;
constexpr std::uint64_t kMaxStrings = std::uint64_t{1} << 32;
constexpr std::uint64_t kOnes = 0x0101010101010101u;

// Parameters: 0 lines, 1 blocks.
struct StringPoolLayout {
  std::uint64_t lines = 128, blocks, text;
  StringPoolLayout(std::uint64_t line_count, std::uint64_t block_count)
      : blocks(lines + kLineBytes * line_count), text(blocks + kBlockBytes * block_count) {}
};

// At most 15 of 16 slots are taken.
std::uint64_t CapacityOf(std::uint64_t lines) { return lines * kSlots * 15 / 16; }
std::uint64_t BlocksFor(std::uint64_t strings) { return strings / kBlockStrings + 1; }

std::uint64_t LinesFor(std::uint64_t strings) {
  std::uint64_t lines = strings * 16 / 15 / kSlots + 1;
  while (CapacityOf(lines) < strings) ++lines;
  return lines;
}

std::uint64_t HomeOf(std::uint64_t hash, std::uint64_t lines) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{hash} * lines >> 64);
}

std::uint8_t FingerprintOf(std::uint64_t hash) { return static_cast<std::uint8_t>(1 + (hash & 0xff) % 255); }

// The high bit of every zero byte of the 12 at `line`, and perhaps of a byte above one: bytes 0 to 7, and 8 to 11.
struct Zeros {
  std::uint64_t low, high;
  Zeros(const std::byte* line, std::uint64_t flip) {
    const std::uint64_t a = Load<std::uint64_t>(line) ^ flip;
    const std::uint64_t b = (Load<std::uint64_t>(line + 8) ^ flip) | 0xffffffff00000000u;
    low = (a - kOnes) & ~a & (kOnes << 7);
    high = (b - kOnes) & ~b & (kOnes << 7);
  }
};

// Sum of the low `count` bytes of a word. Requires: count < 8.
std::uint64_t SumOfBytes(std::uint64_t word, unsigned count) {
  word &= LowBits(8 * count);
  const std::uint64_t pairs = (word & 0x00ff00ff00ff00ffu) + ((word >> 8) & 0x00ff00ff00ff00ffu);
  return (pairs * 0x0001000100010001u) >> 48;
}

}  // namespace

absl::StatusOr<StringPoolView> StringPoolView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t lines = header.parameters[0], blocks = header.parameters[1];
  if (header.header_bytes != 128 || lines == 0 || lines >= kMost / kLineBytes || blocks >= kMost / kBlockBytes ||
      header.count > kMaxStrings || header.count > blocks * kBlockStrings || blocks != BlocksFor(CapacityOf(lines)) || header.hash_scheme != HashScheme::kThimble) {
    return absl::DataLossError("StringPool: impossible parameters");
  }
  const StringPoolLayout layout(lines, blocks);
  if (header.used_bytes < layout.text || header.used_bytes + kImageSlack > header.image_bytes) {
    return absl::DataLossError("StringPool: sizes do not add up");
  }
  StringPoolView view;
  view.image_ = image.first(header.image_bytes);
  view.lines_ = image.data() + layout.lines;
  view.blocks_ = image.data() + layout.blocks;
  view.text_ = image.data() + layout.text;
  view.line_count_ = lines;
  view.block_count_ = blocks;
  view.text_bytes_ = header.used_bytes - layout.text;
  view.size_ = header.count;
  view.seed_ = header.seed;
  return view;
}

std::string_view StringPoolView::operator[](std::uint64_t id) const {
  if (id >= size_) return {};
  const std::byte* block = blocks_ + kBlockBytes * (id / kBlockStrings);
  const std::uint64_t base = std::min(Load<std::uint64_t>(block), text_bytes_);
  const std::uint64_t sizes = Load<std::uint64_t>(block + 8);
  const unsigned before = id % kBlockStrings;
  std::uint64_t at, size = (sizes >> (8 * before)) & 0xff;
  const std::uint64_t short_sizes = ~(sizes & LowBits(8 * before));  // a byte of zeros is a long one
  if (((short_sizes - kOnes) & ~short_sizes & (kOnes << 7)) == 0) {
    at = base + SumOfBytes(sizes, before);
  } else {
    at = base;
    for (unsigned i = 0; i < before; ++i) {
      std::uint64_t skipped = (sizes >> (8 * i)) & 0xff;
      if (skipped == kLong) {
        if (at > text_bytes_ || text_bytes_ - at < 8) return {};
        skipped = Load<std::uint64_t>(text_ + at);
        at += 8;
        if (skipped > text_bytes_ - at) return {};
      }
      at += skipped;
    }
  }
  if (at > text_bytes_) return {};
  if (size == kLong) {
    if (text_bytes_ - at < 8) return {};
    size = Load<std::uint64_t>(text_ + at);
    at += 8;
  }
  if (size > text_bytes_ - at) return {};
  return {reinterpret_cast<const char*>(text_) + at, size};
}

std::optional<std::uint64_t> StringPoolView::FindHashed(std::string_view string, std::uint64_t hash) const {
  const std::uint64_t flip = FingerprintOf(hash) * kOnes;
  std::uint64_t line = HomeOf(hash, line_count_);
  for (std::uint64_t visited = 0; visited < line_count_; ++visited) {
    const std::byte* at = lines_ + kLineBytes * line;
    const Zeros match(at, flip);
    for (std::uint64_t bits = match.low; bits != 0; bits &= bits - 1) {
      const std::uint64_t id = Load<std::uint32_t>(at + kIdsAt + 4 * (static_cast<unsigned>(std::countr_zero(bits)) / 8));
      if (id < size_ && (*this)[id] == string) return id;
    }
    for (std::uint64_t bits = match.high; bits != 0; bits &= bits - 1) {
      const std::uint64_t id = Load<std::uint32_t>(at + kIdsAt + 32 + 4 * (static_cast<unsigned>(std::countr_zero(bits)) / 8));
      if (id < size_ && (*this)[id] == string) return id;
    }
    const Zeros free(at, 0);
    if ((free.low | free.high) != 0) return std::nullopt;
    if (++line == line_count_) line = 0;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> StringPoolView::Find(std::string_view string) const {
  if (line_count_ == 0) return std::nullopt;
  return FindHashed(string, Hash64(string, seed_));
}

absl::Status StringPoolView::Verify() const {
  std::uint64_t text = 0, taken = 0;
  for (std::uint64_t line = 0; line < line_count_; ++line) {
    for (unsigned slot = 0; slot < kSlots; ++slot) taken += lines_[kLineBytes * line + slot] != std::byte{0};
  }
  if (taken != size_) return absl::DataLossError("StringPool: an index of other strings");
  for (std::uint64_t id = 0; id < size_; ++id) {
    const std::string_view string = (*this)[id];
    if (Find(string) != id) return absl::DataLossError("StringPool: a string is not found");
    text += string.size() + (string.size() >= kLong ? 8 : 0);
  }
  if (text != text_bytes_) return absl::DataLossError("StringPool: text that is no string's");
  return absl::OkStatus();
}

std::uint64_t StringPool::ImageBytes(const Options& options) {
  const std::uint64_t lines = LinesFor(options.capacity);
  const std::uint64_t text = StringPoolLayout(lines, BlocksFor(CapacityOf(lines))).text;
  return RoundUp(text + kImageSlack, 8);
}

absl::StatusOr<StringPool> StringPool::Make(const Options& options, Buffer buffer) {
  if (options.capacity >= kMaxStrings) return absl::InvalidArgumentError("StringPool: at most 2^32 strings");
  THIMBLE_RETURN_IF_ERROR(buffer.Grow(ImageBytes(options)));
  const std::uint64_t lines = LinesFor(options.capacity);
  const std::uint64_t blocks = BlocksFor(CapacityOf(lines));
  ImageHeader{.kind = Kind::kStringPool,
              .header_bytes = 128,
              .hash_scheme = HashScheme::kThimble,
              .image_bytes = buffer.size() / 8 * 8,
              .used_bytes = StringPoolLayout(lines, blocks).text,
              .seed = options.seed,
              .parameters = {lines, blocks}}
      .Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const StringPoolView view, ViewOf(buffer));
  StringPool pool(view, std::move(buffer));
  pool.peak_bytes_ = pool.buffer().size();
  return pool;
}

absl::StatusOr<StringPool> StringPool::Make(const Options& options) { return Make(options, Buffer::Heap(0)); }

StringPool::StringPool(const Options& options) : StringPool(Make(options).value()) {}

absl::StatusOr<StringPool> StringPool::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const StringPoolView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  StringPool pool(view, std::move(buffer));
  pool.peak_bytes_ = pool.buffer().size();
  return pool;
}

// After the buffer or the sizes changed.
void StringPool::Rebase() {
  const StringPoolLayout layout(line_count_, block_count_);
  image_ = {data(), buffer().size() / 8 * 8};
  lines_ = data() + layout.lines;
  blocks_ = data() + layout.blocks;
  text_ = data() + layout.text;
  peak_bytes_ = std::max<std::uint64_t>(peak_bytes_, buffer().size());
}

void StringPool::WriteHeader() {
  ImageHeader{.kind = Kind::kStringPool,
              .header_bytes = 128,
              .hash_scheme = HashScheme::kThimble,
              .image_bytes = image_.size(),
              .count = size_,
              .used_bytes = StringPoolLayout(line_count_, block_count_).text + text_bytes_,
              .seed = seed_,
              .parameters = {line_count_, block_count_}}
      .Write(buffer().bytes());
}

absl::Status StringPool::ReserveText(std::uint64_t bytes) {
  const std::uint64_t needed = StringPoolLayout(line_count_, block_count_).text + text_bytes_ + bytes + kImageSlack;
  if (needed <= image_.size()) return absl::OkStatus();
  THIMBLE_RETURN_IF_ERROR(buffer().Grow(RoundUp(needed + needed / 128 + 256, 8)));
  Rebase();
  WriteHeader();
  return absl::OkStatus();
}

// More lines and blocks: the text and the blocks move up, and every string finds its line again.
absl::Status StringPool::GrowIndex() {
  const std::uint64_t lines = line_count_ + line_count_ / 12 + 1;
  const std::uint64_t blocks = BlocksFor(CapacityOf(lines));
  const StringPoolLayout before(line_count_, block_count_), after(lines, blocks);
  THIMBLE_RETURN_IF_ERROR(buffer().Grow(RoundUp(after.text + text_bytes_ + kImageSlack, 8)));
  std::memmove(data() + after.text, data() + before.text, text_bytes_);
  std::memmove(data() + after.blocks, data() + before.blocks, kBlockBytes * block_count_);
  std::memset(data() + after.blocks + kBlockBytes * block_count_, 0, kBlockBytes * (blocks - block_count_));
  std::memset(data() + after.lines, 0, kLineBytes * lines);
  line_count_ = lines;
  block_count_ = blocks;
  Rebase();
  WriteHeader();
  // The lines of a few strings ahead are fetched meanwhile.
  constexpr std::uint64_t kAhead = 16;
  std::uint64_t hashes[kAhead];
  for (std::uint64_t first = 0; first < size_; first += kAhead) {
    const std::uint64_t batch = std::min(kAhead, size_ - first);
    for (std::uint64_t i = 0; i < batch; ++i) {
      hashes[i] = Hash64((*this)[first + i], seed_);
      __builtin_prefetch(lines_ + kLineBytes * HomeOf(hashes[i], lines), 1);
    }
    for (std::uint64_t i = 0; i < batch; ++i) PutInLine(first + i, hashes[i]);
  }
  return absl::OkStatus();
}

void StringPool::PutInLine(std::uint64_t id, std::uint64_t hash) {
  for (std::uint64_t line = HomeOf(hash, line_count_);; line = line + 1 == line_count_ ? 0 : line + 1) {
    std::byte* at = data() + StringPoolLayout(line_count_, block_count_).lines + kLineBytes * line;
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      if (at[slot] != std::byte{0}) continue;
      at[slot] = std::byte{FingerprintOf(hash)};
      Store(at + kIdsAt + 4 * slot, static_cast<std::uint32_t>(id));
      return;
    }
  }
}

absl::StatusOr<std::uint64_t> StringPool::Add(std::string_view string) {
  const std::uint64_t hash = Hash64(string, seed_);
  if (const std::optional<std::uint64_t> id = FindHashed(string, hash)) return *id;
  if (LiesIn(string, buffer().bytes())) return Add(std::string(string));  // a part of one that is here
  if (size_ + 1 >= kMaxStrings || string.size() >= kMost) return absl::ResourceExhaustedError("StringPool: at most 2^32 strings");
  if (size_ >= CapacityOf(line_count_)) THIMBLE_RETURN_IF_ERROR(GrowIndex());
  const bool is_long = string.size() >= kLong;
  THIMBLE_RETURN_IF_ERROR(ReserveText(string.size() + (is_long ? 8 : 0)));

  const std::uint64_t id = size_;
  const StringPoolLayout layout(line_count_, block_count_);
  std::byte* block = data() + layout.blocks + kBlockBytes * (id / kBlockStrings);
  std::byte* text = data() + layout.text;
  if (id % kBlockStrings == 0) Store(block, text_bytes_);
  block[8 + id % kBlockStrings] = static_cast<std::byte>(is_long ? kLong : string.size());
  if (is_long) {
    Store(text + text_bytes_, static_cast<std::uint64_t>(string.size()));
    text_bytes_ += 8;
  }
  if (!string.empty()) std::memcpy(text + text_bytes_, string.data(), string.size());
  text_bytes_ += string.size();
  ++size_;
  PutInLine(id, hash);
  WriteHeader();
  return id;
}

Stats StringPool::stats() const {
  const std::uint64_t used = StringPoolLayout(line_count_, block_count_).text + text_bytes_ + kImageSlack;
  return {.live_bytes = used, .slack_bytes = buffer().size() - used, .peak_bytes = peak_bytes_};
}

}  // namespace thimble
