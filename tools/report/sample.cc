#include "sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "status_macros.h"

namespace thimble::tools {
namespace {

using footprint::Measurement;

constexpr std::uint64_t kParts[] = {16, 4, 1};  // of the sample, smallest first
constexpr double kLeastDoubt = 0.005;           // half an interval's width, at least

// Picks exactly n of N in order, each set of n as likely as any other (Knuth's algorithm S). The same seed picks the same.
class Selector {
 public:
  Selector(std::uint64_t n, std::uint64_t of, std::uint64_t seed) : wanted_(n), left_(of), random_(seed) {}
  bool Next() {
    const bool chosen = random_() % left_ < wanted_;
    --left_;
    wanted_ -= chosen;
    return chosen;
  }

 private:
  std::uint64_t wanted_, left_;
  std::mt19937_64 random_;
};

absl::StatusOr<TableData> Subsample(const TableData& table, std::uint64_t rows) {
  TableData sample{table.path, table.format, table.compression, table.has_header, table.bytes, rows, table.ragged_rows, table.ragged_lines, {}};
  for (const ColumnData& column : table.columns) {
    THIMBLE_ASSIGN_OR_RETURN(TextSpool texts, TextSpool::Make(std::size_t{1} << 16));
    Selector selector(rows, table.rows, rows);
    std::uint64_t missing = 0;
    THIMBLE_RETURN_IF_ERROR(column.texts.ForEach([&](std::string_view value) {
      if (!selector.Next()) return absl::OkStatus();
      missing += value.empty();
      return texts.Append(value);
    }));
    THIMBLE_RETURN_IF_ERROR(texts.Flush());
    sample.columns.push_back({column.name, column.inference, std::move(texts), {}, {}, 0, missing});
    THIMBLE_RETURN_IF_ERROR(PrepareColumn(sample.columns.back(), table.columns.size()));
  }
  return sample;
}

struct Point {
  double stored, bytes;
};

struct Prediction {
  double bytes, low, high;
};

// Between the line through the last two points and the curve a + b n + c n log n through all three, which a table with a fixed
// part, an array and a tree all follow. How far the two lie apart is the doubt.
Prediction Extrapolate(const std::array<Point, 3>& p, double n) {
  const double each = p[2].bytes / std::max(1.0, p[2].stored);
  const double least_doubt = kLeastDoubt * each * n;
  if (n <= p[2].stored || p[2].stored <= p[1].stored || p[1].stored <= p[0].stored) {
    return {p[2].bytes, p[2].bytes - least_doubt, p[2].bytes + least_doubt};
  }
  const double more = n - p[2].stored;
  const double slope = (p[2].bytes - p[1].bytes) / (p[2].stored - p[1].stored);
  if (more < p[2].stored / 4) {  // nearly all distinct values were in the sample
    const double grown = p[2].bytes + std::clamp(slope, 0.0, each) * more;
    const double doubt = std::max(least_doubt, each * more);
    return {grown, grown - doubt, grown + doubt};
  }
  const double line = p[2].bytes + slope * more;
  const auto bend = [](double s) { return s * std::log(s); };
  const double first_slope = (p[1].bytes - p[0].bytes) / (p[1].stored - p[0].stored);
  const double bend_slope = (bend(p[2].stored) - bend(p[1].stored)) / (p[2].stored - p[1].stored);
  const double first_bend_slope = (bend(p[1].stored) - bend(p[0].stored)) / (p[1].stored - p[0].stored);
  const double c = (slope - first_slope) / (bend_slope - first_bend_slope);
  const double curve = p[2].bytes + (slope - c * bend_slope) * more + c * (bend(n) - bend(p[2].stored));
  const double doubt = std::max(least_doubt, std::fabs(curve - line) / 2);
  const double middle = std::max(p[2].bytes, (curve + line) / 2);  // more values never cost less
  return {middle, middle - doubt, middle + doubt};
}

// How many values the structure would hold with all rows: it holds distinct ones, or all.
double StoredInAll(const Measurement& m, const ColumnReport& sample, const ColumnReport& all) {
  const std::uint64_t stored = m.stored == sample.elements ? all.elements : m.stored == sample.distinct ? all.distinct : m.stored;
  return static_cast<double>(stored);
}

const Measurement* Find(const ColumnReport& column, const footprint::Structure* structure) {
  for (const StructureRow& row : column.structures) {
    if (row.structure == structure) return row.measured.ok() ? &row.measured : nullptr;
  }
  return nullptr;
}

// Makes of the largest sample's row what the row of all would be.
void PredictRow(StructureRow& row, const std::array<const ColumnReport*, 3>& samples, const ColumnReport& all) {
  std::array<const Measurement*, 3> measured;
  for (std::size_t i = 0; i < measured.size(); ++i) measured[i] = Find(*samples[i], row.structure);
  if (std::find(measured.begin(), measured.end(), nullptr) != measured.end()) return;
  const double n = StoredInAll(*measured[2], *samples[2], all);
  const auto predict = [&](auto figure) {
    std::array<Point, 3> points;
    for (std::size_t i = 0; i < 3; ++i) points[i] = {static_cast<double>(measured[i]->stored), static_cast<double>(measured[i]->*figure)};
    return Extrapolate(points, n);
  };
  Measurement& m = row.measured;
  const Prediction heap = predict(&Measurement::heap_bytes);
  m.mallinfo_bytes = std::llround(predict(&Measurement::mallinfo_bytes).bytes);
  m.peak_bytes = std::llround(predict(&Measurement::peak_bytes).bytes);
  m.pss_bytes = std::llround(predict(&Measurement::pss_bytes).bytes);
  m.build_seconds *= static_cast<double>(all.elements) / static_cast<double>(std::max<std::uint64_t>(1, samples[2]->elements));
  m.heap_bytes = std::llround(heap.bytes);
  m.stored = static_cast<std::uint64_t>(std::llround(n));
  if (n > 0) row.predicted = Interval{heap.low / n, heap.high / n};
}

void PredictColumn(ColumnReport& all, const std::array<const ColumnReport*, 3>& samples) {
  all.structures = samples[2]->structures;
  for (StructureRow& row : all.structures) PredictRow(row, samples, all);
  SortStructures(all);
  all.recommendation = Recommend(all);
}

}  // namespace

absl::StatusOr<Report> PredictTable(const TableData& table, std::uint64_t rows, const MeasureOptions& options, Progress& progress) {
  std::uint64_t sample_rows = table.rows;
  while (sample_rows > rows) sample_rows /= 2;
  std::array<Report, 3> samples;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    progress.Show("sampling");
    THIMBLE_ASSIGN_OR_RETURN(const TableData sample, Subsample(table, sample_rows / kParts[i]));
    THIMBLE_ASSIGN_OR_RETURN(samples[i], MeasureTable(sample, options, progress));
  }
  Report report = samples[2];
  report.rows = table.rows;
  report.sample_rows = sample_rows;
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    ColumnReport& column = report.columns[i];
    const auto data = std::find_if(table.columns.begin(), table.columns.end(), [&](const ColumnData& c) { return c.name == column.name; });
    column.elements = data->elements();
    column.payload_bytes = data->payload_bytes();
    column.distinct = data->distinct;
    PredictColumn(column, {&samples[0].columns[i], &samples[1].columns[i], &samples[2].columns[i]});
  }
  report.whole_rows.elements = table.rows;
  PredictColumn(report.whole_rows, {&samples[0].whole_rows, &samples[1].whole_rows, &samples[2].whole_rows});
  return report;
}

}  // namespace thimble::tools
