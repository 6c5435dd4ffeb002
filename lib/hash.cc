#include "thimble/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace thimble {
namespace {

[[gnu::noinline]] std::uint64_t HashOfAnyLength(const void* bytes, std::size_t size, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, size, seed);
}

// XXH3, whose path for 17 to 32 bytes is spelled out: with the longer paths in one function, and the registers that these
// need saved, it takes half as many instructions again.
std::uint64_t Hash(const void* bytes, std::size_t size, std::uint64_t seed) {
  if (size < 17 || size > 32) return HashOfAnyLength(bytes, size, seed);
  const auto* first = static_cast<const xxh_u8*>(bytes);
  return XXH3_avalanche(size * XXH_PRIME64_1 + XXH3_mix16B(first, XXH3_kSecret, seed) +
                        XXH3_mix16B(first + size - 16, XXH3_kSecret + 16, seed));
}

}  // namespace

std::uint64_t Hash64(std::string_view bytes, std::uint64_t seed) { return Hash(bytes.data(), bytes.size(), seed); }
std::uint64_t Hash64(std::span<const std::byte> bytes, std::uint64_t seed) { return Hash(bytes.data(), bytes.size(), seed); }

}  // namespace thimble
