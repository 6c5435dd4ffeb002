#include "thimble/bit_vector.h"

#include <bit>

#include "cpu.h"
#include "inline.h"
#include "rank_kernel.h"
#include "status_macros.h"
#include "thimble/bits.h"

namespace thimble {
namespace {

// Image: header of 64 bytes (count = bits, parameters[0] = ones), lines of 512 bits, counts, samples; see rank_kernel.h.
constexpr std::uint64_t kSampleEvery = 8192;
constexpr std::uint64_t kMaxBits = std::uint64_t{1} << kCountBits;
// So few entries are searched one by one.
constexpr std::uint64_t kLinearBlocks = 16;

struct BitVectorLayout {
  std::uint64_t bits, counts, samples, image_bytes;

  explicit BitVectorLayout(std::uint64_t size) {
    ImageLayout layout(64);
    bits = layout.Add(size / kLineBits + 1, kLineBits, 64);
    counts = layout.Add(size / kBlockBits + 1, kEntryBytes * 8);
    samples = layout.Add(size / kSampleEvery + 2, 32);
    image_bytes = size > kMaxBits ? ImageLayout::kTooLarge : layout.image_bytes();
  }
};

std::uint64_t Samples(std::uint64_t count) { return (count + kSampleEvery - 1) / kSampleEvery; }

// What a line is asked: ones in front of bit `at`, and the place of the one with `k` ones in front.
struct Portable {
  static unsigned Ones(std::uint64_t word) { return static_cast<unsigned>(std::popcount(word)); }

  static unsigned SelectInWord(std::uint64_t word, unsigned k) {
    unsigned at = 0;
    for (unsigned step = 32; step > 0; step /= 2) {
      const unsigned low = Ones(word & LowBits(step));
      if (k >= low) {
        k -= low;
        word >>= step;
        at += step;
      }
    }
    return at;
  }

  static std::uint64_t RankInLine(const std::byte* line, unsigned at) {
    std::uint64_t rank = 0;
    for (unsigned word = 0; word < at / 64; ++word) rank += Ones(Load<std::uint64_t>(line + 8 * word));
    return rank + Ones(Load<std::uint64_t>(line + at / 64 * 8) & LowBits(at % 64));
  }

  THIMBLE_NOINLINE static std::uint64_t Rank(const std::byte* bits, const std::byte* counts, std::uint64_t i) {
    const std::byte* entry = counts + i / kBlockBits * kEntryBytes;
    return CountOf(entry) + SubCountOf(entry, static_cast<unsigned>(i / kLineBits % kLinesPerBlock)) +
           RankInLine(bits + i / kLineBits * 64, static_cast<unsigned>(i % kLineBits));
  }

  static unsigned SelectInLine(const std::byte* line, unsigned k, std::uint64_t flip) {
    for (unsigned i = 0; i < 8; ++i) {
      const std::uint64_t word = Load<std::uint64_t>(line + 8 * i) ^ flip;
      const unsigned ones = Ones(word);
      if (k < ones) return 64 * i + SelectInWord(word, k);
      k -= ones;
    }
    return kLineBits - 1;
  }
};

#if THIMBLE_HAS_AVX2_KERNELS

THIMBLE_TARGET_AVX2 unsigned SelectInLineAvx2(const std::byte* line, unsigned k, std::uint64_t flip) {
  unsigned before = 0, sum = 0, word_at = 0;
  for (unsigned i = 0; i < 7; ++i) {
    sum += static_cast<unsigned>(_mm_popcnt_u64(Load<std::uint64_t>(line + 8 * i) ^ flip));
    const bool behind = sum <= k;
    before = behind ? sum : before;
    word_at += behind;
  }
  const std::uint64_t word = Load<std::uint64_t>(line + 8 * word_at) ^ flip;
  const std::uint64_t one = _pdep_u64(std::uint64_t{1} << ((k - before) % 64), word);
  return 64 * word_at + static_cast<unsigned>(_tzcnt_u64(one) % 64);
}

#endif

std::uint64_t RankInLine(const std::byte* line, unsigned at) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) return RankInLineAvx2(line, at);
#endif
  return Portable::RankInLine(line, at);
}

