#include "thimble/compare.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "forked.h"
#include "live_sample.h"
#include "measure.h"
#include "predict.h"
#include "status_macros.h"
#include "structure.h"

namespace thimble::internal {
namespace {

using footprint::Column;
using footprint::Interval;
using footprint::LiveSample;
using footprint::LiveValues;
using footprint::Measurement;
using footprint::MeasureTask;
using footprint::Structure;
using footprint::Structures;

// What the child that knows the columns tells of one, before the measurements of each structure.
struct ColumnHead {
  char name[16];
  std::uint64_t elements, distinct;
  unsigned type;
};

bool Write(int out, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(out, from, size);
    if (written <= 0) return false;
    from += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// Parent and child choose the same, in the same order.
std::vector<const Structure*> Chosen(unsigned type, const CompareOptions& options) {
  std::vector<const Structure*> chosen;
  for (const Structure& structure : Structures()) {
    const auto is_part = [&](const std::string& part) { return structure.name.find(part) != std::string::npos; };
    const bool wanted = options.structures.empty() || std::any_of(options.structures.begin(), options.structures.end(), is_part);
    if ((structure.fits & type) && wanted) chosen.push_back(&structure);
  }
  return chosen;
}

// What the child has found out of one structure.
struct Result {
  Measurement measured;
  std::optional<Interval> predicted;
};
static_assert(std::is_trivially_copyable_v<Result>);

// The values that structures are built from.
struct Part {
  LiveValues values;
  Column column;
};

// One column, and the measurements that wait for its structures: one of each, or one for each part of a sample.
class MeasuredColumn {
 public:
  MeasuredColumn(const LiveSample& sample, const CompareOptions& options)
      : sample_(sample), first_(sample.sampled() ? 0 : kWhole), structures_(Chosen(sample.type(), options)), measurements_(structures_.size()) {
    for (std::size_t i = first_; i <= kWhole; ++i) {
      Hold(sample.RowPart(i), rows_[i]);
      Hold(sample.DistinctPart(i), distinct_[i]);
    }
  }
  MeasuredColumn(const MeasuredColumn&) = delete;
  MeasuredColumn& operator=(const MeasuredColumn&) = delete;

  void AddTasks(std::vector<MeasureTask>& tasks) {
    for (std::size_t i = 0; i < structures_.size(); ++i) {
      const std::array<Part, 3>& parts = OfDistinct(*structures_[i]) ? distinct_ : rows_;
      for (std::size_t j = first_; j <= kWhole; ++j) tasks.push_back({structures_[i], [&parts, j] { return parts[j].column; }, &measurements_[i][j]});
    }
  }

  ColumnHead Head(const std::string& name) const {
    ColumnHead head{{}, sample_.size(), sample_.distinct(), sample_.type()};
    name.copy(head.name, sizeof head.name - 1);
    return head;
  }

  std::vector<Result> Results() const {
    std::vector<Result> results;
    for (std::size_t i = 0; i < structures_.size(); ++i) {
      Result result{measurements_[i][kWhole], std::nullopt};
      if (sample_.sampled()) Extrapolate(i, result);
      results.push_back(result);
    }
    return results;
  }

 private:
  static constexpr std::size_t kWhole = 2;

  bool OfDistinct(const Structure& structure) const { return sample_.sampled() && WhatHolds(structure) == footprint::Holds::kDistinct; }

  void Hold(LiveValues values, Part& part) const {
    part.values = std::move(values);
    part.column = part.values.AsColumn(sample_.type(), 0);
    part.column.set_distinct(footprint::CountDistinct(part.column));
  }

  void Extrapolate(std::size_t i, Result& result) const {
    const auto& [sixteenth, quarter, whole] = measurements_[i];
    const bool distinct = OfDistinct(*structures_[i]);
    const std::uint64_t sampled = distinct ? sample_.sampled_distinct() : sample_.sampled_rows();
    const std::uint64_t total = distinct ? sample_.distinct() : sample_.size();
    result.predicted = footprint::Predict(structures_[i]->growth, {&sixteenth, &quarter, &whole}, sampled, total, result.measured);
    // A figure of the sample must not pass for one of the whole.
    if (!result.predicted) result.measured = !sixteenth.ok() ? sixteenth : !quarter.ok() ? quarter : whole;
  }

  const LiveSample& sample_;
  std::size_t first_;
  std::vector<const Structure*> structures_;
  std::vector<std::array<Measurement, 3>> measurements_;
  std::array<Part, 3> rows_, distinct_;
};

// What is quickly built comes first, then thimble's own; last come trees, which take longest of all in the order of a hash
// table, and never win.
int Turn(const Structure& structure) {
  const auto is = [&](std::string_view part) { return structure.name.find(part) != std::string::npos; };
  if (is("std::set") || is("std::map") || is("btree")) return 2;
  return structure.family == footprint::Family::kThimble ? 1 : 0;
}

void MeasureColumns(std::deque<MeasuredColumn>& columns, const footprint::MeasureLimits& limits) {
  std::vector<MeasureTask> tasks;
  for (MeasuredColumn& column : columns) column.AddTasks(tasks);
  std::stable_sort(tasks.begin(), tasks.end(), [](const MeasureTask& a, const MeasureTask& b) { return Turn(*a.structure) < Turn(*b.structure); });
  footprint::MeasureAll(tasks, limits, [](std::size_t) {});
}

ComparedStructure ToRow(const Structure& structure, const Result& result) {
  const Measurement& m = result.measured;
  ComparedStructure row;
  row.structure = structure.name;
  row.family = footprint::FamilyName(structure.family);
  row.exact = structure.exact;
  row.stored = m.stored;
  row.heap_bytes = m.heap_bytes;
  row.peak_bytes = m.peak_bytes;
  row.build_seconds = m.build_seconds;
  row.lookup_ns = m.lookup_ns;
  if (m.error) row.promised_error = m.error->promised, row.measured_error = m.error->measured;
  if (result.predicted) row.predicted = {result.predicted->low, result.predicted->high};
  row.failure = m.failure();
  return row;
}

absl::StatusOr<ComparedColumn> ReadColumn(footprint::Forked& child, const CompareOptions& options) {
  ColumnHead head;
  THIMBLE_RETURN_IF_ERROR(child.Read(&head, sizeof head));
  ComparedColumn column{head.name, head.elements, head.distinct, {}};
  for (const Structure* structure : Chosen(head.type, options)) {
    Result result;
    THIMBLE_RETURN_IF_ERROR(child.Read(&result, sizeof result));
    column.structures.push_back(ToRow(*structure, result));
  }
  return column;
}

}  // namespace

absl::StatusOr<Comparison> CompareLive(const LiveContainer& container, const CompareOptions& options) {
  // Structures register themselves, which a linker that takes only what is named leaves out.
  if (Structures().empty()) return absl::FailedPreconditionError("libthimble_footprint must be linked whole, as pkg-config says");
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(options.seconds));
  // One child lists the values once; those that it forks in turn inherit the list.
  footprint::Forked child([&](int out) {
    std::deque<LiveSample> samples;
    std::vector<LiveColumn*> columns;
    for (std::size_t i = 0; i < container.columns.size(); ++i) columns.push_back(&samples.emplace_back(container.size, options.sample));
    container.list(columns);
    const std::uint64_t container_bytes = container.footprint();
    if (!Write(out, &container_bytes, sizeof container_bytes)) return false;
    std::deque<MeasuredColumn> measured;
    for (const LiveSample& sample : samples) measured.emplace_back(sample, options);
    MeasureColumns(measured, {options.memory_limit, options.at_once, deadline});
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const ColumnHead head = measured[i].Head(container.columns[i]);
      const std::vector<Result> results = measured[i].Results();
      if (!Write(out, &head, sizeof head) || !Write(out, results.data(), results.size() * sizeof(Result))) return false;
    }
    return true;
  });
  Comparison comparison;
  THIMBLE_RETURN_IF_ERROR(child.Read(&comparison.container_bytes, sizeof comparison.container_bytes));
  for (std::size_t i = 0; i < container.columns.size(); ++i) {
    THIMBLE_ASSIGN_OR_RETURN(ComparedColumn column, ReadColumn(child, options));
    comparison.columns.push_back(std::move(column));
  }
  return comparison;
}

}  // namespace thimble::internal
