#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(image)

Buffer ImageWith(ImageHeader header) {
  Buffer buffer = Buffer::Heap(header.image_bytes);
  header.Write(buffer.bytes());
  return buffer;
}

ImageHeader Example() {
  return {.kind = Kind::kBitVector,
          .header_bytes = 128,
          .hash_scheme = HashScheme::kThimble,
          .image_bytes = 256,
          .count = 7,
          .used_bytes = 200,
          .seed = 99,
          .parameters = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
}

BOOST_AUTO_TEST_CASE(RoundTrip) {
  const Buffer buffer = ImageWith(Example());
  const absl::StatusOr<ImageHeader> header = ImageHeader::Read(buffer.bytes(), Kind::kBitVector);
  REQUIRE_OK(header);
  BOOST_TEST(header->image_bytes == 256u);
  BOOST_TEST(header->count == 7u);
  BOOST_TEST(header->used_bytes == 200u);
  BOOST_TEST(header->seed == 99u);
  BOOST_TEST((header->hash_scheme == HashScheme::kThimble));
  BOOST_TEST(header->parameters == Example().parameters, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(HeaderBytesAreGolden) { testing::CheckGolden("header", ImageWith(Example()).bytes()); }

BOOST_AUTO_TEST_CASE(EachDamageHasItsAnswer) {
  const auto code_after = [](auto damage) {
    Buffer buffer = ImageWith(Example());
    damage(buffer);
    return ImageHeader::Read(buffer.bytes(), Kind::kBitVector).status().code();
  };
  using absl::StatusCode;
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[0] ^= std::byte{1}; }), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[4] = std::byte{2}; }), StatusCode::kFailedPrecondition);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[6] = std::byte{2}; }), StatusCode::kUnimplemented);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[6] = std::byte{0}; }), StatusCode::kFailedPrecondition);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[7] = std::byte{127}; }), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[9] = std::byte{2}; }), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[8] = std::byte{1}; }), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[30] = std::byte{1}; }), StatusCode::kDataLoss);
  BOOST_CHECK_EQUAL(code_after([](Buffer& b) { b.data()[33] = std::byte{1}; }), StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(ShortAndMisalignedRunsAreRefused) {
  const Buffer buffer = ImageWith(Example());
  for (std::size_t size = 0; size < 256; ++size) {
    CHECK_CODE(ImageHeader::Read(buffer.bytes().first(size), Kind::kBitVector), absl::StatusCode::kDataLoss);
  }
  Buffer shifted = Buffer::Heap(300);
  Example().Write(shifted.bytes().subspan(1));
  CHECK_CODE(ImageHeader::Read(shifted.bytes().subspan(1), Kind::kBitVector), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(LayoutRoundsAndNeverOverflows) {
  ImageLayout layout(64);
  BOOST_TEST(layout.Add(3, 5) == 64u);
  BOOST_TEST(layout.Add(1, 64) == 72u);
  BOOST_TEST(layout.Add(10, 8, 64) == 128u);
  BOOST_TEST(layout.image_bytes() == 152u);
  layout.Add(~std::uint64_t{0}, ~std::uint64_t{0});
  layout.Add(1, 8);
  BOOST_TEST(layout.image_bytes() == ImageLayout::kTooLarge);
}

BOOST_AUTO_TEST_CASE(EveryKindHasAName) {
  BOOST_TEST(KindName(Kind::kBloomFilter) == "BloomFilter");
  BOOST_TEST(KindName(static_cast<Kind>(9999)) == "unknown");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
