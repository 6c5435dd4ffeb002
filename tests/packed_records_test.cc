#include "thimble/packed_records.h"

#include "testing.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(packed_records)

using absl::StatusCode;

enum class Colour { kRed, kGreen, kBlue };

using Person = Record<Field<"age", 7>, SignedField<"balance", 20>, BoolField<"member">, EnumField<"colour", Colour, 2>,
                      DecimalField<"height", 9, 2>, TextField<"city", 8>, Field<"id", 64>>;

struct Plain {
  std::uint64_t age;
  std::int64_t balance;
  bool member;
  Colour colour;
  double height;
  std::string city;
  std::uint64_t id;
};

std::vector<Plain> People(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<Plain> people;
  for (std::size_t i = 0; i < n; ++i) {
    people.push_back({random() % 128, static_cast<std::int64_t>(random() % 1'000'000) - 500'000, random() % 2 == 0,
                      static_cast<Colour>(random() % 3), static_cast<double>(random() % 300) / 100, "city " + std::to_string(random() % 200),
                      random()});
  }
  return people;
}

template <RecordLayout kLayout>
PackedRecords<Person, kLayout> Packed(const std::vector<Plain>& people) {
  typename PackedRecords<Person, kLayout>::Builder builder(people.size());
  for (const Plain& p : people) builder.Add(p.age, p.balance, p.member, p.colour, p.height, p.city, p.id);
  return std::move(builder).Finish().value();
}

template <RecordLayout kLayout>
void CheckAgainstStructs(const std::vector<Plain>& people) {
  PackedRecords<Person, kLayout> packed = Packed<kLayout>(people);
  REQUIRE_OK(packed.Verify());
  BOOST_REQUIRE_EQUAL(packed.size(), people.size());
  for (std::size_t i = 0; i < people.size(); ++i) {
    BOOST_REQUIRE_EQUAL(packed.template Get<"age">(i), people[i].age);
    BOOST_REQUIRE_EQUAL(packed.template Get<"balance">(i), people[i].balance);
    BOOST_REQUIRE_EQUAL(packed.template Get<"member">(i), people[i].member);
    BOOST_REQUIRE(packed.template Get<"colour">(i) == people[i].colour);
    BOOST_REQUIRE_EQUAL(packed.template Get<"height">(i), people[i].height);
    BOOST_REQUIRE_EQUAL(packed.template Get<"city">(i), people[i].city);
    BOOST_REQUIRE_EQUAL(packed.template Get<"id">(i), people[i].id);
    BOOST_REQUIRE_EQUAL(packed.template Column<"balance">()[i], people[i].balance);
  }
  std::size_t at = 0;
  packed.template Column<"balance">().ForEach([&](std::int64_t balance) { BOOST_REQUIRE_EQUAL(balance, people[at++].balance); });
  BOOST_TEST(at == people.size());
  at = 0;
  for (const std::string_view city : packed.template Column<"city">()) BOOST_REQUIRE_EQUAL(city, people[at++].city);
  if (people.empty()) return;
  packed.template Set<"balance">(0, -7);
  packed.template Set<"age">(0, 200);  // does not fit: nothing changes
  BOOST_TEST(packed.template Get<"balance">(0) == -7);
  BOOST_TEST(packed.template Get<"age">(0) == people[0].age);
  BOOST_TEST(packed.template Get<"id">(0) == people[0].id);
}

BOOST_AUTO_TEST_CASE(AgreesWithStructs) {
  for (const std::size_t n : {0u, 1u, 2u, 5000u}) {
    CheckAgainstStructs<RecordLayout::kRows>(People(n));
    CheckAgainstStructs<RecordLayout::kColumns>(People(n));
  }
}

BOOST_AUTO_TEST_CASE(SizesAreExact) {
  using Small = Record<Field<"a", 3>, Field<"b", 4>>;
  PackedRecords<Small>::Builder builder(8);
  for (int i = 0; i < 8; ++i) builder.Add(i, i);
  const PackedRecords<Small> small = std::move(builder).Finish().value();
  // Header, two fields of 32 bytes and a name, 8 records of 7 bits, slack.
  BOOST_TEST(small.image().size() == 192u + 7 + 1 + 8 + 8);
  BOOST_TEST(Person::kBits == 7u + 20 + 1 + 2 + 9 + 8 + 64);
}

BOOST_AUTO_TEST_CASE(WhatDoesNotFitIsAnError) {
  using Small = Record<Field<"a", 3>, DecimalField<"b", 10, 1>>;
  const auto add = [](std::int64_t a, double b) {
    PackedRecords<Small>::Builder builder(1);
    builder.Add(a, b);
    return std::move(builder).Finish().status().code();
  };
  BOOST_CHECK_EQUAL(add(7, 0.1), StatusCode::kOk);
  BOOST_CHECK_EQUAL(add(8, 0.1), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(add(-1, 0.1), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(add(7, 0.15), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(add(7, -0.1), StatusCode::kInvalidArgument);
  BOOST_CHECK_EQUAL(add(7, 102.4), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedRecords<Small>::Builder(1).Finish(), StatusCode::kInvalidArgument);
  CHECK_CODE(PackedRecords<Small>::Builder(100, Buffer::Heap(100)).Finish(), StatusCode::kInvalidArgument);
}

BOOST_AUTO_TEST_CASE(OtherRecordsAreRefused) {
  const auto packed = Packed<RecordLayout::kRows>(People(3));
  using Other = Record<Field<"age", 8>>;
  CHECK_CODE(PackedRecordsView<Other>::Open(packed.image()), StatusCode::kInvalidArgument);
  CHECK_CODE((PackedRecordsView<Person, RecordLayout::kColumns>::Open(packed.image())), StatusCode::kInvalidArgument);
  CHECK_CODE((PackedRecords<Person>::Open(Buffer::Copy(packed.image()))), StatusCode::kOk);
}

BOOST_AUTO_TEST_CASE(Golden) { testing::CheckGolden("packed_records", Packed<RecordLayout::kRows>(People(5)).image()); }

template <RecordLayout kLayout>
void Exercise(const PackedRecordsView<Person, kLayout>& view) {
  const std::uint64_t n = view.size();
  double sum = 0;
  for (const std::uint64_t i : {std::uint64_t{0}, n / 2, n - 1, n, ~std::uint64_t{0}}) {
    sum += static_cast<double>(view.template Get<"age">(i)) + view.template Get<"height">(i) + static_cast<double>(view.template Get<"balance">(i));
    sum += static_cast<double>(view.template Get<"id">(i) + view.template Column<"id">()[i]) + static_cast<double>(view.template Get<"colour">(i));
    for (const char c : view.template Get<"city">(i)) sum += c;
  }
  if (n < 1000) view.template Column<"city">().ForEach([&](std::string_view city) { sum += static_cast<double>(city.size()); });
  view.Verify().IgnoreError();
  asm volatile("" : : "m"(sum));
}

BOOST_AUTO_TEST_CASE(Mutations) {
  const auto people = People(20);
  testing::ExerciseMutations<PackedRecordsView<Person, RecordLayout::kRows>>(Packed<RecordLayout::kRows>(people).image());
  testing::ExerciseMutations<PackedRecordsView<Person, RecordLayout::kColumns>>(Packed<RecordLayout::kColumns>(people).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
