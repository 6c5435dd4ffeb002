#include "thimble/sparse_value.h"

#include <limits>

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(sparse_value)

template <class T>
void ComesBack(std::initializer_list<T> values, unsigned width) {
  for (const T value : values) {
    BOOST_TEST(SparseValueFits(value, width));
    BOOST_TEST(SparseValueOf<T>(SparseBits(value) & LowBits(width), width) == value);
  }
}

BOOST_AUTO_TEST_CASE(BitsComeBackAsValues) {
  ComesBack<std::int8_t>({-8, -1, 0, 7}, 4);
  ComesBack<std::int64_t>({std::numeric_limits<std::int64_t>::min(), -1, std::numeric_limits<std::int64_t>::max()}, 64);
  ComesBack<std::uint16_t>({0, 511}, 9);
  ComesBack<double>({-0.5, 1e300}, 64);
  ComesBack<bool>({false, true}, 1);
}

BOOST_AUTO_TEST_CASE(WhatIsTooWideDoesNotFit) {
  BOOST_TEST(!SparseValueFits<std::int8_t>(8, 4));
  BOOST_TEST(!SparseValueFits<std::int8_t>(-9, 4));
  BOOST_TEST(!SparseValueFits<std::uint16_t>(512, 9));
  BOOST_TEST(SparseValueFits(1.0F, 31));
  BOOST_TEST(!SparseValueFits(-1.0F, 31));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
