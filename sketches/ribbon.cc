#include "thimble/ribbon.h"

#include <algorithm>

#include <cpu.h>

#include "ribbon_hash.h"

#if THIMBLE_HAS_AVX2_KERNELS
#include <immintrin.h>
#endif

namespace thimble {
namespace {

using ribbon::Wide;

constexpr std::size_t kRecordBytes = 32;
constexpr std::uint64_t kOffsetBits = 48;

// Column i of a probe: the parity of those of its 64 slots' bits that the coefficients select.
inline std::uint64_t ColumnBits(const Ribbon::Probe& probe, std::uint32_t i) {
  const std::uint64_t low = Load<std::uint64_t>(probe.block + 8 * i), high = Load<std::uint64_t>(probe.next + 8 * i);
  return (low >> probe.shift | high << 1 << (63 - probe.shift)) & probe.coefficients;
}

std::uint64_t Value(const Ribbon::Probe& probe) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < probe.width; ++i) {
    value |= static_cast<std::uint64_t>(__builtin_parityll(ColumnBits(probe, i))) << i;
  }
  return value;
}
constexpr Ribbon::Kernels kPortable{Value};

#if THIMBLE_HAS_AVX2_KERNELS

THIMBLE_TARGET_AVX2 inline __m256i FourColumns(const Ribbon::Probe& probe, std::uint32_t i, __m128i right, __m128i left, __m256i coefficients) {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(probe.block + 8 * i));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(probe.next + 8 * i));
  const __m256i bits = _mm256_or_si256(_mm256_srl_epi64(low, right), _mm256_sll_epi64(high, left));
  return _mm256_and_si256(bits, coefficients);
}

// Eight columns a step: two vectors of four are folded to eight 32-bit lanes, and those by shifts to their top bits.
THIMBLE_TARGET_AVX2 std::uint64_t ValueAvx2(const Ribbon::Probe& probe) {
  const __m128i right = _mm_cvtsi32_si128(static_cast<int>(probe.shift)), left = _mm_cvtsi32_si128(static_cast<int>(64 - probe.shift));
  const __m256i coefficients = _mm256_set1_epi64x(static_cast<long long>(probe.coefficients));
  std::uint64_t value = 0;
  std::uint32_t i = 0;
  for (; i + 8 <= probe.width; i += 8) {
    const __m256i a = FourColumns(probe, i, right, left, coefficients), b = FourColumns(probe, i + 4, right, left, coefficients);
    // Lanes 0 2 4 6 of a and of b, once low and once high halves: their xor has the columns in the order 0 1 4 5 2 3 6 7.
    const __m256i even = _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
    const __m256i odd = _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xDD));
    __m256i x = _mm256_permute4x64_epi64(_mm256_xor_si256(even, odd), 0xD8);
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 16));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 8));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 4));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 2));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 1));
    value |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(x)))) << i;
  }
  for (; i < probe.width; ++i) value |= static_cast<std::uint64_t>(_mm_popcnt_u64(ColumnBits(probe, i)) & 1) << i;
  return value;
}
constexpr Ribbon::Kernels kAvx2{ValueAvx2};

#endif

const Ribbon::Kernels* ChooseKernels() {
#if THIMBLE_HAS_AVX2_KERNELS
  if (ActiveCpuLevel() == CpuLevel::kAvx2) return &kAvx2;
#endif
  return &kPortable;
}

}  // namespace

std::uint64_t RibbonFingerprint(std::uint64_t hash) { return ribbon::Mix(hash * 0x8CB92BA72F3D8DD7u + 0x6C8E9CF570932BD5u); }

