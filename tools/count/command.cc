#include <memory>

#include <CLI/CLI.hpp>

#include "command.h"
#include "count/count.h"

namespace thimble::tools {

void AddCount(CLI::App& app, int& exit_code) {
  CLI::App* count = app.add_subcommand("count", "Estimate how many distinct lines, or values of a column, a file has");
  auto options = std::make_shared<CountOptions>();
  count->footer(
      "Prints the estimate, a lower and an upper bound (95 %), and the file's name. Values are hashed as their bytes, quotes\n"
      "removed. Sketches that were made with the same options merge: see thimble merge.");
  count->add_option("file", options->path, "lines, CSV or TSV; plain, gzip or zstd; - for stdin")->capture_default_str();
  count->add_option("--column", options->column, "the column to count: its name, or its number from 1; implies --format auto");
  count->add_option("--format", options->format, "lines, csv, tsv or auto")->check(CLI::IsMember({"lines", "csv", "tsv", "auto"}))->capture_default_str();
  count->add_option("--header", options->header, "whether the first row names the columns: auto, yes or no")->check(CLI::IsMember({"auto", "yes", "no"}));
  count->add_option("--kind", options->kind, "hll (HyperLogLog), kmv (k minimum values, DataSketches' Theta), pcsa, or ell (ExaLogLog)")
      ->check(CLI::IsMember({"hll", "kmv", "pcsa", "ell"}))
      ->capture_default_str();
  count->add_option("--precision", options->precision, "2^precision registers or hashes; redis has 14")->check(CLI::Range(4u, 21u))->capture_default_str();
  count->add_option("--hash", options->hash, "whose sketch it shall be: thimble, datasketches, redis or postgres")
      ->check(CLI::IsMember({"thimble", "datasketches", "redis", "postgres"}))
      ->capture_default_str();
  count->add_option("--threads", options->threads, "threads, for the lines of a plain file")->check(CLI::Range(1u, 256u))->capture_default_str();
  count->add_option("--sketch", options->sketch, "keep the sketch in this file, as section \"distinct\"");
  count->add_flag("--json", options->json, "print JSON");
  count->callback([options, count, &exit_code] {
    if (!options->column.empty() && count->count("--format") == 0) options->format = "auto";
    exit_code = Count(*options);
  });
}

}  // namespace thimble::tools
