#include "packed_bytes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "prefix_lengths.h"
#include "thimble/bytes.h"

namespace thimble::internal {
namespace {

// A block: u32 of its size, u8 of its form; as it is, or the lengths of the 256 codes in half a byte each, and the codes, the
// most significant bit first, with zeros up to a whole byte and kPadding behind.
enum class BlockForm : std::uint8_t { kPlain, kCoded };
constexpr std::size_t kHead = 5, kLengthBytes = 128, kPadding = 8;
constexpr unsigned kMostBits = 12;

using Lengths = std::array<std::uint8_t, 256>;

// Codes of a length ascend with the bytes, and longer ones stand above shorter ones, so that lengths tell all.
template <class Visit>
void EachCode(const Lengths& lengths, Visit visit) {
  std::uint32_t code = 0;  // left-aligned in kMostBits
  for (unsigned length = 1; length <= kMostBits; ++length) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (lengths[byte] != length) continue;
      visit(byte, code, length);
      code += 1u << (kMostBits - length);
    }
  }
}

Lengths BestLengths(const std::array<std::uint32_t, 256>& counts) {
  std::vector<unsigned> used;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (counts[byte] > 0) used.push_back(byte);
  }
  std::stable_sort(used.begin(), used.end(), [&](unsigned a, unsigned b) { return counts[a] > counts[b]; });
  std::vector<double> uses;
  for (const unsigned byte : used) uses.push_back(counts[byte]);
  const std::vector<unsigned> of_used = PrefixLengths(uses, kMostBits);
  Lengths lengths{};
  for (std::size_t i = 0; i < used.size(); ++i) lengths[used[i]] = static_cast<std::uint8_t>(of_used[i]);
  return lengths;
}

std::uint64_t BigEndianAt(const char* at) {
  const auto word = Load<std::uint64_t>(reinterpret_cast<const std::byte*>(at));
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

void AppendCodes(std::string_view block, const Lengths& lengths, std::string* log) {
  std::array<std::uint32_t, 256> codes{};
  EachCode(lengths, [&](unsigned byte, std::uint32_t code, unsigned length) { codes[byte] = code >> (kMostBits - length); });
  std::uint64_t pending = 0;
  unsigned bits = 0;
  for (const char c : block) {
    const auto byte = static_cast<std::uint8_t>(c);
    pending = pending << lengths[byte] | codes[byte];
    for (bits += lengths[byte]; bits >= 8; bits -= 8) log->push_back(static_cast<char>(pending >> (bits - 8)));
  }
  if (bits > 0) log->push_back(static_cast<char>(pending << (8 - bits)));
  log->append(kPadding, '\0');
}

}  // namespace

void PackBytes(std::string_view block, std::string* log) {
  std::array<std::uint32_t, 256> counts{};
  for (const char c : block) ++counts[static_cast<std::uint8_t>(c)];
  const Lengths lengths = BestLengths(counts);
  std::uint64_t bits = 0;
  for (unsigned byte = 0; byte < 256; ++byte) bits += std::uint64_t{counts[byte]} * lengths[byte];
  const bool coded = kLengthBytes + (bits + 7) / 8 + kPadding < block.size();

  char head[kHead];
  const auto size = static_cast<std::uint32_t>(block.size());
  Store(reinterpret_cast<std::byte*>(head), size);
  head[4] = static_cast<char>(coded ? BlockForm::kCoded : BlockForm::kPlain);
  log->append(head, kHead);
  if (!coded) {
    log->append(block);
    return;
  }
  for (unsigned byte = 0; byte < 256; byte += 2) log->push_back(static_cast<char>(lengths[byte] | lengths[byte + 1] << 4));
  AppendCodes(block, lengths, log);
}

std::size_t UnpackBytes(std::string_view log, std::string* block) {
  const std::size_t size = Load<std::uint32_t>(reinterpret_cast<const std::byte*>(log.data()));
  if (static_cast<BlockForm>(log[4]) == BlockForm::kPlain) {
    block->assign(log, kHead, size);
    return kHead + size;
  }
  Lengths lengths;
  for (unsigned byte = 0; byte < 256; ++byte) lengths[byte] = static_cast<std::uint8_t>(log[kHead + byte / 2]) >> (byte % 2 * 4) & 15;
  struct Step {
    std::uint8_t byte, bits;
  };
  std::array<Step, std::size_t{1} << kMostBits> steps;
  EachCode(lengths, [&](unsigned byte, std::uint32_t code, unsigned length) {
    std::fill_n(steps.begin() + code, 1u << (kMostBits - length), Step{static_cast<std::uint8_t>(byte), static_cast<std::uint8_t>(length)});
  });

  block->resize(size);
  const char* codes = log.data() + kHead + kLengthBytes;
  std::uint64_t at = 0;  // in bits
  for (std::size_t i = 0; i < size;) {
    std::uint64_t word = BigEndianAt(codes + at / 8) << at % 8;
    // Four codes are in the 57 bits that are there at least.
    for (const std::size_t end = std::min(size, i + 4); i < end; ++i) {
      const Step step = steps[word >> (64 - kMostBits)];
      (*block)[i] = static_cast<char>(step.byte);
      word <<= step.bits;
      at += step.bits;
    }
  }
  return kHead + kLengthBytes + (at + 7) / 8 + kPadding;
}

}  // namespace thimble::internal
