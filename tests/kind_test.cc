#include "testing.h"

#include <set>
#include <string>

#include "thimble/kind.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(kind)

BOOST_AUTO_TEST_CASE(EveryKindHasANameOfItsOwnAndAVersion) {
  std::set<std::string> names;
  std::size_t known = 0;
  for (unsigned number = 1; number <= 0xffff; ++number) {
    const auto kind = static_cast<Kind>(number);
    if (KindName(kind) == "unknown") continue;
    ++known;
    names.emplace(KindName(kind));
    BOOST_TEST(static_cast<unsigned>(KindVersion(kind)) >= 1u);
  }
  BOOST_TEST(known > 0u);
  BOOST_TEST(names.size() == known);
}

BOOST_AUTO_TEST_CASE(OtherNumbersAreUnknown) {
  BOOST_TEST(KindName(static_cast<Kind>(0xffff)) == "unknown");
  BOOST_TEST(KindName(Kind::kBloomFilter) == "BloomFilter");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
