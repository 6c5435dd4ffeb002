#include <poll.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "forked.h"
#include "report.h"
#include "status_macros.h"

namespace thimble::tools {
namespace {

using footprint::ForkedMeasurement;
using footprint::Structure;
using footprint::Structures;

struct Task {
  StructureRow* row;
  footprint::ColumnSource source;
  std::string column;
};

// Runs the tasks, a few children at once.
class Runner {
 public:
  Runner(std::deque<Task> tasks, const MeasureOptions& options, Progress& progress)
      : tasks_(std::move(tasks)), total_(tasks_.size()), options_(options), progress_(progress) {}

  void Run() {
    while (!tasks_.empty() || !running_.empty()) {
      while (running_.size() < std::max(1u, options_.jobs) && !tasks_.empty()) Start();
      Collect();
    }
  }

 private:
  struct Running {
    ForkedMeasurement child;
    StructureRow* row;
  };

  void Start() {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    progress_.Show(std::to_string(total_ - tasks_.size()) + " of " + std::to_string(total_) + ": " + task.column + ": " + task.row->structure->name);
    running_.push_back({ForkedMeasurement(*task.row->structure, task.source, options_.memory_limit), task.row});
  }

  // Waits for at least one child.
  void Collect() {
    std::vector<pollfd> fds;
    for (const Running& running : running_) fds.push_back({running.child.fd(), POLLIN, 0});
    if (poll(fds.data(), fds.size(), -1) < 0) return;
    for (std::size_t i = fds.size(); i-- > 0;) {
      if (fds[i].fd >= 0 && fds[i].revents == 0) continue;
      running_[i].row->measured = running_[i].child.Wait();
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  std::deque<Task> tasks_;
  std::size_t total_;
  const MeasureOptions& options_;
  Progress& progress_;
  std::vector<Running> running_;
};

bool IsChosen(const std::vector<std::string>& chosen, const std::string& name) {
  return chosen.empty() || std::any_of(chosen.begin(), chosen.end(), [&](const std::string& part) { return name.find(part) != std::string::npos; });
}

std::vector<StructureRow> RowsFor(unsigned type, const MeasureOptions& options) {
  std::vector<StructureRow> rows;
  for (const Structure& structure : Structures()) {
    if ((structure.fits & type) && IsChosen(options.structures, structure.name)) rows.push_back({&structure, {}});
  }
  return rows;
}

void AddTasks(ColumnReport& report, const footprint::ColumnSource& source, std::deque<Task>& tasks) {
  for (StructureRow& row : report.structures) tasks.push_back({&row, source, report.name.empty() ? "rows" : report.name});
}

// Families in their order; within one the largest first, what failed at the end.
void Sort(ColumnReport& report) {
  const auto key = [](const StructureRow& row) {
    return std::tuple(row.structure->family, !row.measured.failure.empty(), -row.measured.heap_bytes);
  };
  std::stable_sort(report.structures.begin(), report.structures.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

absl::Status CheckNames(const TableData& table, const MeasureOptions& options) {
  for (const std::string& name : options.columns) {
    const auto is_name = [&](const ColumnData& column) { return column.name == name; };
    if (std::none_of(table.columns.begin(), table.columns.end(), is_name)) return absl::InvalidArgumentError("there is no column " + name);
  }
  for (const std::string& part : options.structures) {
    const auto has_part = [&](const Structure& structure) { return IsChosen({part}, structure.name); };
    if (std::none_of(Structures().begin(), Structures().end(), has_part)) return absl::InvalidArgumentError("there is no structure " + part);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Report> MeasureTable(const TableData& table, const MeasureOptions& options, Progress& progress) {
  THIMBLE_RETURN_IF_ERROR(CheckNames(table, options));
  Report report{table.path, table.format, table.compression, table.has_header, table.bytes, table.rows, table.ragged_rows, table.ragged_lines, {}, {}};
  std::deque<Task> tasks;
  report.columns.reserve(table.columns.size());  // tasks point into it
  for (const ColumnData& column : table.columns) {
    if (!options.columns.empty() && std::find(options.columns.begin(), options.columns.end(), column.name) == options.columns.end()) continue;
    ColumnReport& out = report.columns.emplace_back();
    out.name = column.name;
    out.type = column.inference.name();
    out.elements = column.elements();
    out.distinct = column.distinct;
    out.payload_bytes = column.payload_bytes();
    out.structures = RowsFor(column.inference.type(), options);
    AddTasks(out, [&column] { return column.Map(); }, tasks);
  }
  if (options.columns.empty() && table.columns.size() > 1) {
    report.whole_rows.elements = table.rows;
    report.whole_rows.structures = RowsFor(footprint::kRow, options);
    AddTasks(report.whole_rows, [&table] { return table.MapRows(); }, tasks);
  }
  Runner(std::move(tasks), options, progress).Run();
  for (ColumnReport& column : report.columns) {
    Sort(column);
    column.recommendation = Recommend(column);
  }
  Sort(report.whole_rows);
  report.whole_rows.recommendation = Recommend(report.whole_rows);
  return report;
}

std::string_view FamilyName(footprint::Family family) {
  switch (family) {
    case footprint::Family::kNaive: return "naive";
    case footprint::Family::kThimble: return "thimble";
    case footprint::Family::kSketch: return "sketch";
  }
  return "";
}

}  // namespace thimble::tools
