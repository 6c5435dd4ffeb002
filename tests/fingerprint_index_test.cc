#include "testing.h"

#include <map>

#include "thimble/fingerprint_index.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(fingerprint_index)

struct Table {
  Table(std::uint64_t lines, unsigned id_bits)
      : bytes(std::max<std::size_t>(lines * FingerprintIndex::LineBytes(id_bits), 64) + 8), index(bytes.data(), lines, id_bits) {}
  void Add(std::uint64_t hash, std::uint64_t id) { index.Add(bytes.data(), hash, id); }
  FingerprintIndex::Found Find(std::uint64_t hash, std::uint64_t id) const {
    return index.Search(hash, [&](std::uint64_t found) { return found == id; });
  }

  std::vector<std::byte> bytes;
  FingerprintIndex index;
};

BOOST_AUTO_TEST_CASE(LinesAreExact) {
  BOOST_TEST(FingerprintIndex::LineBytes(8) == 32u);
  BOOST_TEST(FingerprintIndex::LineBytes(20) == 56u);
  for (unsigned id_bits = 24; id_bits <= 56; ++id_bits) {
    BOOST_TEST(FingerprintIndex::LineBytes(id_bits) == 64u);
    BOOST_TEST(FingerprintIndex::SlotsPerLine(id_bits) == std::min(16u, 384 / id_bits));
  }
  BOOST_TEST(FingerprintIndex::IdBitsFor(20) == 20u);
  BOOST_TEST(FingerprintIndex::IdBitsFor(21) == 24u);
  BOOST_TEST(FingerprintIndex::IdBitsFor(25) == 25u);
}

BOOST_AUTO_TEST_CASE(AnEmptyOneHoldsNothing) {
  const Table table(0, 8);
  BOOST_TEST(table.Find(5, 0).id == FingerprintIndex::kAbsent);
  BOOST_TEST(table.index.First(5) == FingerprintIndex::kAbsent);
}

// Up to the last slot of all, in lines of every number of slots.
BOOST_AUTO_TEST_CASE(EverySlotIsFilledAndFound) {
  for (unsigned id_bits : {8u, 15u, 20u, 24u, 25u, 33u, 56u}) {
    std::mt19937_64 random(id_bits);
    Table table(11, id_bits);
    std::vector<std::uint64_t> hashes(table.index.slots());
    for (std::uint64_t i = 0; i < hashes.size(); ++i) {
      hashes[i] = random();
      table.Add(hashes[i], i);
      for (std::uint64_t j = 0; j <= i; ++j) BOOST_REQUIRE_EQUAL(table.Find(hashes[j], j).id, j);
    }
    std::uint64_t used = 0, erased = 0;
    BOOST_REQUIRE(table.index.Count(used, erased));
    BOOST_TEST(used == table.index.slots());
    BOOST_TEST(erased == 0u);
  }
}

// Whose fingerprints are equal cannot say by their order that nothing went on.
BOOST_AUTO_TEST_CASE(EqualHashesAreAllFound) {
  Table table(20, 24);
  for (std::uint64_t i = 0; i < 200; ++i) table.Add(77, i);
  for (std::uint64_t i = 0; i < 200; ++i) BOOST_REQUIRE_EQUAL(table.Find(77, i).id, i);
}

BOOST_AUTO_TEST_CASE(AbsentHashesEndAtHome) {
  std::mt19937_64 random(1);
  Table table(10000, 24);
  for (std::uint64_t i = 0; i < 140000; ++i) table.Add(random(), i);  // 7/8 of the slots
  int elsewhere = 0;
  for (int i = 0; i < 100000; ++i) elsewhere += table.index.First(random()) == FingerprintIndex::kElsewhere;
  BOOST_TEST(elsewhere > 0);
  BOOST_TEST(elsewhere < 12000);
}

BOOST_AUTO_TEST_CASE(ErasedSlotsLeaveTheOthers) {
  std::mt19937_64 random(2);
  Table table(100, 20);
  std::map<std::uint64_t, std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 1450; ++i) table.Add(hashes[i] = random(), i);
  std::uint64_t freed = 0, marked = 0;
  for (std::uint64_t i = 0; i < 1450; i += 3) {
    (table.index.Erase(table.bytes.data(), table.Find(hashes[i], i)) ? freed : marked) += 1;
    BOOST_REQUIRE_EQUAL(table.Find(hashes[i], i).id, FingerprintIndex::kAbsent);
    hashes.erase(i);
  }
  BOOST_TEST(freed > 0u);
  BOOST_TEST(marked > 0u);
  for (const auto& [id, hash] : hashes) BOOST_REQUIRE_EQUAL(table.Find(hash, id).id, id);
  std::uint64_t used = 0, erased = 0;
  BOOST_REQUIRE(table.index.Count(used, erased));
  BOOST_TEST(used == 1450 - freed);
  BOOST_TEST(erased == marked);
}

BOOST_AUTO_TEST_CASE(SlotsWhereNoneCanBeAreNoticed) {
  Table table(2, 32);  // 12 slots a line
  std::uint64_t used = 0, erased = 0;
  table.bytes[12] = std::byte{1};
  BOOST_TEST(!table.index.Count(used, erased));
  table.bytes[12] = std::byte{0};
  table.bytes[1] = std::byte{1};  // behind an empty one
  BOOST_TEST(!table.index.Count(used, erased));
  table.bytes[0] = std::byte{1};
  BOOST_TEST(table.index.Count(used, erased));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
