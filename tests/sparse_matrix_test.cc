#include "testing.h"

#include <map>
#include <utility>

#include "exercise/sparse_matrix.h"
#include "thimble/sparse_matrix.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(sparse_matrix)

using Model = std::map<std::pair<std::uint64_t, std::uint64_t>, double>;

void CheckAgainst(const SparseMatrixView& matrix, const Model& model, std::uint64_t rows, std::uint64_t columns) {
  REQUIRE_OK(matrix.Verify());
  BOOST_REQUIRE_EQUAL(matrix.rows(), rows);
  BOOST_REQUIRE_EQUAL(matrix.columns(), columns);
  BOOST_REQUIRE_EQUAL(matrix.size(), model.size());
  std::vector<double> x(columns), y(rows), expected(rows), t(rows), u(columns), expected_u(columns);
  for (std::size_t i = 0; i < columns; ++i) x[i] = static_cast<double>(i % 17) - 8;
  for (std::size_t i = 0; i < rows; ++i) t[i] = static_cast<double>(i % 13) - 6;
  for (const auto& [place, value] : model) {
    BOOST_REQUIRE_EQUAL(matrix.At(place.first, place.second), value);
    expected[place.first] += value * x[place.second];
    expected_u[place.second] += value * t[place.first];
  }
  matrix.Multiply(x, y);
  matrix.MultiplyTransposed(t, u);
  for (std::size_t i = 0; i < rows; ++i) BOOST_REQUIRE_SMALL(y[i] - expected[i], 1e-9);
  for (std::size_t i = 0; i < columns; ++i) BOOST_REQUIRE_SMALL(u[i] - expected_u[i], 1e-9);
  for (std::uint64_t row = 0; row < rows; row += 1 + rows / 20) {
    auto at = model.lower_bound({row, 0});
    for (const MatrixEntry& entry : matrix.Row(row)) {
      BOOST_REQUIRE(at != model.end() && at->first == std::pair(entry.row, entry.column));
      BOOST_REQUIRE_EQUAL(entry.value, at->second);
      ++at;
    }
    BOOST_REQUIRE(at == model.end() || at->first.first > row);
  }
}

Model Random(std::uint64_t rows, std::uint64_t columns, int n, std::uint64_t seed, auto value) {
  std::mt19937_64 random(seed);
  Model model;
  for (int i = 0; i < n; ++i) model[{random() % rows, random() % columns}] = value(random());
  return model;
}

SparseMatrix Make(const Model& model, const SparseMatrix::Options& options) {
  SparseMatrix::Builder builder(options);
  std::vector<std::pair<std::pair<std::uint64_t, std::uint64_t>, double>> entries(model.begin(), model.end());
  std::shuffle(entries.begin(), entries.end(), std::mt19937_64(1));
  for (const auto& [place, value] : entries) REQUIRE_OK(builder.Add(place.first, place.second, value));
  return *builder.Finish();
}

Model Transposed(const Model& model) {
  Model other;
  for (const auto& [place, value] : model) other[{place.second, place.first}] = value;
  return other;
}