unsigned SelectInLine(const std::byte* line, unsigned k, std::uint64_t flip) {
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) return SelectInLineAvx2(line, k, flip);
#endif
  return Portable::SelectInLine(line, k, flip);
}

std::uint64_t OnesInLine(const std::byte* line) {
  return RankInLine(line, kLineBits - 1) + (Load<std::uint8_t>(line + 63) >> 7);
}

// Fills counts and samples from the bits; returns the number of ones.
std::uint64_t BuildIndex(std::byte* image, std::uint64_t size) {
  const BitVectorLayout layout(size);
  const std::uint64_t lines = size / kLineBits + 1;
  std::uint64_t ones = 0;
  for (std::uint64_t line = 0; line < lines; ++line) ones += OnesInLine(image + layout.bits + line * 64);
  std::byte* next_one_sample = image + layout.samples;
  std::byte* next_zero_sample = next_one_sample + 4 * Samples(ones);
  std::uint64_t rank = 0;
  for (std::uint64_t block = 0; block <= size / kBlockBits; ++block) {
    std::byte* entry = image + layout.counts + block * kEntryBytes;
    Store(entry, rank);
    std::uint64_t in_block = 0;
    for (unsigned line = 0; line < kLinesPerBlock && block * kLinesPerBlock + line < lines; ++line) {
      if (line > 0) WriteBits(entry, kCountBits + kSubCountBits * (line - 1), kSubCountBits, in_block);
      in_block += OnesInLine(image + layout.bits + (block * kLinesPerBlock + line) * 64);
    }
    const std::uint64_t end = std::min((block + 1) * kBlockBits, size);
    const std::uint64_t zero_rank = block * kBlockBits - rank;
    const std::uint64_t end_zeros = end - rank - in_block;
    for (std::uint64_t k = RoundUp(rank, kSampleEvery); k < rank + in_block; k += kSampleEvery, next_one_sample += 4) {
      Store(next_one_sample, static_cast<std::uint32_t>(block));
    }
    for (std::uint64_t k = RoundUp(zero_rank, kSampleEvery); k < end_zeros; k += kSampleEvery, next_zero_sample += 4) {
      Store(next_zero_sample, static_cast<std::uint32_t>(block));
    }
    rank += in_block;
  }
  return ones;
}

}  // namespace

absl::StatusOr<BitVectorView> BitVectorView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const BitVectorLayout layout(header.count);
  const std::uint64_t ones = header.parameters[0];
  if (header.header_bytes != 64 || layout.image_bytes != header.image_bytes || ones > header.count || header.parameters[1] != 0) {
    return absl::DataLossError("BitVector: bad parameters");
  }
  BitVectorView view;
  view.image_ = image.first(header.image_bytes);
  view.bits_ = image.data() + layout.bits;
  view.counts_ = image.data() + layout.counts;
  view.samples_ = image.data() + layout.samples;
  view.size_ = header.count;
  view.ones_ = ones;
  return view;
}

absl::Status BitVectorView::Verify() const {
  const BitVectorLayout layout(size_);
  for (std::uint64_t i = size_; i < (size_ / kLineBits + 1) * kLineBits; ++i) {
    if ((Load<std::uint8_t>(bits_ + i / 8) >> (i % 8) & 1) != 0) return absl::DataLossError("BitVector: bits behind the end");
  }
  Buffer rebuilt = Buffer::Heap(image_.size());
  std::copy(image_.begin(), image_.begin() + static_cast<std::ptrdiff_t>(layout.counts), rebuilt.data());
  const std::uint64_t ones = BuildIndex(rebuilt.data(), size_);
  if (ones != ones_ || !std::equal(image_.begin(), image_.end(), rebuilt.data())) {
    return absl::DataLossError("BitVector: the index does not match the bits");
  }
  return absl::OkStatus();
}

std::uint64_t BitVectorView::Rank1(std::uint64_t i) const {
  i = std::min(i, size_);
#if THIMBLE_HAS_AVX2_KERNELS
  if (has_avx2) return RankAvx2(bits_, counts_, i);
#endif
  return Portable::Rank(bits_, counts_, i);
}

