#include "packed_bytes.h"

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(packed_bytes)

using internal::PackBytes;
using internal::UnpackBytes;

std::size_t PackedSize(const std::string& block) {
  std::string log;
  PackBytes(block, &log);
  std::string back = "what was there";
  BOOST_TEST(UnpackBytes(log, &back) == log.size());
  BOOST_TEST((back == block));
  return log.size();
}

std::string Drawn(std::size_t size, unsigned symbols) {
  std::mt19937_64 random(symbols);
  std::string block(size, '\0');
  for (char& c : block) c = static_cast<char>(random() % symbols);
  return block;
}

BOOST_AUTO_TEST_CASE(WhatIsSmallOrRandomStaysAsItIs) {
  for (std::size_t size : {0u, 1u, 2u, 7u, 100u}) BOOST_TEST(PackedSize(Drawn(size, 2)) == 5 + size);
  BOOST_TEST(PackedSize(Drawn(100'000, 256)) == 5u + 100'000);
}

BOOST_AUTO_TEST_CASE(CodesAreAsLongAsTheBytesAreRare) {
  constexpr std::size_t kSize = 32'768, kCode = 5 + 128 + 8;
  BOOST_TEST(PackedSize(std::string(kSize, 'x')) == kCode + kSize / 8);
  BOOST_TEST(PackedSize(Drawn(kSize, 2)) == kCode + kSize / 8);
  BOOST_TEST(PackedSize(Drawn(kSize, 16)) == kCode + kSize / 2);
  // 1, 1, 2, 3, 5, ...: Huffman's codes would be of 1 to 22 bits.
  std::string rare;
  std::size_t times = 1, before = 0;
  for (char c = 'a'; c < 'x'; ++c) {
    rare.append(times, c);
    before = std::exchange(times, times + before);
  }
  BOOST_TEST(PackedSize(rare) < rare.size() * 2 / 5);
}

BOOST_AUTO_TEST_CASE(BlocksFollowEachOther) {
  std::string log, block;
  std::vector<std::string> blocks;
  for (unsigned i = 0; i < 40; ++i) blocks.push_back(Drawn(i * 577 % 4000, 1 + i * 7));
  for (const std::string& each : blocks) PackBytes(each, &log);
  std::size_t at = 0;
  for (const std::string& each : blocks) {
    at += UnpackBytes(std::string_view(log).substr(at), &block);
    BOOST_REQUIRE(block == each);
  }
  BOOST_TEST(at == log.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
