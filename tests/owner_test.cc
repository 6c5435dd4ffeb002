#include "testing.h"

#include <type_traits>
#include <utility>

#include "thimble/bloom_filter.h"
#include "thimble/owner.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(owner)

static_assert(std::is_nothrow_move_constructible_v<BloomFilter> && std::is_nothrow_move_assignable_v<BloomFilter>);
static_assert(!std::is_copy_constructible_v<BloomFilter> && !std::is_copy_assignable_v<BloomFilter>);
static_assert(std::is_convertible_v<const BloomFilter&, BloomFilterView>);

BOOST_AUTO_TEST_CASE(ViewsStayWhereTheirOwnerMoves) {
  BloomFilter filter({.capacity = 100});
  filter.Add(7);
  const BloomFilterView view = filter.view();
  BloomFilter moved(std::move(filter));
  BOOST_TEST(moved.image().data() == view.image().data());
  moved.Add(8);
  BOOST_TEST(view.Contains(7));
  BOOST_TEST(view.Contains(8));
  BloomFilter assigned({.capacity = 1});
  assigned = std::move(moved);
  BOOST_TEST(assigned.image().data() == view.image().data());
}

BOOST_AUTO_TEST_CASE(ACopyIsOpenedFromACopiedImage) {
  BloomFilter filter({.capacity = 100});
  absl::StatusOr<BloomFilter> copy = BloomFilter::Open(Buffer::Copy(filter.image()));
  REQUIRE_OK(copy);
  copy->Add(7);
  BOOST_TEST(copy->Contains(7));
  BOOST_TEST(!filter.Contains(7));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
