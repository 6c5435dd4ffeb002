#include "testing.h"

#include "thimble/bytes.h"
#include "thimble/foreign_hash.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(foreign_hash)

// The verification of Appleby's SMHasher: hashes of the keys {}, {0}, {0, 1}, ... with the seeds 256, 255, ..., hashed again
// with seed 0; the first four bytes are published for every function.
template <class HashOf>
std::uint32_t Verification(HashOf hash_of) {
  std::string key, hashes;
  for (unsigned i = 0; i < 256; ++i) {
    const auto hash = hash_of(key, 256 - i);
    hashes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
    key.push_back(static_cast<char>(i));
  }
  const auto last = hash_of(hashes, 0);
  std::uint32_t first_bytes;
  std::memcpy(&first_bytes, &last, sizeof first_bytes);
  return first_bytes;
}

BOOST_AUTO_TEST_CASE(PublishedVerificationValues) {
  BOOST_TEST(Verification([](std::string_view key, std::uint64_t seed) { return Murmur3(key, seed); }) == 0x6384BA69u);
  BOOST_TEST(Verification([](std::string_view key, std::uint64_t seed) { return Murmur64A(key, seed); }) == 0x1F0D3804u);
}

BOOST_AUTO_TEST_CASE(Vectors) {
  const Hash128 fox = Murmur3("The quick brown fox jumps over the lazy dog");
  BOOST_TEST(fox.h1 == 0xe34bbc7bbc071b6cu);
  BOOST_TEST(fox.h2 == 0x7a433ca9c49a9347u);
  BOOST_TEST((Murmur3("") == Hash128{}));
  // DataSketches' check of the default seed: the low 16 bits of the seed's own hash.
  BOOST_TEST((Murmur3Integer(9001).h1 & 0xffff) == 0x93ccu);
}

BOOST_AUTO_TEST_CASE(IntegersHashAsTheirBytes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t key = random(), seed = random();
    BOOST_TEST((Murmur3Integer(key, seed) == Murmur3({reinterpret_cast<const char*>(&key), 8}, seed)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
