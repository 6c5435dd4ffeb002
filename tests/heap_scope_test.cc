#include "testing.h"

#include <malloc.h>

#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "thimble/heap_scope.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(heap_scope)

std::int64_t BlockBytes(const void* block) { return static_cast<std::int64_t>(malloc_usable_size(const_cast<void*>(block))) + 8; }

BOOST_AUTO_TEST_CASE(ABlockCountsItsUsableSizeAndItsHeader) {
  const HeapScope scope;
  auto block = std::make_unique<char[]>(100);
  BOOST_TEST(scope.live_bytes() == BlockBytes(block.get()));
  block.reset();
  BOOST_TEST(scope.live_bytes() == 0);
  BOOST_TEST(scope.peak_bytes() >= 100);
}

BOOST_AUTO_TEST_CASE(EveryFormOfNewIsCounted) {
  struct alignas(256) Aligned {
    char bytes[300];
  };
  const HeapScope scope;
  {
    const auto one = std::make_unique<Aligned>();
    const auto many = std::make_unique<Aligned[]>(3);
    const std::unique_ptr<int> quiet(new (std::nothrow) int(1));
    BOOST_TEST(scope.live_bytes() == 512 + 16 + 1536 + 16 + BlockBytes(quiet.get()));
  }
  BOOST_TEST(scope.live_bytes() == 0);
}

// What malloc leaves an aligned block behind its end depends on where the heap ended, and so would its usable size.
BOOST_AUTO_TEST_CASE(AnAlignedBlockCountsTheSameEverywhere) {
  struct alignas(64) Aligned {
    char bytes[600];
  };
  std::vector<std::unique_ptr<char[]>> between;
  std::set<std::int64_t> counts, usable;
  for (int i = 0; i < 4; ++i) {
    between.push_back(std::make_unique<char[]>(4008));  // 4016 with its header: the end moves by 16 modulo 64
    const HeapScope scope;
    const auto block = std::make_unique<Aligned>();
    counts.insert(scope.live_bytes());
    usable.insert(BlockBytes(block.get()));
  }
  BOOST_TEST(counts == std::set<std::int64_t>{640 + 16}, boost::test_tools::per_element());
  BOOST_TEST(*usable.rbegin() <= 640 + 16 + 32);
}

BOOST_AUTO_TEST_CASE(WhatIsOlderThanTheScopeCountsWhenItGoes) {
  auto block = std::make_unique<char[]>(1000);
  const std::int64_t bytes = BlockBytes(block.get());
  const HeapScope scope;
  block.reset();
  BOOST_TEST(scope.live_bytes() == -bytes);
  BOOST_TEST(scope.peak_bytes() == 0);
}

BOOST_AUTO_TEST_CASE(ScopesNest) {
  const HeapScope outer;
  const auto first = std::make_unique<char[]>(1 << 16);
  {
    const HeapScope inner;
    BOOST_TEST(inner.live_bytes() == 0);
    BOOST_TEST(inner.peak_bytes() == 0);
    const auto second = std::make_unique<char[]>(1 << 16);
    BOOST_TEST(inner.live_bytes() == BlockBytes(second.get()));
  }
  BOOST_TEST(outer.live_bytes() == BlockBytes(first.get()));
  BOOST_TEST(outer.peak_bytes() >= 2 << 16);
}

BOOST_AUTO_TEST_CASE(MappedBuffersAreCounted) {
  const HeapScope scope;
  {
    const Buffer buffer = Buffer::Heap(std::size_t{3} << 20);
    BOOST_TEST(scope.mapped_bytes() == 3 << 20);
    BOOST_TEST(scope.live_bytes() == 3 << 20);
  }
  BOOST_TEST(scope.live_bytes() == 0);
  BOOST_TEST(scope.peak_bytes() == 3 << 20);
}

BOOST_AUTO_TEST_CASE(OtherThreadsAreCounted) {
  const HeapScope scope;
  std::unique_ptr<std::list<int>> list;
  std::thread([&] { list = std::make_unique<std::list<int>>(1000, 7); }).join();
  BOOST_TEST(scope.live_bytes() >= 1000 * 24);
  list.reset();
  BOOST_TEST(scope.live_bytes() == 0);
}

BOOST_AUTO_TEST_CASE(AgreesWithMalloc) {
  const struct mallinfo2 before = mallinfo2();
  const HeapScope scope;
  const std::vector<std::string> strings(100000, "a string that is too long to be stored in place");
  const struct mallinfo2 after = mallinfo2();
  const auto malloced = static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd);
  BOOST_TEST(static_cast<double>(scope.live_bytes()) == malloced, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
