#include "testing.h"

#include <cmath>
#include <map>

#include "exercise/kmv_map.h"
#include "sketches.h"
#include "statistics.h"
#include "thimble/kmv_map.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(kmv_map)

using testing::SameImage;
using Options = KmvMap::Options;

struct Event {
  std::uint64_t key;
  std::int64_t value;
};

std::vector<Event> Events(std::size_t n, std::uint64_t keys, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Event> events(n);
  for (Event& event : events) event = {random() % keys, static_cast<std::int64_t>(random() % 2001) - 1000};
  return events;
}

KmvMap MapOf(const Options& options, const std::vector<Event>& events) {
  KmvMap map(options);
  for (const Event& event : events) map.Add(event.key, event.value);
  return map;
}

std::map<std::uint64_t, KeySummary> Model(const std::vector<Event>& events) {
  std::map<std::uint64_t, KeySummary> model;
  for (const Event& event : events) {
    const auto [at, fresh] = model.try_emplace(event.key, KeySummary{0, 0, event.value, event.value});
    KeySummary& summary = at->second;
    summary = {summary.count + 1, summary.sum + event.value, std::min(summary.min, event.value), std::max(summary.max, event.value)};
  }
  return model;
}

BOOST_AUTO_TEST_CASE(Sizes) {
  BOOST_TEST(KmvMap({.k = 4096}).image().size() == 163920u);
  const KmvMap empty({.k = 8});
  BOOST_TEST(empty.Keys().estimate == 0);
  BOOST_TEST(!empty.Find("key").has_value());
  REQUIRE_OK(empty.Verify());
  KmvMap one({.k = 1});
  one.Add("key", -7);
  one.Add("key", 9);
  BOOST_TEST((*one.Find("key") == KeySummary{2, 2, -7, 9}));
  BOOST_TEST(one.Sum().upper == 2);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("kmv_map", MapOf({.k = 16}, Events(500, 100, 1)).image()); }

BOOST_AUTO_TEST_CASE(SampledKeysAreExact) {
  for (std::uint64_t k : {1u, 7u, 100u, 1000u}) {
    const std::vector<Event> events = Events(5000, 700, k);
    const KmvMap map = MapOf({.k = k}, events);
    const std::map<std::uint64_t, KeySummary> model = Model(events);
    REQUIRE_OK(map.Verify());
    BOOST_TEST(map.size() == std::min<std::size_t>(k, model.size()));
    std::size_t found = 0;
    for (const auto& [key, summary] : model) {
      const std::optional<KeySummary> held = map.Find(key);
      if (!held) continue;
      ++found;
      BOOST_REQUIRE((*held == summary));
    }
    BOOST_TEST(found == map.size());
  }
}

BOOST_AUTO_TEST_CASE(TotalsLieWithinTheirBounds) {
  const int trials = testing::Trials(400, 20000);
  int keys_outside = 0, count_outside = 0, sum_outside = 0;
  testing::RelativeErrors errors;
  double all = 0;
  for (int key = 0; key < 3000; ++key) all += (key % 3 + 1) * (key % 7);
  for (int trial = 0; trial < trials; ++trial) {
    KmvMap map({.k = 256, .seed = static_cast<std::uint64_t>(trial)});
    for (std::uint64_t key = 0; key < 3000; ++key) {
      for (std::uint64_t i = 0; i <= key % 3; ++i) map.Add(key, static_cast<std::int64_t>(key % 7));
    }
    const Interval keys = map.Keys(), count = map.Count(), sum = map.Sum();
    errors.Add(keys.estimate, 3000);
    keys_outside += keys.lower > 3000 || keys.upper < 3000;
    count_outside += count.lower > 6000 || count.upper < 6000;
    sum_outside += sum.lower > all || sum.upper < all;
  }
  errors.Check(1 / std::sqrt(254.0), "KmvMap keys");
  for (int outside : {keys_outside, count_outside, sum_outside}) BOOST_TEST(outside <= trials * 0.06 + 4 * std::sqrt(trials * 0.06));
}

BOOST_AUTO_TEST_CASE(SubsetsAreEstimated) {
  KmvMap map({.k = 2000});
  for (std::uint64_t key = 0; key < 20000; ++key) map.Add(key, static_cast<std::int64_t>(key % 10));
  BOOST_TEST(std::abs(map.EstimateKeysWhere([](const KeySummary& s) { return s.max >= 7; }) / 6000 - 1) < 0.15);
}

BOOST_AUTO_TEST_CASE(MergeOfAnyPartitionIsTheWhole) {
  std::mt19937_64 random(1);
  for (std::uint64_t keys : {20u, 64u, 65u, 500u}) {
    const std::vector<Event> events = Events(1000, keys, keys);
    const KmvMap whole = MapOf({.k = 64}, events);
    for (int round = 0; round < 250; ++round) {
      std::vector<KmvMap> parts;
      for (std::size_t i = 1 + random() % 6; i > 0; --i) parts.emplace_back(Options{.k = 64});
      for (const Event& event : events) parts[random() % parts.size()].Add(event.key, event.value);
      for (std::size_t i = 1; i < parts.size(); ++i) REQUIRE_OK(parts[0].Merge(parts[i]));
      BOOST_REQUIRE(SameImage(parts[0], whole));
    }
  }
}

BOOST_AUTO_TEST_CASE(ErrorsAndReopening) {
  KmvMap map({.k = 8});
  CHECK_CODE(map.Merge(KmvMap({.k = 8, .seed = 2})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(map.Merge(KmvMap({.k = 8, .hash_scheme = HashScheme::kMurmur3})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvMap::Make({.k = 0}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvMap::Make({.hash_scheme = HashScheme::kNone}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(KmvMap::Make({.k = 100}, Buffer::Heap(100)), absl::StatusCode::kInvalidArgument);
  KmvMap murmur({.k = 8, .hash_scheme = HashScheme::kMurmur3});
  murmur.Add(7, 1);
  BOOST_TEST(murmur.Find(std::uint64_t{7})->count == 1u);
  const std::vector<Event> events = Events(1000, 300, 9);
  const KmvMap half = MapOf({.k = 50}, {events.begin(), events.begin() + 500});
  absl::StatusOr<KmvMap> again = KmvMap::Open(Buffer::Copy(half.image()));
  REQUIRE_OK(again);
  for (std::size_t i = 500; i < 1000; ++i) again->Add(events[i].key, events[i].value);
  BOOST_TEST(SameImage(*again, MapOf({.k = 50}, events)));
  Buffer damaged = Buffer::Copy(half.image());
  damaged.data()[79] = std::byte{0x7f};
  CHECK_CODE(KmvMap::Open(std::move(damaged)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(Mutations) { testing::ExerciseMutations<KmvMapView>(MapOf({.k = 16}, Events(500, 100, 1)).image()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
