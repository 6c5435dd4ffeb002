#include "testing.h"

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "exercise/sparse_array.h"
#include "sparse_model.h"
#include "thimble/sparse_array.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(sparse_array)

template <class T>
void CheckAgainst(const SparseArrayView<T>& array, const std::map<std::uint64_t, T>& model) {
  REQUIRE_OK(array.Verify());
  BOOST_REQUIRE_EQUAL(array.size(), model.size());
  auto expected = model.begin();
  std::uint64_t rank = 0;
  for (const auto element : array) {
    BOOST_REQUIRE(expected != model.end());
    BOOST_REQUIRE_EQUAL(element.index, expected->first);
    BOOST_REQUIRE(element.value == expected->second);
    if (rank % 37 == 0) {
      BOOST_REQUIRE(array[element.index] == element.value);
      BOOST_REQUIRE_EQUAL(array.Rank(element.index), rank);
      BOOST_REQUIRE_EQUAL(array.Select(rank).index, element.index);
      BOOST_REQUIRE(array.Select(rank).value == element.value);
      if (!model.contains(element.index + 1)) BOOST_REQUIRE(array[element.index + 1] == array.default_value());
    }
    ++expected;
    ++rank;
  }
  BOOST_REQUIRE(expected == model.end());
  // Every element and its neighbour, alone and all at once.
  std::vector<std::uint64_t> indices;
  for (const auto& [index, value] : model) indices.insert(indices.end(), {index, index + 1});
  testing::CheckIndices(array, model, indices);
}

template <class T>
void AgreesWithStdMap(const typename SparseArray<T>::Options& options, std::uint64_t universe, auto value_of) {
  SparseArray<T> array(options);
  std::map<std::uint64_t, T> model;
  std::mt19937_64 random(universe);
  const int n = testing::Trials(25000, 500000);
  for (int i = 0; i < n; ++i) {
    const std::uint64_t index = random() % universe;
    if (i % 4 == 3) {
      const auto at = model.lower_bound(index);
      const std::uint64_t gone = at == model.end() ? index : at->first;
      BOOST_REQUIRE_EQUAL(*array.Erase(gone), model.erase(gone) == 1);
    } else {
      const T value = value_of(random());
      REQUIRE_OK(array.Set(index, value));
      if (value == array.default_value()) {
        model.erase(index);
      } else {
        model[index] = value;
      }
    }
    if (i % (n / 3) == 11) CheckAgainst<T>(array, model);
  }
  CheckAgainst<T>(array, model);
  CheckAgainst<T>(array.Packed(), model);
  CheckAgainst<T>(*SparseArray<T>::Copy(array.Packed()), model);
  CheckAgainst<T>(*SparseArray<T>::Open(Buffer::Copy(array.image())), model);
}

BOOST_AUTO_TEST_CASE(AgreesWithStd) {
  AgreesWithStdMap<std::uint32_t>({}, std::uint64_t{1} << 40, [](std::uint64_t r) { return static_cast<std::uint32_t>(r); });
  AgreesWithStdMap<std::uint32_t>({.value_bits = 5, .default_value = 3}, 60000, [](std::uint64_t r) { return static_cast<std::uint32_t>(r % 32); });
  AgreesWithStdMap<std::int16_t>({.value_bits = 9, .page_bytes = 512}, 1000000, [](std::uint64_t r) { return static_cast<std::int16_t>(r % 512) < 256 ? static_cast<std::int16_t>(r % 256) : static_cast<std::int16_t>(-1 - static_cast<int>(r % 256)); });
  AgreesWithStdMap<double>({}, 3000000, [](std::uint64_t r) { return static_cast<double>(r) / 3; });
  AgreesWithStdMap<bool>({.value_bits = 1}, 20000, [](std::uint64_t) { return true; });
}

BOOST_AUTO_TEST_CASE(BuilderTakesAnyOrderInBoundedMemory) {
  SparseArray<std::uint32_t>::Builder builder({}, 16000);
  std::map<std::uint64_t, std::uint32_t> model;
  std::mt19937_64 random(4);
  for (int i = 0; i < 30000; ++i) {
    const std::uint64_t index = random() % 50000 * 1000;
    REQUIRE_OK(builder.Add(index, static_cast<std::uint32_t>(i % 5000)));
    i % 5000 == 0 ? (void)model.erase(index) : (void)(model[index] = static_cast<std::uint32_t>(i % 5000));
  }
  CheckAgainst<std::uint32_t>(*std::move(builder).Finish(), model);
}

