#include "thimble/compare.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "forked.h"
#include "measure.h"
#include "status_macros.h"
#include "structure.h"

namespace thimble::internal {
namespace {

using footprint::Column;
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

struct ComparisonHead {
  std::uint64_t container_bytes, columns;
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

Column ColumnOf(const LiveColumn& live) {
  const auto make = [&](footprint::ColumnType type, std::uint64_t size) {
    Column column(type, size, 0);
    column.set_texts(std::span(live.texts));
    column.set_integers(live.integers.data());
    column.set_reals(live.reals.data());
    return column;
  };
  Column column = !live.reals.empty()      ? make(footprint::kReal, live.reals.size())
                  : !live.integers.empty() ? make(footprint::kInteger, live.integers.size())
                                           : make(footprint::kText, live.texts.size());
  column.set_distinct(footprint::CountDistinct(column));
  return column;
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

// One column, and the results that wait for its structures.
struct MeasuredColumn {
  ColumnHead head;
  Column column;
  std::vector<const Structure*> structures;
  std::vector<Measurement> results;
};

MeasuredColumn Prepare(const LiveColumn& live, const CompareOptions& options) {
  Column column = ColumnOf(live);
  ColumnHead head{{}, column.size(), column.distinct(), column.type()};
  live.name.copy(head.name, sizeof head.name - 1);
  std::vector<const Structure*> chosen = Chosen(column.type(), options);
  std::vector<Measurement> results(chosen.size());
  return {head, std::move(column), std::move(chosen), std::move(results)};
}

// What is quickly built comes first, then thimble's own; last come trees, which take longest of all in the order of a hash
// table, and never win.
int Turn(const Structure& structure) {
  const auto is = [&](std::string_view part) { return structure.name.find(part) != std::string::npos; };
  if (is("std::set") || is("std::map") || is("btree")) return 2;
  return structure.family == footprint::Family::kThimble ? 1 : 0;
}

void MeasureColumns(std::vector<MeasuredColumn>& columns, const footprint::MeasureLimits& limits) {
  std::vector<MeasureTask> tasks;
  for (MeasuredColumn& each : columns) {
    for (std::size_t i = 0; i < each.structures.size(); ++i) tasks.push_back({each.structures[i], [&each] { return each.column; }, &each.results[i]});
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const MeasureTask& a, const MeasureTask& b) { return Turn(*a.structure) < Turn(*b.structure); });
  footprint::MeasureAll(tasks, limits, [](std::size_t) {});
}

ComparedStructure ToRow(const Structure& structure, const Measurement& m) {
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
  row.failure = m.failure();
  return row;
}

absl::StatusOr<ComparedColumn> ReadColumn(footprint::Forked& child, const CompareOptions& options) {
  ColumnHead head;
  THIMBLE_RETURN_IF_ERROR(child.Read(&head, sizeof head));
  ComparedColumn column{head.name, head.elements, head.distinct, {}};
  for (const Structure* structure : Chosen(head.type, options)) {
    Measurement measured;
    THIMBLE_RETURN_IF_ERROR(child.Read(&measured, sizeof measured));
    column.structures.push_back(ToRow(*structure, measured));
  }
  return column;
}

}  // namespace

absl::StatusOr<Comparison> CompareLive(const std::function<std::vector<LiveColumn>()>& columns, const std::function<std::uint64_t()>& footprint,
                                       const CompareOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(options.seconds));
  // One child lists the values once; those that it forks in turn inherit the list.
  footprint::Forked child([&](int out) {
    const std::vector<LiveColumn> live = columns();
    const ComparisonHead head{footprint(), live.size()};
    if (!Write(out, &head, sizeof head)) return false;
    std::vector<MeasuredColumn> measured;
    for (const LiveColumn& column : live) measured.push_back(Prepare(column, options));
    MeasureColumns(measured, {options.memory_limit, options.at_once, deadline});
    return std::all_of(measured.begin(), measured.end(), [&](const MeasuredColumn& column) {
      return Write(out, &column.head, sizeof column.head) && Write(out, column.results.data(), column.results.size() * sizeof(Measurement));
    });
  });
  ComparisonHead head;
  THIMBLE_RETURN_IF_ERROR(child.Read(&head, sizeof head));
  Comparison comparison{head.container_bytes, {}};
  for (std::uint64_t i = 0; i < head.columns; ++i) {
    THIMBLE_ASSIGN_OR_RETURN(ComparedColumn column, ReadColumn(child, options));
    comparison.columns.push_back(std::move(column));
  }
  return comparison;
}

}  // namespace thimble::internal