template <bool kOne>
std::uint64_t BitVectorView::Select(std::uint64_t k) const {
  const std::uint64_t total = kOne ? ones_ : size_ - ones_;
  if (k >= total) return size_;
  const auto rank_of = [this](std::uint64_t block) {
    const std::uint64_t rank = CountOf(counts_ + block * kEntryBytes);
    return kOne ? rank : block * kBlockBits - rank;
  };

  // The block: the last one with at most k in front, between the samples' blocks.
  const std::uint64_t last_block = size_ / kBlockBits;
  const std::byte* samples = samples_ + (kOne ? 0 : 4 * Samples(ones_));
  const std::uint64_t sample = k / kSampleEvery;
  std::uint64_t block = std::min<std::uint64_t>(Load<std::uint32_t>(samples + 4 * sample), last_block);
  std::uint64_t end = last_block;  // the last that it can be
  if (sample + 1 < Samples(total)) end = std::min<std::uint64_t>(Load<std::uint32_t>(samples + 4 * (sample + 1)), last_block);
  while (end > block + kLinearBlocks) {
    const std::uint64_t middle = block + (end - block) / 2;
    (rank_of(middle) <= k ? block : end) = middle;
  }
  while (block < end && rank_of(block + 1) <= k) ++block;

  // The line in the block, then the bit in the line.
  const std::byte* entry = counts_ + block * kEntryBytes;
  const std::uint64_t in_block = k - rank_of(block);
  const std::uint64_t lines = size_ / kLineBits + 1 - block * kLinesPerBlock;
  unsigned line = 0;
  std::uint64_t before = 0;
  for (unsigned i = 1; i < kLinesPerBlock && i < lines; ++i) {
    const std::uint64_t ones = SubCountOf(entry, i);
    const std::uint64_t rank = kOne ? ones : i * kLineBits - ones;
    if (rank > in_block) break;
    line = i;
    before = rank;
  }
  const std::uint64_t at = block * kBlockBits + line * kLineBits;
  const auto in_line = static_cast<unsigned>(in_block - before);
  return std::min(at + SelectInLine(bits_ + at / 8, in_line, kOne ? 0 : ~std::uint64_t{0}), size_);
}

std::uint64_t BitVectorView::Select1(std::uint64_t k) const { return Select<true>(k); }
std::uint64_t BitVectorView::Select0(std::uint64_t k) const { return Select<false>(k); }

std::uint64_t BitVectorView::NextOne(std::uint64_t i) const {
  if (i >= size_) return size_;
  std::uint64_t word_at = i / 64;
  std::uint64_t word = Word(word_at) & ~LowBits(static_cast<unsigned>(i % 64));
  while (word == 0) {
    if (++word_at > size_ / 64) return size_;
    word = Word(word_at);
  }
  return std::min(word_at * 64 + static_cast<unsigned>(std::countr_zero(word)), size_);
}

std::uint64_t BitVector::ImageBytes(std::uint64_t size) { return BitVectorLayout(size).image_bytes; }

absl::StatusOr<BitVector> BitVector::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const BitVectorView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return BitVector(view, std::move(buffer));
}

BitVector::Builder::Builder(std::uint64_t size)
    : Builder(size, size > kMaxBits ? Buffer() : Buffer::Heap(ImageBytes(size))) {}

BitVector::Builder::Builder(std::uint64_t size, Buffer buffer) : buffer_(std::move(buffer)) {
  if (ImageBytes(size) > buffer_.size()) return;  // Finish says so; Set does nothing
  size_ = size;
  bits_ = buffer_.data() + BitVectorLayout(size).bits;
}

absl::StatusOr<BitVector> BitVector::Builder::Finish() && {
  if (bits_ == nullptr) return absl::InvalidArgumentError("BitVector: too many bits for the buffer");
  const std::uint64_t image_bytes = ImageBytes(size_);
  ImageHeader header{.kind = kKind, .image_bytes = image_bytes, .count = size_, .used_bytes = image_bytes};
  header.parameters[0] = BuildIndex(buffer_.data(), size_);
  header.Write(buffer_.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const BitVectorView view, ViewOf(buffer_));
  return BitVector(view, std::move(buffer_));
}

}  // namespace thimble