SparseArray<std::uint32_t> Mixed() {
  SparseArray<std::uint32_t> array({.value_bits = 12, .default_value = 7, .page_bytes = 512});
  std::mt19937_64 random(5);
  for (int i = 0; i < 700; ++i) {
    const auto value = static_cast<std::uint32_t>(random() % 4096);
    (void)array.Set(random() % 900, value);
  }
  for (int i = 0; i < 300; ++i) (void)array.Set(random(), static_cast<std::uint32_t>(i));
  return array;
}

BOOST_AUTO_TEST_CASE(NumbersAreKeptByTheirBits) {
  SparseArray<double> array(SparseArray<double>::Options{});
  REQUIRE_OK(array.Set(1, -0.0));
  REQUIRE_OK(array.Set(2, std::numeric_limits<double>::quiet_NaN()));
  REQUIRE_OK(array.Set(3, 0.0));
  BOOST_TEST(array.size() == 2u);
  BOOST_TEST((array.Contains(1) && std::signbit(array[1]) && array[1] == 0));
  BOOST_TEST(std::isnan(array[2]));
  const PackedSparseArray<double> packed = array.Packed();
  BOOST_TEST((std::signbit(packed[1]) && std::isnan(packed[2]) && !std::signbit(packed[3])));
}

BOOST_AUTO_TEST_CASE(ErrorsAndSizes) {
  SparseArray<std::uint32_t> array({.value_bits = 12});
  BOOST_TEST(array.image().size() == 128u + 2048 + 8);
  CHECK_CODE(array.Set(1, 4096), absl::StatusCode::kOutOfRange);
  REQUIRE_OK(array.Set(1, 4095));
  BOOST_TEST(array[1] == 4095u);
  REQUIRE_OK(array.Set(1, 4094));
  BOOST_TEST(array.size() == 1u);
  BOOST_TEST(array[0] == 0u);
  BOOST_TEST(array.Packed().image().size() == 128u + 16 + 8 + 8);
  REQUIRE_OK(array.Set(1, 0));
  BOOST_TEST(array.empty());
  CHECK_CODE(SparseArray<std::uint32_t>::Make({.value_bits = 33}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SparseArray<std::uint32_t>::Make({.page_bytes = 100}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SparseArray<std::uint32_t>::Make({.page_bytes = std::uint64_t{1} << 63}), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SparseArrayView<std::uint8_t>::Open(array.image()), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(SparseArrayView<std::uint32_t>::Open(array.image().first(100)), absl::StatusCode::kDataLoss);
}

// A default value may be wider than the values that are set.
BOOST_AUTO_TEST_CASE(AnyDefaultIsKept) {
  for (const std::int32_t wide : {1000, -1000, -8, 7}) {
    SparseArray<std::int32_t> array({.value_bits = 4, .default_value = wide});
    REQUIRE_OK(array.Set(3, 2));
    REQUIRE_OK(array.Set(4, wide));
    BOOST_TEST(array.default_value() == wide);
    BOOST_TEST(array[5] == wide);
    BOOST_TEST(!array.Contains(4));
    REQUIRE_OK(array.Set(9, wide == -8 ? -7 : -8));
    BOOST_TEST(array.Contains(9));
    BOOST_TEST(array.Packed()[5] == wide);
    BOOST_TEST(array.Packed()[3] == 2);
  }
}

// A default whose bits fit, but not its sign; and an image that is read as a wider type.
BOOST_AUTO_TEST_CASE(DefaultsKeepTheirSign) {
  SparseArray<std::int16_t> array({.value_bits = 7, .default_value = 100});
  REQUIRE_OK(array.Set(5, -28));
  BOOST_TEST(array[5] == -28);
  BOOST_TEST(array[6] == 100);
  SparseArray<std::int16_t> negative({.value_bits = 7, .default_value = -3});
  REQUIRE_OK(negative.Set(1, 2));
  SparseArray<std::int16_t>::Builder builder({.value_bits = 4, .default_value = 100});
  REQUIRE_OK(builder.Add(1, 7));
  REQUIRE_OK(builder.Add(1, 100));
  CHECK_CODE(builder.Add(2, 99), absl::StatusCode::kOutOfRange);
  BOOST_TEST(std::move(builder).Finish()->empty());
  const SparseArrayView<std::int32_t> wider = *SparseArrayView<std::int32_t>::Open(negative.image());
  BOOST_TEST(wider[1] == 2);
  BOOST_TEST(wider[2] == -3);
}

BOOST_AUTO_TEST_CASE(ImagesAreGolden) {
  testing::CheckGolden("sparse_array", Mixed().image());
  testing::CheckGolden("sparse_array_packed", Mixed().Packed().image());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  testing::ExerciseMutations<SparseArrayView<std::uint32_t>>(Mixed().image());
  testing::ExerciseMutations<SparseArrayView<std::uint32_t>>(Mixed().Packed().image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
