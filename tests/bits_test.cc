#include "thimble/bits.h"

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(bits)

std::vector<std::uint64_t> Values(std::size_t n, unsigned width) {
  std::mt19937_64 random(width);
  std::vector<std::uint64_t> values(n);
  for (std::uint64_t& value : values) value = random() & LowBits(width);
  return values;
}

std::size_t RunBytes(std::size_t n, unsigned width) { return (n * width + 7) / 8 + kImageSlack; }

template <class T>
void CheckUnpack(std::span<const std::byte> run, unsigned width, const std::vector<std::uint64_t>& values) {
  for (std::size_t first : {0u, 1u, 7u, 8u, 13u, 99u, 100u}) {
    for (std::size_t count : {0u, 1u, 15u, 16u, 17u, 30u, 101u, 200u}) {
      count = std::min(count, values.size() - first);
      std::vector<T> out(count);
      UnpackBits(run, width, first, std::span<T>(out));
      for (std::size_t i = 0; i < count; ++i) BOOST_REQUIRE_EQUAL(out[i], static_cast<T>(values[first + i]));
    }
  }
}

// The run is a heap block of its exact length, so that ASan sees a kernel that reads past the slack.
BOOST_AUTO_TEST_CASE(EveryWidthReadsWhatWasWritten) {
  for (unsigned width = 1; width <= 64; ++width) {
    const std::vector<std::uint64_t> values = Values(200, width);
    const Buffer run = Buffer::Heap(RunBytes(values.size(), width));
    for (std::size_t i = 0; i < values.size(); ++i) WriteBits(run.data(), i * width, width, ~std::uint64_t{0});
    for (std::size_t i = values.size(); i-- > 0;) WriteBits(run.data(), i * width, width, values[i]);
    for (std::size_t i = 0; i < values.size(); ++i) BOOST_REQUIRE_EQUAL(ReadBits(run.data(), i * width, width), values[i]);
    CheckUnpack<std::uint32_t>(run.bytes(), width, values);
    CheckUnpack<std::uint64_t>(run.bytes(), width, values);
  }
}

BOOST_AUTO_TEST_CASE(AnyBitIsABeginning) {
  for (unsigned width = 1; width <= 64; ++width) {
    for (unsigned at = 0; at < 16; ++at) {
      const Buffer run = Buffer::Heap(24);
      WriteBits(run.data(), at, width, ~std::uint64_t{0});
      BOOST_TEST(ReadBits(run.data(), at, width) == LowBits(width));
      BOOST_TEST(ReadBits(run.data(), at + width, 1) == 0u);
      BOOST_TEST((at == 0 || ReadBits(run.data(), at - 1, 1) == 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(NoWidthIsZero) {
  const Buffer run = Buffer::Copy(BytesOf("abcdefghijklmnop", 16));
  BOOST_TEST(ReadBits(run.data(), 3, 0) == 0u);
  std::vector<std::uint64_t> out(3, 9);
  UnpackBits(run.bytes(), 0, 0, std::span(out));
  BOOST_TEST(out == std::vector<std::uint64_t>(3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
