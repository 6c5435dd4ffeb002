#include "save.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "forked.h"
#include "interrupts.h"
#include "status_macros.h"
#include "thimble/store_writer.h"

namespace thimble::tools {
namespace {

using footprint::Candidate;
using footprint::Structure;

// Names of sections begin with the column's, or with as much of it as leaves room in 255 bytes; no two begin alike.
class SectionNames {
 public:
  std::string For(std::string_view column) {
    constexpr std::size_t kMaxBytes = 150;
    const std::string stem(column.substr(0, kMaxBytes));
    std::string name = stem;
    for (int i = 2; !taken_.insert(name).second; ++i) name = stem + " " + std::to_string(i);
    return name;
  }

 private:
  std::set<std::string> taken_;
};

struct Built {
  std::string section;
  std::unique_ptr<Candidate> candidate;
};

// One structure may be recommended for several jobs.
std::set<const Structure*> Recommended(const ColumnReport& column) {
  std::set<const Structure*> structures;
  for (const Recommendation& r : column.recommendation) structures.insert(r.row->structure);
  return structures;
}

absl::Status BuildAll(const std::string& name, const footprint::Column& column, const std::set<const Structure*>& structures, std::vector<Built>& out) {
  for (const Structure* structure : structures) {
    if (structure->family == footprint::Family::kNaive) continue;
    std::unique_ptr<Candidate> candidate = structure->make();
    THIMBLE_RETURN_IF_ERROR(candidate->Build(column));
    if (!candidate->image().empty()) out.push_back({name + "/" + structure->name, std::move(candidate)});
  }
  return absl::OkStatus();
}

absl::Status Write(const std::string& path, const std::vector<Built>& built) {
  const InterruptsBlocked blocked;
  THIMBLE_ASSIGN_OR_RETURN(StoreWriter writer, StoreWriter::Create(path));
  for (const Built& each : built) THIMBLE_RETURN_IF_ERROR(writer.Add(each.section, each.candidate->image()));
  return writer.Finish();
}

absl::Status Save(const TableData& table, const Report& report, const std::string& path) {
  std::vector<Built> built;
  SectionNames names;
  for (const ColumnReport& column : report.columns) {
    const auto data = std::find_if(table.columns.begin(), table.columns.end(), [&](const ColumnData& c) { return c.name == column.name; });
    THIMBLE_ASSIGN_OR_RETURN(const footprint::Column mapped, data->Map());
    THIMBLE_RETURN_IF_ERROR(BuildAll(names.For(column.name), mapped, Recommended(column), built));
  }
  if (!report.whole_rows.recommendation.empty()) {
    THIMBLE_ASSIGN_OR_RETURN(const footprint::Column rows, table.MapRows());
    THIMBLE_RETURN_IF_ERROR(BuildAll(names.For("rows"), rows, Recommended(report.whole_rows), built));
  }
  if (built.empty()) return absl::FailedPreconditionError(path + ": not written, as nothing is recommended that could be saved");
  return Written(Write(path, built));
}

struct Answer {
  absl::StatusCode code;
  char message[400];
};

}  // namespace

absl::Status SaveRecommended(const TableData& table, const Report& report, const std::string& path) {
  InterruptsBlocked blocked;  // or this process would end before the child, and take it along
  footprint::Forked child([&](int out) {
    blocked.Lift();
    const absl::Status saved = Save(table, report, path);
    Answer answer{saved.code(), {}};
    saved.message().copy(answer.message, sizeof answer.message - 1);
    return write(out, &answer, sizeof answer) == static_cast<ssize_t>(sizeof answer);
  });
  Answer answer{};
  THIMBLE_RETURN_IF_ERROR(child.Wait(&answer, sizeof answer));
  return absl::Status(answer.code, answer.message);
}

}  // namespace thimble::tools