BOOST_AUTO_TEST_CASE(AgreesWithStdMap) {
  const auto small = [](std::uint64_t r) { return static_cast<double>(r % 41) - 20; };
  for (const auto& [rows, columns, n] : {std::tuple{300u, 200u, 2000}, std::tuple{40u, 60u, 4000}, std::tuple{1u, 5000u, 700}, std::tuple{3000u, 1u, 900}, std::tuple{20000u, 15000u, testing::Steps(10000)}}) {
    for (const MatrixOrder order : {MatrixOrder::kRows, MatrixOrder::kColumns}) {
      for (const MatrixValues values : {MatrixValues::kF64, MatrixValues::kF32, MatrixValues::kInteger, MatrixValues::kPattern}) {
        const Model model = values == MatrixValues::kPattern ? Random(rows, columns, n, rows, [](std::uint64_t) { return 1.0; }) : Random(rows, columns, n, rows, small);
        const SparseMatrix matrix = Make(model, {.rows = rows, .columns = columns, .values = values, .order = order});
        CheckAgainst(matrix, model, rows, columns);
        if (values == MatrixValues::kF32) continue;
        CheckAgainst(matrix.Transposed(), Transposed(model), columns, rows);
        BOOST_TEST((matrix.Reordered().order() != order));
        CheckAgainst(matrix.Reordered(), model, rows, columns);
        Model slice;
        for (const auto& [place, value] : model) {
          if (place.first >= rows / 3 && place.first < rows / 2) slice[{place.first - rows / 3, place.second}] = value;
        }
        CheckAgainst(matrix.Rows(rows / 3, rows / 2), slice, rows / 2 - rows / 3, columns);
        CheckAgainst(*SparseMatrix::Open(Buffer::Copy(matrix.image())), model, rows, columns);
        CheckAgainst(*ParseMatrixMarket(FormatMatrixMarket(matrix), order), model, rows, columns);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(DuplicatesAreSummed) {
  SparseMatrix::Builder builder({.rows = 3, .columns = 3});
  REQUIRE_OK(builder.Add(1, 2, 0.5));
  REQUIRE_OK(builder.Add(0, 0, 1));
  REQUIRE_OK(builder.Add(1, 2, 0.25));
  CHECK_CODE(builder.Add(3, 0, 1), absl::StatusCode::kOutOfRange);
  CHECK_CODE(builder.Add(0, 3, 1), absl::StatusCode::kOutOfRange);
  const SparseMatrix matrix = *builder.Finish();
  CheckAgainst(matrix, {{{0, 0}, 1}, {{1, 2}, 0.75}}, 3, 3);
}

BOOST_AUTO_TEST_CASE(EmptyAndImpossible) {
  for (const auto& [rows, columns] : {std::pair{0u, 0u}, std::pair{5u, 0u}, std::pair{0u, 5u}, std::pair{4u, 4u}}) {
    const SparseMatrix matrix = *SparseMatrix::Builder({.rows = rows, .columns = columns}).Finish();
    CheckAgainst(matrix, {}, rows, columns);
  }
  CHECK_CODE(SparseMatrix::Builder({.rows = std::uint64_t{1} << 40, .columns = std::uint64_t{1} << 40}).Finish(), absl::StatusCode::kInvalidArgument);
  SparseMatrix::Builder fractions({.rows = 2, .columns = 2, .values = MatrixValues::kInteger});
  REQUIRE_OK(fractions.Add(0, 0, 0.5));
  CHECK_CODE(fractions.Finish(), absl::StatusCode::kInvalidArgument);
  const SparseMatrix matrix = *SparseMatrix::Builder({.rows = 4, .columns = 4}).Finish();
  CHECK_CODE(SparseMatrixView::Open(matrix.image().first(150)), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(BytesAnEntry) {
  // 20,000 x 20,000 with 10 a row: log2(400e6 / 200e3) + 2 bits are 13, and a pattern must stay within 3 % of 12.9.
  const std::uint64_t side = 20000;
  const Model model = Random(side, side, 200000, 5, [](std::uint64_t r) { return static_cast<double>(r % 16); });
  const auto bits = [&](MatrixValues values) {
    return static_cast<double>(Make(model, {.rows = side, .columns = side, .values = values}).image().size()) * 8 / static_cast<double>(model.size());
  };
  BOOST_TEST(bits(MatrixValues::kPattern) < 13.3);
  BOOST_TEST(bits(MatrixValues::kInteger) < 17.3);
  BOOST_TEST(bits(MatrixValues::kF64) < 77.3);
}

BOOST_AUTO_TEST_CASE(MatrixMarketLayouts) {
  const char* symmetric = "%%MatrixMarket matrix coordinate real symmetric\n% a comment\n\n3 3 2\n1 1 2.5\n 3 1 -1e2\n";
  CheckAgainst(*ParseMatrixMarket(symmetric), {{{0, 0}, 2.5}, {{2, 0}, -100}, {{0, 2}, -100}}, 3, 3);
  const char* skew = "%%matrixmarket MATRIX Coordinate Integer Skew-Symmetric\n2 2 1\n2 1 +4\n";
  CheckAgainst(*ParseMatrixMarket(skew), {{{1, 0}, 4}, {{0, 1}, -4}}, 2, 2);
  const char* array = "%%MatrixMarket matrix array real general\r\n2 2\r\n1\r\n0\r\n3\r\n4";
  CheckAgainst(*ParseMatrixMarket(array, MatrixOrder::kColumns), {{{0, 0}, 1}, {{0, 1}, 3}, {{1, 1}, 4}}, 2, 2);
  const char* pattern = "%%MatrixMarket matrix coordinate pattern general\n2 9 1\n2 9\n";
  CheckAgainst(*ParseMatrixMarket(pattern), {{{1, 8}, 1}}, 2, 9);
  for (const char* wrong : {"", "%%MatrixMarket", "%%MatrixMarket matrix coordinate real general\n", "%%MatrixMarket matrix coordinate real general\n2 2 1\n",
                            "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 5\n", "%%MatrixMarket matrix coordinate real general\n2 2 1\n0 1 5\n",
                            "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 x\n", "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 5\n1 2 6\n",
                            "%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n", "%%MatrixMarket matrix dense real general\n1 1 0\n"}) {
    CHECK_CODE(ParseMatrixMarket(wrong), absl::StatusCode::kDataLoss);
  }
  CHECK_CODE(ParseMatrixMarket("%%MatrixMarket matrix coordinate complex general\n1 1 0\n"), absl::StatusCode::kUnimplemented);
}

SparseMatrix Golden(MatrixValues values, MatrixOrder order) {
  return Make(Random(50, 70, 300, 9, [](std::uint64_t r) { return static_cast<double>(r % 100); }),
              {.rows = 50, .columns = 70, .values = values, .order = order});
}

BOOST_AUTO_TEST_CASE(IntegersAreWrittenAsIntegers) {
  SparseMatrix::Builder builder({.rows = 2, .columns = 2, .values = MatrixValues::kInteger});
  REQUIRE_OK(builder.Add(0, 0, 1'000'000));
  REQUIRE_OK(builder.Add(1, 1, -9007199254740992.0));
  const std::string text = FormatMatrixMarket(*std::move(builder).Finish());
  BOOST_TEST(text.find("1 1 1000000\n") != std::string::npos);
  BOOST_TEST(text.find("2 2 -9007199254740992\n") != std::string::npos);
  // No rows, and more columns than anybody counts.
  (void)ParseMatrixMarket("%%MatrixMarket matrix array real general\n0 18446744073709551615\n");
}

BOOST_AUTO_TEST_CASE(ImagesAreGolden) {
  testing::CheckGolden("sparse_matrix", Golden(MatrixValues::kInteger, MatrixOrder::kRows).image());
}

BOOST_AUTO_TEST_CASE(Mutations) {
  using V = MatrixValues;
  for (const V values : {V::kInteger, V::kPattern}) testing::ExerciseMutations<SparseMatrixView>(Golden(values, MatrixOrder::kRows).image());
  for (const V values : {V::kF32, V::kF64}) testing::ExerciseMutations<SparseMatrixView>(Golden(values, MatrixOrder::kColumns).image());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
