#include "thimble/sparse_tree.h"

#include "testing.h"
#include "thimble/sparse_array.h"
#include "thimble/sparse_set.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(sparse_tree)

// Ascending keys, evenly spread or not: nodes guess where a key's child stands, and must not believe it.
std::vector<std::uint64_t> Keys(int spread) {
  std::mt19937_64 random(static_cast<std::uint64_t>(spread));
  std::vector<std::uint64_t> keys;
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t r = random();
    keys.push_back(spread == 0   ? r                                  // evenly
                   : spread == 1 ? r >> (r % 64)                      // by orders of magnitude
                   : spread == 2 ? ~(r >> (r % 64))                   // the same from the top
                                 : (r % 8 << 60) + (r >> 8) % 4096);  // in few places
  }
  keys.push_back(0);
  keys.push_back(~std::uint64_t{0});
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

BOOST_AUTO_TEST_CASE(FindsKeysHoweverTheyAreSpread) {
  for (int spread = 0; spread < 4; ++spread) {
    const std::vector<std::uint64_t> keys = Keys(spread);
    SparseArray<std::uint16_t> array({.page_bytes = 512});
    SparseSet set({.page_bytes = 512});
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::size_t at = i * 7919 % keys.size();  // a prime: every key once, in no order
      REQUIRE_OK(array.Set(keys[at], static_cast<std::uint16_t>(at | 1)));
      REQUIRE_OK(set.Add(keys[at]));
    }
    BOOST_REQUIRE_EQUAL(array.size(), keys.size());
    const PackedSparseArray<std::uint16_t> packed = array.Packed();
    for (const SparseArrayView<std::uint16_t>& view : {SparseArrayView<std::uint16_t>(array), SparseArrayView<std::uint16_t>(packed)}) {
      for (std::size_t i = 0; i < keys.size(); ++i) {
        BOOST_REQUIRE_EQUAL(view[keys[i]], static_cast<std::uint16_t>(i | 1));
        const SparseTreeView::Place place = view.Find(keys[i] - 1);
        const bool neighbour = i > 0 && keys[i - 1] == keys[i] - 1;
        if (i > 0) BOOST_REQUIRE_EQUAL(place.rank, neighbour ? i - 1 : i);
        if (i > 0) BOOST_REQUIRE_EQUAL(place.found, neighbour);
        if (i > 0) BOOST_REQUIRE_EQUAL(view.Get(keys[i] - 1).found, neighbour);
      }
    }
    for (std::size_t i = 0; i < keys.size(); i += 3) BOOST_REQUIRE_EQUAL(set.Rank(keys[i]), i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
