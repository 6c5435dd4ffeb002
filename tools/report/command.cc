#include "../command.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "compare.h"
#include "output.h"
#include "read_table.h"
#include "report.h"
#include "sample.h"
#include "save.h"
#include "status_macros.h"

namespace thimble::tools {
namespace {

struct ReportOptions {
  ReadOptions read;
  MeasureOptions measure;
  std::string header = "auto";
  bool json = false, csv = false, markdown = false;
  std::string save, html;
  std::uint64_t sample = 0;
  std::string compare;  // an earlier report's JSON
  std::optional<double> fail_over;
};

// Half of the machine's memory, shared by the structures that are measured at once.
std::uint64_t DefaultMemoryLimit(unsigned jobs) {
  struct sysinfo info;
  sysinfo(&info);
  return std::uint64_t{info.totalram} * info.mem_unit / 2 / jobs;
}

// All rows, if their containers stay within the limit: the largest takes about 10 times the bytes of the text, or 300 a row.
// Else as many as stay within half a GiB: a million predict as well as more would, and a stream without end takes no more.
std::uint64_t SampleThatFits(const TableData& table, std::uint64_t memory_limit) {
  const std::uint64_t estimate = 10 * table.bytes + 300 * table.rows;
  if (table.rows == 0 || estimate <= memory_limit) return table.rows;
  constexpr std::uint64_t kSampleBytes = std::uint64_t{512} << 20;
  return std::max<std::uint64_t>(1000, std::min(memory_limit, kSampleBytes) / (estimate / table.rows + 1));
}

// https://no-color.org
bool UseColour() {
  const auto is = [](const char* variable, std::string_view value) {
    const char* set = std::getenv(variable);
    return set != nullptr && set == value;
  };
  const bool refused = std::getenv("NO_COLOR") != nullptr && !is("NO_COLOR", "");
  return isatty(STDOUT_FILENO) == 1 && !refused && !is("TERM", "dumb");
}

std::string Print(const Report& report, const ReportOptions& options) {
  if (options.json) return ToJson(report);
  if (options.csv) return ToCsv(report);
  return options.markdown ? ToMarkdown(report) : ToTable(report, UseColour());
}

absl::Status CheckPaths(const ReportOptions& options) {
  for (const std::string& output : {options.save, options.html}) {
    THIMBLE_RETURN_IF_ERROR(CheckApart(options.read.path, output));
    THIMBLE_RETURN_IF_ERROR(CheckApart(options.compare, output));
  }
  THIMBLE_RETURN_IF_ERROR(CheckStoreName(options.save));
  return CheckOutputsApart(options.save, options.html);
}

int RunReport(const ReportOptions& options) {
  if (const absl::Status apart = CheckPaths(options); !apart.ok()) return Complain(apart);
  std::optional<Costs> before;  // read first, for what is measured takes a while
  if (!options.compare.empty()) {
    absl::StatusOr<Costs> read = ReadCosts(options.compare);
    if (!read.ok()) return Complain(read.status());
    before = *std::move(read);
  }
  Report report;
  // What is measured is printed, whatever else cannot be written.
  int exit_code = kOk;
  const auto check = [&exit_code](const absl::Status& status) {
    if (!status.ok()) exit_code = Complain(status);
  };
  {
    Progress progress;
    ReadOptions read = options.read;
    read.header = options.header == "auto" ? Choice::kAuto : options.header == "yes" ? Choice::kYes : Choice::kNo;
    absl::StatusOr<TableData> table = ReadTable(read, progress);
    if (!table.ok()) return Complain(table.status());
    MeasureOptions measure = options.measure;
    if (measure.memory_limit == 0) measure.memory_limit = DefaultMemoryLimit(measure.jobs);
    const std::uint64_t all_that_fit = options.save.empty() ? SampleThatFits(*table, measure.memory_limit) : table->rows;
    const std::uint64_t sample = options.sample != 0 ? options.sample : all_that_fit;
    const bool sampled = sample < table->rows;
    if (sampled && !options.save.empty()) return Complain(absl::InvalidArgumentError("a sample cannot be saved"));
    for (ColumnData& column : table->columns) {
      if (sampled || !IsMeasured(column, measure)) continue;
      progress.Show("counting " + column.name);
      if (const absl::Status prepared = PrepareColumn(column, table->columns.size()); !prepared.ok()) return Complain(prepared);
    }
    absl::StatusOr<Report> measured = sampled ? PredictTable(*table, sample, measure, progress) : MeasureTable(*table, measure, progress);
    if (!measured.ok()) return Complain(measured.status());
    report = *std::move(measured);
    if (!options.save.empty()) {
      progress.Show("saving " + options.save);
      check(SaveRecommended(*table, report, options.save));
    }
  }
  const Changes changes = before ? CompareWith(report, *before) : Changes();
  if (!options.html.empty()) check(WriteOutput(options.html, ToHtml(report)));
  std::string text = Print(report, options);
  if (before && !options.json && !options.csv) {
    text += "\nsince " + options.compare + ":\n" + (changes.text.empty() ? "  nothing changed\n" : changes.text);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (exit_code != kOk) return exit_code;
  return options.fail_over && changes.worst_percent > *options.fail_over ? kRegression : kOk;
}

}  // namespace

void AddReport(CLI::App& app, int& exit_code) {
  CLI::App* report = app.add_subcommand("report", "Build every structure over a file's columns, and show what each costs");
  auto options = std::make_shared<ReportOptions>();
  options->measure.jobs = std::clamp(std::thread::hardware_concurrency(), 1u, 2u);
  report->add_option("file", options->read.path, "lines, CSV, TSV or JSON Lines; plain, gzip or zstd; - for stdin")->required();
  CLI::Option* json = report->add_flag("--json", options->json, "print JSON (schema 1, docs/report.md)");
  CLI::Option* csv = report->add_flag("--csv", options->csv, "print CSV")->excludes(json);
  report->add_flag("--markdown", options->markdown, "print Markdown")->excludes(json)->excludes(csv);
  report->add_option("--column", options->measure.columns, "only this column; may be repeated")->allow_extra_args(false);
  report->add_option("--structures", options->measure.structures, "only structures with this in their name; commas separate several")
      ->delimiter(',')
      ->allow_extra_args(false);
  report->add_option("--memory-limit", options->measure.memory_limit, "heap for each structure, such as 500MB or 4GiB; half of the machine's by default")
      ->check([](const std::string& text) { return text.starts_with('-') ? "a limit is not negative" : ""; })
      ->transform(CLI::AsSizeValue(false));
  report->add_option("--jobs", options->measure.jobs, "structures measured at once; 1 for the steadiest times")
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str();
  report->add_option("--html", options->html, "draw the report into this file too, one self-contained page");
  report->add_option("--save", options->save, "keep the recommended structures in this store file");
  report->add_option("--sample", options->sample, "build this many rows at most and predict the rest; by default where all would exceed the memory limit")
      ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{1} << 40));
  CLI::Option* compare = report->add_option("--compare", options->compare, "show what changed since this report, which --json wrote");
  report->add_option("--fail-over", options->fail_over, "exit with 6 if a structure's heap grew by more than so many percent")
      ->needs(compare)
      ->check(CLI::NonNegativeNumber)
      ->check([](const std::string& text) { return CLI::detail::to_lower(text).find("nan") != std::string::npos ? "no number" : ""; });
  report->add_option("--format", options->read.format, "how the file is read")->check(CLI::IsMember({"auto", "lines", "csv", "tsv", "jsonl"}));
  report->add_option("--header", options->header, "whether the first row names the columns: auto, yes or no")->check(CLI::IsMember({"auto", "yes", "no"}));
  report->callback([options, &exit_code] { exit_code = RunReport(*options); });
}

}  // namespace thimble::tools
