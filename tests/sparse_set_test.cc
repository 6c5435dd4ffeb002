#include "testing.h"

#include <array>
#include <iterator>
#include <ranges>
#include <set>
#include <string>

#include "exercise/sparse_set.h"
#include "sparse_entries.h"
#include "sparse_walk.h"
#include "thimble/sparse_set.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(sparse_set)

using Model = std::set<std::uint64_t>;

void CheckAgainst(const SparseSetView& set, const Model& model, std::uint64_t seed = 7) {
  REQUIRE_OK(set.Verify());
  BOOST_REQUIRE_EQUAL(set.size(), model.size());
  BOOST_REQUIRE(std::equal(set.begin(), set.end(), model.begin(), model.end()));
  std::vector<std::uint64_t> sorted(model.begin(), model.end());
  std::mt19937_64 random(seed);
  for (int i = 0; i < 300; ++i) {
    std::uint64_t key = random() >> (random() % 64);
    if (!sorted.empty() && i % 3 != 0) key = sorted[random() % sorted.size()] + random() % 3 - 1;
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), key);
    const bool found = at != sorted.end() && *at == key;
    BOOST_REQUIRE_EQUAL(set.Contains(key), found);
    BOOST_REQUIRE_EQUAL(set.Rank(key), static_cast<std::uint64_t>(at - sorted.begin()));
    BOOST_REQUIRE(set.Next(key) == (at == sorted.end() ? std::nullopt : std::optional(*at)));
    const auto previous = found ? at + 1 : at;
    BOOST_REQUIRE(set.Previous(key) == (previous == sorted.begin() ? std::nullopt : std::optional(*(previous - 1))));
    if (!sorted.empty()) {
      const std::uint64_t rank = random() % sorted.size();
      BOOST_REQUIRE_EQUAL(set.Select(rank), sorted[rank]);
      BOOST_REQUIRE_EQUAL(*set.IteratorAt(rank), sorted[rank]);
    }
  }
}

// Shapes of data that lead to each codec and to mixtures.
std::uint64_t Draw(int shape, std::mt19937_64& random) {
  switch (shape) {
    case 0: return random() % 100000;                                   // dense: bitmaps
    case 1: return random() % (std::uint64_t{1} << 40);                 // sparse: Elias-Fano
    case 2: return random();                                            // the whole universe
    case 3: return (random() % 50) * 1000003 + random() % 3000;         // clusters, which fill to runs
    case 4: return random() >> (random() % 64);                         // every scale
    case 5: return ~std::uint64_t{0} - (random() >> (random() % 64));   // near the end
    default: return (random() % 40) << 58 | (random() % 70000);         // far dense parts
  }
}

BOOST_AUTO_TEST_CASE(AgreesWithStdSet) {
  for (int shape = 0; shape <= 6; ++shape) {
    std::mt19937_64 random(static_cast<std::uint64_t>(shape) + 1);
    SparseSet set({.page_bytes = shape % 2 == 0 ? 2048u : 512u});
    Model model;
    const int n = testing::Trials(40000, 1000000);
    for (int i = 0; i < n; ++i) {
      const std::uint64_t key = Draw(shape, random);
      const bool removes = i > n / 2 && i % 3 == 0 && !model.empty();
      if (removes) {
        const auto at = model.lower_bound(key);
        const std::uint64_t gone = at == model.end() ? key : *at;
        BOOST_REQUIRE_EQUAL(*set.Remove(gone), model.erase(gone) == 1);
      } else {
        BOOST_REQUIRE_EQUAL(*set.Add(key), model.insert(key).second);
      }
      if (i % (n / 6) == 17) CheckAgainst(set, model);
    }
    BOOST_TEST_CONTEXT("shape " << shape) {
      CheckAgainst(set, model);
      const PackedSparseSet packed = set.Packed();
      CheckAgainst(packed, model);
      CheckAgainst(SparseSet::Copy(packed), model);
    }
    while (!model.empty()) {
      auto at = model.lower_bound(random());
      if (at == model.end()) at = model.begin();
      BOOST_REQUIRE(*set.Remove(*at));
      model.erase(at);
      if (model.size() % 20000 == 0) CheckAgainst(set, model);
    }
    CheckAgainst(set, model);
    BOOST_TEST(set.stats().live_bytes <= 2 * 2048u + 200);
  }
}

