#include "testing.h"

#include <array>
#include <random>

#include "thimble/byte_match.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(byte_match)

// Few different values, so that many match; from odd places on.
BOOST_AUTO_TEST_CASE(BitsSayWhichBytesMatch) {
  std::mt19937_64 random(1);
  for (int trial = 0; trial < 1000; ++trial) {
    std::array<std::byte, 48> run;
    for (std::byte& each : run) each = static_cast<std::byte>(random() % 3 * 0x7f);
    const std::byte* at = run.data() + trial % 16;
    const auto wanted = static_cast<std::uint8_t>(random() % 3 * 0x7f);
    std::uint32_t expected = 0;
    for (unsigned i = 0; i < 32; ++i) expected |= std::uint32_t{at[i] == std::byte{wanted}} << i;
    BOOST_REQUIRE_EQUAL(MatchBytes32(at, wanted), expected);
    BOOST_REQUIRE_EQUAL(MatchBytes16(at, wanted), expected & 0xffff);
  }
}

// Words whose halves alone match must not.
BOOST_AUTO_TEST_CASE(BitsSayWhichWordsMatch) {
  std::mt19937_64 random(2);
  constexpr std::uint16_t kWords[] = {0, 0x00ff, 0xff00, 0xffff, 0x8000};
  for (int trial = 0; trial < 1000; ++trial) {
    std::array<std::byte, 129> run;
    const unsigned words = 8u << trial % 4;
    std::byte* at = run.data() + trial % 2;
    const std::uint16_t wanted = kWords[random() % 5];
    std::uint64_t expected = 0;
    for (unsigned i = 0; i < words; ++i) {
      const std::uint16_t word = kWords[random() % 5];
      Store(at + std::size_t{2} * i, word);
      expected |= std::uint64_t{word == wanted} << i;
    }
    BOOST_REQUIRE_EQUAL(MatchWords(at, words, wanted), expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
