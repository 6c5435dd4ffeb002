#include "testing.h"

#include <algorithm>

#include "thimble/hash.h"
#include "thimble/ribbon.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(ribbon)

constexpr std::uint32_t kBits = 8;

RibbonBuilder::Options Options() { return {.kind = Kind::kStaticMap, .bits = kBits, .has_values = true}; }

// A ribbon over an image that outlives it.
Ribbon Opened(const Buffer& image) {
  const absl::StatusOr<ImageHeader> header = ImageHeader::Read(image.bytes(), Kind::kStaticMap);
  REQUIRE_OK(header);
  const absl::StatusOr<Ribbon> ribbon = Ribbon::Open(image.bytes(), *header);
  REQUIRE_OK(ribbon);
  return *ribbon;
}

BOOST_AUTO_TEST_CASE(SolvesEveryNumberOfKeysAtTheFirstCall) {
  const int step = testing::Slow() ? 1 : THIMBLE_SANITIZED ? 997 : 97;
  for (int n = 0; n <= 20'000; n += n < 200 ? 1 : step) {
    RibbonBuilder builder(Options());
    for (int i = 0; i < n; ++i) builder.Add(Hash64(i), Hash64(i, 1) & 255);
    absl::StatusOr<Buffer> image = builder.Finish(Buffer());
    REQUIRE_OK(image);
    const Ribbon ribbon = Opened(*image);
    REQUIRE_OK(ribbon.Verify());
    for (int i = 0; i < n; ++i) BOOST_REQUIRE(ribbon.Value(Hash64(i)) == (Hash64(i, 1) & 255));
  }
}

BOOST_AUTO_TEST_CASE(RepeatedKeysAreOneAndContradictionsAreRefused) {
  RibbonBuilder builder(Options());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) builder.Add(Hash64(i), 5);
  }
  absl::StatusOr<Buffer> image = builder.Finish(Buffer());
  REQUIRE_OK(image);
  BOOST_TEST(ImageHeader::Read(image->bytes(), Kind::kStaticMap)->count == 1000u);
  RibbonBuilder contradictory(Options());
  contradictory.Add(Hash64(1), 5);
  contradictory.Add(Hash64(1), 6);
  CHECK_CODE(contradictory.Finish(Buffer()), absl::StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(ManyDuplicatesCostNothing) {
  RibbonBuilder once(Options()), often(Options());
  for (int i = 0; i < 1000; ++i) once.Add(Hash64(i), 5);
  for (int i = 0; i < 1'100'000; ++i) often.Add(Hash64(i % 1000), 5);
  const absl::StatusOr<Buffer> small = once.Finish(Buffer()), same = often.Finish(Buffer());
  REQUIRE_OK(small);
  REQUIRE_OK(same);
  BOOST_TEST(std::ranges::equal(small->bytes(), same->bytes()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