BOOST_AUTO_TEST_CASE(AscendingAndDescending) {
  SparseSet up, down;
  Model model;
  constexpr std::uint64_t kKeys = testing::Steps(20000);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    REQUIRE_OK(up.Add(i * i));
    REQUIRE_OK(down.Add((kKeys - 1 - i) * (kKeys - 1 - i)));
    model.insert(i * i);
  }
  CheckAgainst(up, model);
  CheckAgainst(down, model);
  BOOST_TEST(up.image().size() < down.image().size() * 6 / 5);
}

// Runs that are added and removed anywhere, in sets from every source: leaves of runs are as wide as what their runs begin with,
// not as what they hold, and trees that were built begin with a key above 0.
BOOST_AUTO_TEST_CASE(RunsAndWhatLiesBelowThemAgreeWithStdSet) {
  constexpr std::uint64_t kBase = std::uint64_t{1} << 40;
  std::set<std::uint64_t> runs;
  SparseSet::Builder builder;
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    if (key % 100 == 0) continue;
    runs.insert(kBase + key);
    REQUIRE_OK(builder.Add(kBase + key));
  }
  const SparseSet built = *std::move(builder).Finish();
  SparseSet sets[] = {SparseSet::Copy(built), SparseSet::Copy(built.Packed()), Or(built, built), *SparseSet::Open(Buffer::Copy(built.Packed().image()))};
  for (SparseSet& set : sets) {
    std::set<std::uint64_t> model = runs;
    std::mt19937_64 random(1);
    for (int i = 0, steps = testing::Trials(20'000, 300'000); i < steps; ++i) {
      const std::uint64_t place = random() % 3, key = place == 0 ? random() % kBase : kBase + random() % 11'000;
      if (random() % 2 == 0) {
        BOOST_REQUIRE_EQUAL(*set.Add(key), model.insert(key).second);
      } else {
        BOOST_REQUIRE_EQUAL(*set.Remove(key), model.erase(key) == 1);
      }
      if (i % 997 == 0) REQUIRE_OK(set.Verify());
    }
    REQUIRE_OK(set.Verify());
    BOOST_REQUIRE_EQUAL(set.size(), model.size());
    BOOST_TEST(std::equal(set.begin(), set.end(), model.begin(), model.end()));
  }
}

static_assert(std::ranges::input_range<const SparseSet> && std::ranges::input_range<const SparseSetView>);

