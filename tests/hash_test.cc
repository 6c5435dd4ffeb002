#include "testing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <unordered_set>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "thimble/hash.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(hash)

// Flips each input bit of many keys; each output bit must flip in half of the cases, within 6 standard errors of the worst
// of `input_bits` * 64 cells.
template <class HashOf>
double WorstAvalancheBias(int input_bits, int samples, HashOf hash_of) {
  std::mt19937_64 random(7);
  double worst = 0;
  std::vector<std::array<int, 64>> flips(static_cast<std::size_t>(input_bits));
  for (int s = 0; s < samples; ++s) {
    const std::uint64_t key = random();
    const std::uint64_t hash = hash_of(key);
    for (int i = 0; i < input_bits; ++i) {
      const std::uint64_t changed = hash ^ hash_of(key ^ (std::uint64_t{1} << i));
      for (int o = 0; o < 64; ++o) flips[static_cast<std::size_t>(i)][static_cast<std::size_t>(o)] += static_cast<int>((changed >> o) & 1);
    }
  }
  for (const auto& row : flips) {
    for (int count : row) worst = std::max(worst, std::abs(count / static_cast<double>(samples) - 0.5));
  }
  return worst;
}

constexpr int kSamples = 6000;
// The standard error of a fair cell is 0.5 / sqrt(samples) = 0.65 %; 4096 fair cells stay below 5 of them.
constexpr double kAvalancheBound = 0.033;

BOOST_AUTO_TEST_CASE(Vectors) {
  BOOST_TEST(Hash64(0) == 0u);
  BOOST_TEST(Hash64(1) == 0x3c02aa47758292bdu);
  BOOST_TEST(Hash64(1, 1) == 0xd05e91fd10b7b214u);
  BOOST_TEST(Hash64(-1) == Hash64(~std::uint64_t{0}));
  BOOST_TEST(Hash64(std::uint64_t{0x0123456789abcdef}, 42) == 0x43171fb00e0826d7u);
  BOOST_TEST(Hash64("") == 0x2d06800538d394c2u);
  BOOST_TEST(Hash64("thimble") == 0xd9b3b3698dc101a2u);
  BOOST_TEST(Hash64("thimble", 42) == 0x453eb1a8ada1334u);
  BOOST_TEST(Hash64("a string of more than sixteen bytes") == 0xe03f501dfdec920bu);
}

BOOST_AUTO_TEST_CASE(BytesOfEveryLengthAreHashedByXxh3) {
  std::mt19937_64 random(3);
  std::string text;
  for (; text.size() < 600; text += static_cast<char>(random())) {
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{random()}}) {
      BOOST_TEST(Hash64(text, seed) == XXH3_64bits_withSeed(text.data(), text.size(), seed));
    }
  }
}

BOOST_AUTO_TEST_CASE(WidthsAgree) {
  BOOST_TEST(Hash64(std::int8_t{-7}) == Hash64(std::int64_t{-7}));
  BOOST_TEST(Hash64(std::uint8_t{7}) == Hash64(std::int64_t{7}));
  const std::string text = "bytes";
  BOOST_TEST(Hash64(std::string_view(text)) == Hash64(std::as_bytes(std::span(text))));
}

BOOST_AUTO_TEST_CASE(IntegersAvalanche) {
  for (std::uint64_t seed : {0u, 1u, 0xdeadbeefu}) {
    BOOST_TEST(WorstAvalancheBias(64, kSamples, [&](std::uint64_t key) { return Hash64(key, seed); }) < kAvalancheBound);
  }
}

BOOST_AUTO_TEST_CASE(SeedsAvalanche) {
  BOOST_TEST(WorstAvalancheBias(64, kSamples, [](std::uint64_t seed) { return Hash64(12345, seed); }) < kAvalancheBound);
}

BOOST_AUTO_TEST_CASE(BytesAvalanche) {
  for (std::size_t length : {8u, 20u, 100u, 300u}) {
    BOOST_TEST(WorstAvalancheBias(64, kSamples, [&](std::uint64_t key) {
                 std::string text(length, 'x');
                 std::memcpy(text.data() + length - 8, &key, 8);
                 return Hash64(text);
               }) < kAvalancheBound);
  }
}

std::uint64_t HashOf(std::uint64_t key) { return Hash64(key, 3); }
std::uint64_t HashOf(const std::string& key) { return Hash64(key, 3); }

// Sequential, strided and sparse keys: any 32 bits of the hash collide as often as chance says.
BOOST_AUTO_TEST_CASE(StructuredKeysCollideAsChance) {
  constexpr int kKeys = testing::Steps(1 << 18);
  const double expected = std::ldexp(static_cast<double>(kKeys) * kKeys, -33);  // 8 pairs of 2^18 keys
  const auto collisions = [&](auto key_of, int shift) {
    std::unordered_set<std::uint32_t> seen;
    int pairs = 0;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      if (!seen.insert(static_cast<std::uint32_t>(HashOf(key_of(i)) >> shift)).second) ++pairs;
    }
    return pairs;
  };
  for (int shift : {0, 16, 32}) {
    BOOST_TEST(collisions([](std::uint64_t i) { return i; }, shift) < expected + 6 * std::sqrt(expected));
    BOOST_TEST(collisions([](std::uint64_t i) { return i << 32; }, shift) < expected + 6 * std::sqrt(expected));
    BOOST_TEST(collisions([](std::uint64_t i) { return i << 46; }, shift) < expected + 6 * std::sqrt(expected));
    BOOST_TEST(collisions([](std::uint64_t i) { return i * 4096; }, shift) < expected + 6 * std::sqrt(expected));
    BOOST_TEST(collisions([](std::uint64_t i) { return std::to_string(i); }, shift) < expected + 6 * std::sqrt(expected));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
