#include "testing.h"

#include <array>

#include "thimble/bytes.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE(WordsLieAnywhereTheLowestByteFirst) {
  std::array<std::byte, 16> run{};
  for (std::size_t at = 0; at + 8 <= run.size(); ++at) {
    Store(run.data() + at, std::uint64_t{0x0123456789abcdef});
    BOOST_TEST(Load<std::uint64_t>(run.data() + at) == 0x0123456789abcdef);
    BOOST_TEST(Load<std::uint8_t>(run.data() + at) == 0xef);
    BOOST_TEST(Load<std::uint16_t>(run.data() + at + 6) == 0x0123);
  }
}

BOOST_AUTO_TEST_CASE(BytesOfARun) {
  const std::array<std::uint16_t, 3> words = {1, 2, 0x0304};
  const std::span<const std::byte> run = BytesOf(words.data(), words.size());
  BOOST_TEST(run.size() == 6u);
  BOOST_TEST(std::to_integer<int>(run[4]) == 4);
  BOOST_TEST(BytesOf(words.data(), 0).empty());
}

BOOST_AUTO_TEST_CASE(RoundedUp) {
  BOOST_TEST(RoundUp(0, 64) == 0u);
  BOOST_TEST(RoundUp(1, 64) == 64u);
  BOOST_TEST(RoundUp(64, 64) == 64u);
  BOOST_TEST(RoundUp((std::uint64_t{1} << 40) + 1, 4096) == (std::uint64_t{1} << 40) + 4096);
}

BOOST_AUTO_TEST_CASE(LowBitsOfEveryWidth) {
  BOOST_TEST(LowBits(0) == 0u);
  for (unsigned bits = 1; bits <= 64; ++bits) {
    BOOST_TEST(std::bit_width(LowBits(bits)) == static_cast<int>(bits));
    BOOST_TEST(std::popcount(LowBits(bits)) == static_cast<int>(bits));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
