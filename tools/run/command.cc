#include "command.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "report/format.h"
#include "report/output.h"
#include "run/html.h"
#include "run/recorder.h"
#include "run/stretch.h"
#include "status_macros.h"

namespace thimble::tools {
namespace {

struct RunOptions {
  std::vector<std::string> command;
  double interval = 0.05;
  bool json = false;
  std::string output, html;
};

std::string Line(const std::string& name, double from, double to, const TreeMemory& peak) {
  return PadRight(Shorten(name, 40), 40) + PadLeft(Seconds(from), 8) + PadLeft(Seconds(to - from), 8) +
         PadLeft(HumanBytes(static_cast<double>(peak.pss_bytes)), 10) + PadLeft(HumanBytes(static_cast<double>(peak.rss_bytes)), 10) +
         PadLeft(std::to_string(peak.processes), 11) + "\n";
}

std::string ToTable(const Recording& recording) {
  std::string text = PadRight("from mark", 40) + PadLeft("at", 8) + PadLeft("lasts", 8) + PadLeft("peak PSS", 10) + PadLeft("peak RSS", 10) +
                     PadLeft("processes", 11) + "\n";
  TreeMemory peak;
  for (const Stretch& stretch : StretchesOf(recording)) {
    text += Line(stretch.name, stretch.from, stretch.to, stretch.peak);
    peak.pss_bytes = std::max(peak.pss_bytes, stretch.peak.pss_bytes);
    peak.rss_bytes = std::max(peak.rss_bytes, stretch.peak.rss_bytes);
    peak.processes = std::max(peak.processes, stretch.peak.processes);
  }
  return text + Line("in all", 0, recording.seconds, peak);
}

std::string ToJson(const Recording& recording) {
  using Json = nlohmann::ordered_json;
  Json json = {{"schema", 1}, {"command", recording.command}, {"exit_status", recording.exit_status}, {"seconds", recording.seconds}};
  std::uint64_t pss = 0, rss = 0;
  Json samples = Json::array(), marks = Json::array();
  for (const Sample& sample : recording.samples) {
    pss = std::max(pss, sample.memory.pss_bytes);
    rss = std::max(rss, sample.memory.rss_bytes);
    samples.push_back({{"seconds", sample.seconds},
                       {"pss_bytes", sample.memory.pss_bytes},
                       {"rss_bytes", sample.memory.rss_bytes},
                       {"processes", sample.memory.processes}});
  }
  for (const MarkedMoment& mark : recording.marks) marks.push_back({{"seconds", mark.seconds}, {"name", mark.name}});
  json["peak_pss_bytes"] = pss;
  json["peak_rss_bytes"] = rss;
  json["marks"] = std::move(marks);
  json["samples"] = std::move(samples);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status Print(const Recording& recording, const RunOptions& options) {
  if (!options.html.empty()) THIMBLE_RETURN_IF_ERROR(WriteOutput(options.html, ToHtml(recording)));
  const std::string text = options.json ? ToJson(recording) : ToTable(recording);
  if (!options.output.empty()) return WriteOutput(options.output, text);
  const bool written = std::fwrite(text.data(), 1, text.size(), stderr) == text.size() && std::fflush(stderr) == 0;
  return written ? absl::OkStatus() : absl::UnavailableError("cannot write the report");
}

int RunCommand(const RunOptions& options) {
  if (const absl::Status apart = CheckOutputsApart(options.output, options.html); !apart.ok()) return Complain(apart);
  const absl::StatusOr<Recording> recording = Record(options.command, options.interval);
  if (!recording.ok()) return Complain(recording.status());
  const absl::Status printed = Print(*recording, options);
  return printed.ok() ? recording->exit_status : Complain(printed);
}

}  // namespace

void AddRun(CLI::App& app, int& exit_code) {
  CLI::App* run = app.add_subcommand("run", "Run a command, and show the memory that it and its children take over time");
  auto options = std::make_shared<RunOptions>();
  run->add_option("--interval", options->interval, "seconds between two looks")->check(CLI::Range(0.001, 3600.0))
      ->check([](const std::string& text) { return CLI::detail::to_lower(text).find("nan") != std::string::npos ? "no number of seconds" : ""; })
      ->capture_default_str();
  run->add_flag("--json", options->json, "every sample and mark, as JSON");
  run->add_option("--output", options->output, "where the report goes; stderr by default");
  run->add_option("--html", options->html, "draw memory over time into this file too, one self-contained page");
  run->add_option("command", options->command, "after --: the command and its arguments")->required();
  run->footer(
      "Lines that the command writes to the named pipe $THIMBLE_MARKS (a program: thimble::Mark) name moments\n"
      "of the report. The exit status is the command's, or 128 + the signal that ended it.");
  run->callback([options, &exit_code] { exit_code = RunCommand(*options); });
}

}  // namespace thimble::tools
