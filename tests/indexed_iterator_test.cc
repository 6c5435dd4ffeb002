#include "thimble/indexed_iterator.h"

#include <algorithm>

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(indexed_iterator)

struct Squares {
  using value_type = std::uint64_t;
  value_type operator[](std::uint64_t i) const { return i * i; }
};
using Iterator = IndexedIterator<Squares>;
static_assert(std::random_access_iterator<Iterator>);

BOOST_AUTO_TEST_CASE(MovesAsAPointerDoes) {
  Iterator it(Squares(), 5);
  BOOST_TEST(*it == 25u);
  BOOST_TEST(*it++ == 25u);
  BOOST_TEST(*it-- == 36u);
  BOOST_TEST(*++it == 36u);
  BOOST_TEST(*--it == 25u);
  BOOST_TEST(it[-2] == 9u);
  BOOST_TEST(*(it + 3) == 64u);
  BOOST_TEST(*(3 + it) == 64u);
  BOOST_TEST(*(it - 5) == 0u);
  BOOST_TEST((Iterator(Squares(), 2) - it) == -3);
  BOOST_TEST((Iterator(Squares(), 2) < it));
}

BOOST_AUTO_TEST_CASE(AlgorithmsSearchThroughIt) {
  const Iterator begin(Squares(), 0), end(Squares(), 1000);
  BOOST_TEST(std::lower_bound(begin, end, 100u).index() == 10u);
  BOOST_TEST(std::ranges::upper_bound(begin, end, 100u).index() == 11u);
  BOOST_TEST(std::count_if(begin, end, [](std::uint64_t n) { return n < 50; }) == 8);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