// What lay in front goes, and comes again.
BOOST_AUTO_TEST_CASE(TheFrontComesBack) {
  SparseSet set;
  for (std::uint64_t i = 0; i < 20'000; ++i) REQUIRE_OK(set.Add(i * 977));
  for (std::uint64_t i = 0; i < 10'000; ++i) REQUIRE_OK(set.Remove(i * 977));
  std::mt19937_64 random(1);
  std::set<std::uint64_t> model(set.begin(), set.end());
  for (int i = 0; i < 30'000; ++i) {
    const std::uint64_t key = random() % (9'999 * 977);
    BOOST_REQUIRE_EQUAL(*set.Add(key), model.insert(key).second);
  }
  REQUIRE_OK(set.Verify());
  BOOST_TEST(std::equal(set.begin(), set.end(), model.begin(), model.end()));
}

BOOST_AUTO_TEST_CASE(RunsStayRuns) {
  SparseSet set;
  Model model;
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t run = 0; run < 300; ++run) {
    for (std::uint64_t i = 0; i < 1 + run % 130; ++i) keys.push_back(run * 7000 + i);
  }
  std::shuffle(keys.begin(), keys.end(), random);
  for (const std::uint64_t key : keys) {
    BOOST_REQUIRE(*set.Add(key));
    BOOST_REQUIRE(!*set.Add(key));
    model.insert(key);
  }
  CheckAgainst(set, model);
  for (std::size_t i = 0; i < keys.size(); i += 3) {
    BOOST_REQUIRE(*set.Remove(keys[i]));
    BOOST_REQUIRE(!*set.Remove(keys[i]));
    model.erase(keys[i]);
  }
  CheckAgainst(set, model);
}

// A small set with leaves of every codec and an inner node.
SparseSet Mixed() {
  SparseSet set({.page_bytes = 512});
  std::mt19937_64 random(5);
  for (int i = 0; i < 900; ++i) (void)*set.Add(random() % 3000);
  for (int i = 0; i < 300; ++i) (void)*set.Add(random());
  for (std::uint64_t run = 0; run < 60; ++run) {
    for (std::uint64_t i = 0; i < 40 + run; ++i) (void)*set.Add((1 << 20) + run * 1000 + i);
  }
  for (std::uint64_t i = 0; i < 20; ++i) (void)*set.Remove(*set.Next(i * 100));
  return set;
}

BOOST_AUTO_TEST_CASE(OperationsAgreeWithStd) {
  for (int shape_a = 0; shape_a <= 6; ++shape_a) {
    for (int shape_b = 0; shape_b <= 6; shape_b += shape_a == 0 ? 1 : 3) {
      std::mt19937_64 random(static_cast<std::uint64_t>(shape_a * 10 + shape_b));
      SparseSet a, b;
      Model model_a, model_b;
      for (int i = 0; i < testing::Steps(20000); ++i) {
        const std::uint64_t x = Draw(shape_a, random), y = Draw(shape_b, random);
        model_a.insert(x);
        model_b.insert(y);
        REQUIRE_OK(a.Add(x));
        REQUIRE_OK(b.Add(y));
      }
      const auto check = [&](const SparseSet& result, std::uint64_t size, auto algorithm) {
        Model expected;
        algorithm(model_a.begin(), model_a.end(), model_b.begin(), model_b.end(), std::inserter(expected, expected.end()));
        BOOST_REQUIRE_EQUAL(size, expected.size());
        CheckAgainst(result, expected);
      };
      const PackedSparseSet packed = b.Packed();
      check(And(a, packed), AndSize(a, b), [](auto... of) { std::set_intersection(of...); });
      check(Or(a, packed), OrSize(a, b), [](auto... of) { std::set_union(of...); });
      check(AndNot(a, b), AndNotSize(a, packed), [](auto... of) { std::set_difference(of...); });
      check(Xor(a, b), XorSize(a, packed), [](auto... of) { std::set_symmetric_difference(of...); });
    }
  }
}

// Bitmaps beside bitmaps, runs, Elias-Fano and nothing, whose leaves begin and end anywhere; and leaves copied whole.
BOOST_AUTO_TEST_CASE(OperationsOnDensePartsAgree) {
  constexpr std::uint64_t kSpan = 80000;
  const auto fill = [](int shape, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<char> in(kSpan);
    for (std::uint64_t key = 0; key < kSpan; ++key) {
      const std::uint64_t draw = random() % 1000, part = key / 8000 % 5;
      if (shape == 0) in[key] = draw < 500;
      if (shape == 1) in[key] = draw < (part == 0 ? 500 : part == 1 ? 5 : part == 2 ? 0 : part == 3 ? 930 : 250);
      if (shape == 2) in[key] = key / 300 % 3 == 0;
      if (shape == 3) in[key] = key >= kSpan / 2 && draw < 400;
      if (shape == 4) in[key] = key < kSpan / 2 && draw < 400;
      if (shape == 5) in[key] = draw < 20;
      if (shape == 6) in[key] = key < 70 || key > kSpan - 3;
    }
    return in;
  };
  const auto make = [](std::span<const char> in, std::uint64_t base) {
    SparseSet set;
    for (std::uint64_t key = 0; key < in.size(); ++key) {
      if (in[key]) REQUIRE_OK(set.Add(base + key));
    }
    return set;
  };
  constexpr std::uint64_t kBases[] = {77, ~std::uint64_t{0} - kSpan + 1};
  std::vector<std::vector<char>> held[2];
  std::vector<SparseSet> sets[2][2];  // by operand and base
  for (int shape = 0; shape <= 6; ++shape) {
    for (std::size_t operand : {0u, 1u}) {
      held[operand].push_back(fill(shape, operand + 1));
      for (std::size_t base : {0u, 1u}) sets[operand][base].push_back(make(held[operand].back(), kBases[base]));
    }
  }
  for (std::size_t shape_a = 0; shape_a <= 6; ++shape_a) {
    for (std::size_t shape_b = 0; shape_b <= 6; ++shape_b) {
      const std::uint64_t base = kBases[shape_a % 2];
      const std::span<const char> in_a = held[0][shape_a], in_b = held[1][shape_b];
      const SparseSet& a = sets[0][shape_a % 2][shape_a];
      const SparseSet& b = sets[1][shape_a % 2][shape_b];
      const PackedSparseSet packed = a.Packed();
      const auto check = [&](const SparseSet& result, std::uint64_t size, auto holds) {
        REQUIRE_OK(result.Verify());
        std::vector<std::uint64_t> expected;
        for (std::uint64_t key = 0; key < kSpan; ++key) {
          if (holds(in_a[key], in_b[key])) expected.push_back(base + key);
        }
        BOOST_TEST_CONTEXT("shapes " << shape_a << ' ' << shape_b) {
          BOOST_REQUIRE_EQUAL(result.size(), expected.size());
          BOOST_REQUIRE_EQUAL(size, expected.size());
          BOOST_REQUIRE(std::equal(result.begin(), result.end(), expected.begin(), expected.end()));
          for (std::size_t i = 0; i < expected.size(); i += 97) BOOST_REQUIRE_EQUAL(result.Rank(expected[i]), i);
        }
      };
      check(And(a, b), AndSize(packed, b), [](bool x, bool y) { return x && y; });
      check(Or(packed, b), OrSize(a, b), [](bool x, bool y) { return x || y; });
      check(AndNot(a, b), AndNotSize(packed, b), [](bool x, bool y) { return x && !y; });
      check(Xor(packed, b), XorSize(a, b), [](bool x, bool y) { return x != y; });
    }
  }
}

// Leaves of many runs on both sides, which begin and end anywhere, touch, overlap and reach from one leaf into the next.
BOOST_AUTO_TEST_CASE(OperationsOnRunsAgree) {
  static constexpr std::uint64_t kSpan = testing::Steps(1 << 18);
  const auto fill = [](std::uint64_t longest, std::uint64_t widest, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<char> in(kSpan);
    for (std::uint64_t key = random() % widest; key < kSpan; key += 1 + random() % widest) {
      for (std::uint64_t end = std::min(kSpan, key + 1 + random() % longest); key < end; ++key) in[key] = true;
    }
    return in;
  };
  const auto make = [](std::span<const char> in, std::uint64_t base) {
    SparseSet::Builder builder;
    for (std::uint64_t key = 0; key < in.size(); ++key) {
      if (in[key]) REQUIRE_OK(builder.Add(base + key));
    }
    return *std::move(builder).Finish();
  };
  struct Shape {
    std::uint64_t longest, widest;
  };
  constexpr Shape kShapes[] = {{200, 800}, {500, 40}, {60, 3000}, {9000, 9000}, {100, 100}};
  for (const Shape& shape_a : kShapes) {
    for (const Shape& shape_b : kShapes) {
      for (const std::uint64_t base : {std::uint64_t{5}, ~std::uint64_t{0} - kSpan + 1}) {
        const std::vector<char> held_a = fill(shape_a.longest, shape_a.widest, 1), held_b = fill(shape_b.longest, shape_b.widest, 2);
        const std::span<const char> in_a = held_a, in_b = held_b;
        const SparseSet a = make(in_a, base), b = make(in_b, base);
        const auto check = [&](const SparseSet& result, std::uint64_t size, auto holds) {
          REQUIRE_OK(result.Verify());
          BOOST_REQUIRE_EQUAL(result.size(), size);
          auto at = result.begin();
          std::uint64_t wrong = 0, expected = 0;
          for (std::uint64_t key = 0; key < kSpan; ++key) {
            if (!holds(in_a[key], in_b[key])) continue;
            ++expected;
            if (expected > size) break;
            wrong += *at == base + key ? 0 : 1;
            ++at;
          }
          BOOST_REQUIRE_EQUAL(size, expected);
          BOOST_REQUIRE_EQUAL(wrong, 0u);
        };
        check(And(a, b), AndSize(a, b), [](bool x, bool y) { return x && y; });
        check(Or(a, b), OrSize(a, b), [](bool x, bool y) { return x || y; });
        check(AndNot(a, b), AndNotSize(a, b), [](bool x, bool y) { return x && !y; });
        check(Xor(a, b), XorSize(a, b), [](bool x, bool y) { return x != y; });
      }
    }
  }
}

// Half of all numbers, in random order: bitmaps whose pages are full.
BOOST_AUTO_TEST_CASE(BitmapsFillTheirPages) {
  std::mt19937_64 random(9);
  std::vector<std::uint32_t> keys(testing::Steps(1 << 19));
  for (std::uint32_t i = 0; i < keys.size(); ++i) keys[i] = 2 * i + static_cast<std::uint32_t>(random() % 2);
  std::shuffle(keys.begin(), keys.end(), random);
  SparseSet set;
  for (const std::uint32_t key : keys) REQUIRE_OK(set.Add(key));
  REQUIRE_OK(set.Verify());
  const double bits = static_cast<double>(set.stats().live_bytes) * 8 / static_cast<double>(keys.size());
  BOOST_TEST(bits < (THIMBLE_SANITIZED ? 2.6 : 2.12));  // of a tenth of them, the last page is felt
}

BOOST_AUTO_TEST_CASE(BuilderTakesRunsAndBitmaps) {
  SparseSet::Builder builder;
  REQUIRE_OK(builder.Add(3));
  REQUIRE_OK(builder.AddBitmap(64, std::vector<std::uint64_t>{5, 0, ~std::uint64_t{0}}));
  CHECK_CODE(builder.Add(255), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(builder.AddBitmap(256 + 32, std::vector<std::uint64_t>{1}), absl::StatusCode::kInvalidArgument);
  REQUIRE_OK(builder.AddRange(1000, 1000 + (std::uint64_t{1} << 36)));
  REQUIRE_OK(builder.Add(~std::uint64_t{0}));
  CHECK_CODE(builder.Add(~std::uint64_t{0}), absl::StatusCode::kInvalidArgument);
  const SparseSet set = *std::move(builder).Finish();
  REQUIRE_OK(set.Verify());
  BOOST_TEST(set.size() == 1u + 2 + 64 + (std::uint64_t{1} << 36) + 2);
  BOOST_TEST(set.Contains(std::uint64_t{1} << 35));
  BOOST_TEST(set.Rank(1000 + (std::uint64_t{1} << 35)) == 67 + (std::uint64_t{1} << 35));
  BOOST_TEST(set.Select(67 + (std::uint64_t{1} << 35)) == 1000 + (std::uint64_t{1} << 35));
  BOOST_TEST(AndSize(set, set.Packed()) == set.size());
}

BOOST_AUTO_TEST_CASE(EmptyAndOne) {
  SparseSet set;
  CheckAgainst(set, {});
  BOOST_TEST(set.image().size() == 128u + 2048 + 8);
  BOOST_TEST(SparseSet::ImageBytes({}) == 128u + 2048 + 8);
  BOOST_TEST(set.Packed().image().size() == 128u + 16 + 8);
  CheckAgainst(set.Packed(), {});
  BOOST_TEST(!*set.Remove(3));
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{77}, ~std::uint64_t{0}}) {
    BOOST_TEST(*set.Add(key));
    CheckAgainst(set, {key});
    CheckAgainst(set.Packed(), {key});
    BOOST_TEST(set.Packed().image().size() <= 128u + 16 + 8 + 8);
    BOOST_TEST(*set.Remove(key));
  }
  CheckAgainst(set, {});
}

// Dense keys, and runs or single keys far away: what a page of 4 KiB would hold in one code.
BOOST_AUTO_TEST_CASE(PackedIsNotLargerWhereKeysAreFew) {
  std::mt19937_64 random(5);
  SparseSet runs({.page_bytes = 512}), single({.page_bytes = 512});
  for (int i = 0; i < 900; ++i) REQUIRE_OK(runs.Add(random() % 3000));
  for (std::uint64_t run = 0; run < 60; ++run) {
    for (std::uint64_t i = 0; i < 40 + run; ++i) REQUIRE_OK(runs.Add((1 << 20) + run * 1000 + i));
  }
  for (int i = 0; i < 1700; ++i) REQUIRE_OK(single.Add(random() % 2500));
  for (int i = 0; i < 30; ++i) REQUIRE_OK(single.Add(random()));
  BOOST_TEST(runs.image().size() == 1672u);
  BOOST_TEST(runs.Packed().image().size() == 776u);
  BOOST_TEST(single.image().size() == 1672u);
  BOOST_TEST(single.Packed().image().size() == 776u);
}

BOOST_AUTO_TEST_CASE(ImagesAreGolden) {
  const SparseSet set = Mixed();
  testing::CheckGolden("sparse_set", set.image());
  testing::CheckGolden("sparse_set_packed", set.Packed().image());
}

BOOST_AUTO_TEST_CASE(OpenAnswersEachDamage) {
  SparseSet set = Mixed();
  BOOST_TEST(SparseSet::Open(Buffer::Copy(set.image()))->size() == set.size());
  BOOST_TEST(SparseSet::Open(Buffer::Copy(set.Packed().image()))->size() == set.size());
  BOOST_TEST(PackedSparseSet::Open(Buffer::Copy(set.Packed().image()))->size() == set.size());
  CHECK_CODE(PackedSparseSet::Open(Buffer::Copy(set.image())), absl::StatusCode::kFailedPrecondition);
  CHECK_CODE(SparseSetView::Open(set.image().first(100)), absl::StatusCode::kDataLoss);
  CHECK_CODE(SparseSet::Make({.page_bytes = 1000}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SparseSet::Make({.page_bytes = std::uint64_t{1} << 63}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SparseSet::Make({}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  Buffer miscounted = Buffer::Copy(set.image());
  miscounted.data()[16] ^= std::byte{1};
  CHECK_CODE(SparseSet::Open(std::move(miscounted)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(BorrowedBytesThatAreFullLeaveTheSetAsItWas) {
  std::vector<std::byte> bytes(128 + 4 * 512 + 8);
  SparseSet set = *SparseSet::Make({.page_bytes = 512}, Buffer::Borrow(bytes));
  Model model;
  std::mt19937_64 random(2);
  for (bool full = false; !full;) {
    const std::uint64_t key = random();
    const absl::StatusOr<bool> added = set.Add(key);
    added.ok() ? (void)model.insert(key) : (void)(full = true);
    if (full) CHECK_CODE(added, absl::StatusCode::kFailedPrecondition);
  }
  CheckAgainst(set, model);
}

// What codes the leaves of a set, with a + where runs have lengths.
std::set<std::string> Forms(const SparseSetView& set) {
  constexpr const char* kNames[] = {"empty", "Elias-Fano", "bitmap", "runs"};
  std::set<std::string> forms;
  for (SparseTreeWalk walk(set); !walk.done(); walk.Next()) forms.insert(kNames[walk.leaf().codec()] + std::string(walk.leaf().length_width() > 0, '+'));
  return forms;
}

// What damaged leaves made of one pair of bounds once took all memory.
BOOST_AUTO_TEST_CASE(NoRunIsSplitWithoutEnd) {
  sparse::Entries entries(0);
  entries.AddBounds(std::array<std::uint64_t, 4>{5, std::uint64_t{1} << 62, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 7});
  BOOST_TEST(entries.Count(0, entries.size()) == (std::uint64_t{1} << 32) + 7);
  BOOST_TEST(entries.size() <= 7u);
}

BOOST_AUTO_TEST_CASE(Mutations) {
  const SparseSet& several = SetToCombine();
  const PackedSparseSet packed = several.Packed();
  SparseSet few({.page_bytes = 512});
  for (const unsigned bit : {0u, 3u, 5u, 40u, 63u}) REQUIRE_OK(few.Add(std::uint64_t{1} << bit));
  BOOST_TEST(Forms(several) == (std::set<std::string>{"Elias-Fano", "bitmap", "runs+"}), boost::test_tools::per_element());
  BOOST_TEST(Forms(packed) == (std::set<std::string>{"Elias-Fano", "bitmap", "runs", "runs+"}), boost::test_tools::per_element());
  BOOST_TEST(Forms(few) == std::set<std::string>{"runs"}, boost::test_tools::per_element());
  for (const SparseSetView& set : {several.view(), packed.view(), few.view()}) testing::ExerciseMutations<SparseSetView>(set.image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
