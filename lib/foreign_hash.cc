#include "thimble/foreign_hash.h"

#include "thimble/bytes.h"

namespace thimble {
namespace {

std::uint64_t LoadWord(const char* from) { return Load<std::uint64_t>(reinterpret_cast<const std::byte*>(from)); }

// The last 0 to 8 bytes of a string, as a little-endian word.
std::uint64_t LoadTail(const char* from, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, bytes);
  return word;
}

}  // namespace

Hash128 Murmur3(std::string_view bytes, std::uint64_t seed) {
  using internal::kMurmurC1;
  using internal::kMurmurC2;
  const auto scramble1 = [](std::uint64_t k) { return std::rotl(k * kMurmurC1, 31) * kMurmurC2; };
  const auto scramble2 = [](std::uint64_t k) { return std::rotl(k * kMurmurC2, 33) * kMurmurC1; };
  std::uint64_t h1 = seed, h2 = seed;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; left -= 16, at += 16) {
    h1 = (std::rotl(h1 ^ scramble1(LoadWord(at)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ scramble2(LoadWord(at + 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  if (left > 8) h2 ^= scramble2(LoadTail(at + 8, left - 8));
  if (left > 0) h1 ^= scramble1(left >= 8 ? LoadWord(at) : LoadTail(at, left));
  return internal::MurmurFinish(h1, h2, bytes.size());
}

std::uint64_t Murmur64A(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kMultiplier = 0xc6a4a7935bd1e995u;
  std::uint64_t hash = seed ^ (bytes.size() * kMultiplier);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t k = LoadWord(at) * kMultiplier;
    k = (k ^ (k >> 47)) * kMultiplier;
    hash = (hash ^ k) * kMultiplier;
  }
  if (left > 0) hash = (hash ^ LoadTail(at, left)) * kMultiplier;
  hash = (hash ^ (hash >> 47)) * kMultiplier;
  return hash ^ (hash >> 47);
}

}  // namespace thimble
