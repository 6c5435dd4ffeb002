#pragma once

// What every test file shares. One file tests one header, and is one suite of the program library_tests, or of tool_tests:
//
//   #include "testing.h"
//
//   namespace thimble {
//   namespace {
//
//   BOOST_AUTO_TEST_SUITE(bit_vector)

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "thimble/buffer.h"
#include "thimble/image.h"

// BOOST_TEST for a Status or StatusOr: prints the message when it is an error.
#define REQUIRE_OK(expression) \
  if (const auto& ok_ = (expression); !ok_.ok()) BOOST_FAIL(::thimble::testing::StatusOf(ok_).ToString())
#define CHECK_CODE(expression, expected) BOOST_CHECK_EQUAL(::thimble::testing::StatusOf(expression).code(), (expected))

// 1 under AddressSanitizer, whose malloc has other blocks and other limits, and where everything is slower.
#if defined(__SANITIZE_ADDRESS__)
#define THIMBLE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define THIMBLE_SANITIZED 1
#endif
#endif
#ifndef THIMBLE_SANITIZED
#define THIMBLE_SANITIZED 0
#endif

namespace thimble::testing {

// Signals are left to the program: Boost would put its own handlers over those that mapped files install.
inline const int signals_are_ours = setenv("BOOST_TEST_CATCH_SYSTEM_ERRORS", "no", 1);

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}

// How often a test does the same again, or with how many elements: a tenth of it under a sanitizer, where everything takes ten
// times as long and what is looked for, a byte out of bounds, hides in few places.
constexpr int Steps(int steps) { return THIMBLE_SANITIZED ? std::max(1, steps / 10) : steps; }

// The slow suite (meson test --suite slow) sets THIMBLE_SLOW: the same tests, with more trials.
inline bool Slow() { return std::getenv("THIMBLE_SLOW") != nullptr; }
inline int Trials(int ordinary, int slow) { return Slow() ? slow : Steps(ordinary); }

// How many damaged copies are made of each image, whatever its kind and under every sanitizer.
inline int Mutations() { return Slow() ? 1'000'000 : 10'000; }

// Calls Exercise(view) for many damaged copies of an image: flipped bits, overwritten words, zeroed and cut runs, header
// and payload alike. Run under ASan and UBSan, it proves the safety rule: whatever opens can be queried. The view's Exercise
// calls every const method, Verify included, and ignores the answers.
template <ImageView View>
void ExerciseMutations(std::span<const std::byte> image) {
  std::mt19937_64 random(1);
  int opened = 0;
  for (int i = 0; i < Mutations(); ++i) {
    Buffer copy = Buffer::Copy(image);
    std::size_t size = image.size();
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    // Half of the damage goes to the first 192 bytes, where the parameters and the directories stand.
    const auto place = [&] { return below(random() % 2 == 0 ? std::min<std::size_t>(size, 192) : size); };
    for (std::size_t hits = 1 + below(4); hits > 0; --hits) {
      switch (below(6)) {
        case 0:
        case 1: copy.data()[place()] ^= static_cast<std::byte>(1u << below(8)); break;
        case 2: copy.data()[place()] = static_cast<std::byte>(random()); break;
        case 3: {
          constexpr std::uint64_t kNasty[] = {0, 1, 63, 64, 0x7fffffff, 0xffffffff, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}};
          const std::uint64_t word = below(2) == 0 ? kNasty[below(std::size(kNasty))] : random() >> below(64);
          if (size >= 8) std::memcpy(copy.data() + place() % (size - 7) / 8 * 8, &word, 8);
          break;
        }
        case 4: {
          const std::size_t from = place();
          std::memset(copy.data() + from, below(2) == 0 ? 0 : 0xff, std::min(size - from, below(64)));
          break;
        }
        case 5:
          if (below(4) == 0) size = 1 + below(size);
          break;
      }
    }
    // A heap block of exactly this size, so that ASan sees the first byte read past it.
    Buffer exact = Buffer::Copy({copy.data(), size});
    if (absl::StatusOr<View> view = View::Open(exact.bytes()); view.ok()) {
      ++opened;
      Exercise(*view);
    }
  }
  // Or the damage would never get past Open.
  BOOST_TEST(opened > Mutations() / 100);
}

// The path of a file in tests/data: below the folder that THIMBLE_TEST_DATA names, as the test runner sets it, or else below
// the current one.
inline std::string DataPath(const std::string& name) {
  const char* folder = std::getenv("THIMBLE_TEST_DATA");
  return std::string(folder != nullptr ? folder : "tests/data") + "/" + name;
}

// Compares an image with the golden one in tests/data/golden/<name>.image, byte for byte: what was written once is what is
// written now. With THIMBLE_REGENERATE_GOLDEN set it writes the file instead; that is a change of format, to be committed
// on purpose.
inline void CheckGolden(const std::string& name, std::span<const std::byte> image) {
  const std::string path = DataPath("golden/" + name + ".image");
  if (std::getenv("THIMBLE_REGENERATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
  }
  std::ifstream in(path, std::ios::binary);
  const std::string golden(std::istreambuf_iterator<char>(in), {});
  BOOST_REQUIRE_MESSAGE(golden.size() == image.size(), path << " holds " << golden.size() << " bytes, the image " << image.size());
  const auto* bytes = reinterpret_cast<const char*>(image.data());
  const auto difference = std::mismatch(golden.begin(), golden.end(), bytes).first - golden.begin();
  BOOST_REQUIRE_MESSAGE(difference == static_cast<std::ptrdiff_t>(golden.size()), path << " differs at byte " << difference);
}

}  // namespace thimble::testing

namespace absl {
inline std::ostream& boost_test_print_type(std::ostream& out, StatusCode code) { return out << StatusCodeToString(code); }
}  // namespace absl
