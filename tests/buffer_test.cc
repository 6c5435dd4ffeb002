#include "testing.h"

#include <algorithm>
#include <array>

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(buffer)

std::ptrdiff_t observed = 0;

bool IsZero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

BOOST_AUTO_TEST_CASE(HeapIsZeroedAndAligned) {
  for (std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{4097}, std::size_t{1} << 20, (std::size_t{1} << 20) + 5}) {
    Buffer buffer = Buffer::Heap(size);
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0u);
    BOOST_TEST(IsZero(buffer.bytes()));
  }
  BOOST_TEST(Buffer::Heap(0).size() == 0u);
}

BOOST_AUTO_TEST_CASE(GrowKeepsContentsAndZeroesTheRest) {
  Buffer buffer = Buffer::Heap(100);
  for (std::size_t i = 0; i < 100; ++i) buffer.data()[i] = static_cast<std::byte>(i);
  for (std::size_t size : {200u, 1000000u, (1u << 20) + 1, 5000000u}) {
    const std::size_t before = buffer.size();
    REQUIRE_OK(buffer.Grow(size));
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(IsZero(buffer.bytes().subspan(before)));
    for (std::size_t i = 0; i < 100; ++i) BOOST_TEST((buffer.data()[i] == static_cast<std::byte>(i)));
  }
  REQUIRE_OK(buffer.Grow(10));
  BOOST_TEST(buffer.size() == 5000000u);
}

BOOST_AUTO_TEST_CASE(MappingsAreObservedToThePage) {
  Buffer::ObserveMappings([](std::ptrdiff_t bytes) { observed += bytes; });
  {
    Buffer buffer = Buffer::Heap((1u << 20) + 1);
    BOOST_TEST(observed == (1 << 20) + 4096);
    REQUIRE_OK(buffer.Grow(3u << 20));
    BOOST_TEST(observed == 3 << 20);
    Buffer moved = std::move(buffer);
    BOOST_TEST(observed == 3 << 20);
  }
  BOOST_TEST(observed == 0);
  Buffer::ObserveMappings(nullptr);
}

BOOST_AUTO_TEST_CASE(BorrowedBytesDoNotGrow) {
  std::array<std::byte, 16> bytes{};
  Buffer buffer = Buffer::Borrow(bytes);
  CHECK_CODE(buffer.Grow(17), absl::StatusCode::kFailedPrecondition);
  REQUIRE_OK(buffer.Grow(16));
}

BOOST_AUTO_TEST_CASE(ImpossibleSizesAreBadAlloc) {
  BOOST_CHECK_THROW(Buffer::Heap(SIZE_MAX), std::bad_alloc);
  BOOST_CHECK_THROW(Buffer::Heap(SIZE_MAX / 2), std::bad_alloc);
  Buffer buffer = Buffer::Heap(1);
  BOOST_CHECK_THROW((void)buffer.Grow(SIZE_MAX), std::bad_alloc);
  BOOST_TEST(buffer.size() == 1u);
}

BOOST_AUTO_TEST_CASE(HeapBuffersShrinkAndKeepTheirContents) {
  for (const std::size_t before : {std::size_t{100}, std::size_t{1} << 20, std::size_t{5} << 20}) {
    for (const std::size_t after : {std::size_t{0}, std::size_t{64}, std::size_t{1} << 20, std::size_t{3} << 20}) {
      Buffer buffer = Buffer::Heap(before);
      for (std::size_t i = 0; i < before; i += 61) buffer.data()[i] = static_cast<std::byte>(i);
      buffer.Shrink(after);
      BOOST_REQUIRE_EQUAL(buffer.size(), std::min(before, after));
      for (std::size_t i = 0; i < buffer.size(); i += 61) BOOST_REQUIRE(buffer.data()[i] == static_cast<std::byte>(i));
    }
  }
  for (const std::size_t after : {(std::size_t{1} << 20) + 100, std::size_t{1000}}) {
    Buffer again = Buffer::Heap(std::size_t{2} << 20);
    std::ranges::fill(again.bytes(), std::byte{0xff});
    again.Shrink(after);
    REQUIRE_OK(again.Grow(std::size_t{2} << 20));
    BOOST_TEST(std::ranges::all_of(again.bytes().subspan(after), [](std::byte b) { return b == std::byte{0}; }));
  }
  std::array<std::byte, 64> bytes{};
  Buffer borrowed = Buffer::Borrow(bytes);
  borrowed.Shrink(8);
  BOOST_TEST(borrowed.size() == 64u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
