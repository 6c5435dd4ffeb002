#include "subsample.h"

#include <algorithm>
#include <bit>
#include <random>
#include <unordered_set>

#include "status_macros.h"
#include "thimble/hash.h"

namespace thimble::tools {
namespace {

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

// The same for runs of neighbours, of which the last may be shorter.
class RunSelector {
 public:
  // Requires: n == of, or there are enough whole runs.
  RunSelector(std::uint64_t n, std::uint64_t of, std::uint64_t run)
      : run_(run), left_(n), all_(n == of), runs_((n + run - 1) / run, of / run, n) {}
  bool Next() {
    if (all_) return true;
    if (row_++ % run_ == 0) chosen_ = left_ > 0 && runs_.Next();
    if (!chosen_ || left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::uint64_t run_, left_;
  bool all_;
  Selector runs_;
  std::uint64_t row_ = 0;
  bool chosen_ = false;
};

TableData Like(const TableData& table) {
  TableData sample;
  sample.path = table.path;
  sample.format = table.format;
  sample.compression = table.compression;
  sample.has_header = table.has_header;
  sample.bytes = table.bytes;
  sample.ragged_rows = table.ragged_rows;
  sample.ragged_lines = table.ragged_lines;
  sample.invalid_rows = table.invalid_rows;
  sample.invalid_lines = table.invalid_lines;
  return sample;
}

// The values that `chosen` says, as a column of the sample.
template <class Chosen>
absl::Status AddColumn(const ColumnData& column, std::size_t columns, bool all_distinct, Chosen chosen, TableData& sample) {
  THIMBLE_ASSIGN_OR_RETURN(TextSpool texts, TextSpool::Make(SpoolBuffer(columns)));
  std::uint64_t missing = 0;
  THIMBLE_RETURN_IF_ERROR(column.texts.ForEach([&](std::string_view value) {
    if (!chosen(value)) return absl::OkStatus();
    missing += value.empty();
    return texts.Append(value);
  }));
  THIMBLE_RETURN_IF_ERROR(texts.Flush());
  const std::uint64_t distinct = all_distinct ? texts.size() : 0;
  sample.columns.push_back({column.name, column.inference, std::move(texts), {}, {}, distinct, 0, missing});
  return PrepareColumn(sample.columns.back(), columns);
}

std::uint64_t HashOf(std::string_view value, footprint::ColumnType type) {
  return type == footprint::kReal ? Hash64(std::bit_cast<std::uint64_t>(ParseReal(value))) : Hash64(value);
}

}  // namespace

absl::StatusOr<TableData> SampleRows(const TableData& table, std::uint64_t rows, std::uint64_t run) {
  TableData sample = Like(table);
  sample.rows = rows;
  for (const ColumnData& column : table.columns) {
    RunSelector selector(rows, table.rows, run);
    THIMBLE_RETURN_IF_ERROR(AddColumn(column, table.columns.size(), false, [&](std::string_view) { return selector.Next(); }, sample));
  }
  return sample;
}

absl::StatusOr<TableData> SampleDistinct(const TableData& table, const std::vector<unsigned>& levels) {
  TableData sample = Like(table);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnData& column = table.columns[i];
    const footprint::ColumnType type = column.inference.type();
    const std::uint64_t mask = (std::uint64_t{1} << levels[i]) - 1;
    std::unordered_set<std::uint64_t> seen;
    const auto is_new = [&](std::string_view value) {
      if (value.empty() && type != footprint::kText) return false;
      const std::uint64_t hash = HashOf(value, type);
      return (hash & mask) == 0 && seen.insert(hash).second;
    };
    THIMBLE_RETURN_IF_ERROR(AddColumn(column, table.columns.size(), true, is_new, sample));
  }
  return sample;
}

}  // namespace thimble::tools