absl::StatusOr<Ribbon> Ribbon::Open(std::span<const std::byte> image, const ImageHeader& header) {
  if (header.header_bytes != kHeaderBytes) return absl::DataLossError("static structure: bad header length");
  if (header.hash_scheme != HashScheme::kThimble) return absl::DataLossError("static structure: unknown hash scheme");
  Ribbon ribbon;
  ribbon.shards = header.parameters[0];
  ribbon.bits = static_cast<std::uint32_t>(header.parameters[1] >> 48);
  ribbon.narrow_share = header.parameters[1] & LowBits(48);
  const std::uint64_t whole = std::uint64_t{1} << 32;
  if (ribbon.shards == 0 || ribbon.narrow_share > whole || ribbon.bits > kMaxBits ||
      (ribbon.bits == kMaxBits && ribbon.narrow_share != whole)) {
    return absl::DataLossError("static structure: bad parameters");
  }
  ImageLayout layout(kHeaderBytes);
  layout.Add(ribbon.shards, 8 * kRecordBytes);
  if (layout.image_bytes() > header.image_bytes) return absl::DataLossError("static structure: cut short");
  ribbon.image = image.first(header.image_bytes);
  ribbon.kernels = ChooseKernels();
  return ribbon;
}

absl::Status Ribbon::Verify() const {
  // Every shard begins where the one before it ends, and the last one ends with the image.
  std::uint64_t word = RoundUp(kHeaderBytes + shards * kRecordBytes, 64) / 8;
  for (std::uint64_t shard = 0; shard < shards; ++shard) {
    const std::byte* record = image.data() + kHeaderBytes + shard * kRecordBytes;
    if ((Load<std::uint64_t>(record) & LowBits(kOffsetBits)) != word) return absl::DataLossError("static structure: a shard is misplaced");
    bool ended = false;
    for (std::size_t layer = 0; layer < kLayers; ++layer) {
      const std::uint64_t blocks = Load<std::uint32_t>(record + 8 + 4 * layer);
      if (ended && blocks != 0) return absl::DataLossError("static structure: a layer behind the last one");
      ended = blocks == 0;
      if (ended) continue;
      word += ribbon::ThresholdWords(blocks) + ribbon::BlockWord(blocks, ribbon::NarrowBlocks(blocks, narrow_share), bits);
    }
    word = RoundUp(word, 8);
    if (word * 8 > image.size()) return absl::DataLossError("static structure: a shard reaches past the end");
  }
  return word * 8 + kImageSlack == image.size() ? absl::OkStatus() : absl::DataLossError("static structure: bytes behind the last shard");
}

Ribbon::Probe Ribbon::Find(std::uint64_t hash) const {
  const std::uint64_t words = image.size() / 8 - 1;
  const std::byte* record = image.data() + kHeaderBytes + ribbon::MultiplyHigh(hash, shards) * kRecordBytes;
  const auto first = Load<std::uint64_t>(record);
  std::uint64_t word = first & LowBits(kOffsetBits);
  Probe probe;
  for (unsigned layer = 0; layer < kLayers; ++layer) {
    const std::uint64_t blocks = Load<std::uint32_t>(record + 8 + 4 * layer);
    if (blocks == 0) break;
    const std::uint64_t narrow = ribbon::NarrowBlocks(blocks, narrow_share);
    const std::uint64_t blocks_at = word + ribbon::ThresholdWords(blocks);
    const std::uint64_t end = blocks_at + ribbon::BlockWord(blocks, narrow, bits);
    if (end > words) break;
    const std::uint64_t start = ribbon::Start(ribbon::Fraction(hash, shards, layer, first >> kOffsetBits), blocks);
    const std::uint64_t bucket = start / ribbon::kBucketStarts;
    const std::uint64_t threshold = Load<std::uint64_t>(image.data() + 8 * (word + bucket / 32)) >> bucket % 32 * 2 & 3;
    if (start % ribbon::kBucketStarts >= ribbon::kBumpedBefore[threshold]) {
      const std::uint64_t block = start / 64;
      probe.block = image.data() + 8 * (blocks_at + ribbon::BlockWord(block, narrow, bits));
      probe.shift = static_cast<std::uint32_t>(start % 64);
      probe.width = bits + (block >= narrow ? 1 : 0);
      probe.next = probe.shift == 0 ? probe.block : probe.block + 8 * probe.width;
      probe.coefficients = ribbon::Coefficients(hash, layer);
      return probe;
    }
    word = end;
  }
  return probe;
}

void Ribbon::Prefetch(const Probe& probe) const {
  if (probe.block == nullptr) return;
  const std::byte* end = probe.next + 8 * probe.width;
  for (const std::byte* at = probe.block; at < end; at += 64) __builtin_prefetch(at);
  __builtin_prefetch(end - 1);
}

}  // namespace thimble
