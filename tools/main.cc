#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

#include "command.h"
#include "prefixed.h"
#include "report/format.h"

namespace thimble::tools {

absl::Status In(const std::string& path, const absl::Status& status) {
  return Prefixed(path == "-" ? "stdin" : path, status);
}

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "thimble: %s\n", Clean(std::string(status.message())).c_str());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument: return kUsage;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnimplemented: return kCorrupt;
    case absl::StatusCode::kResourceExhausted: return kLimit;
    default: return kInputOutput;
  }
}

absl::Status Written(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ? absl::UnavailableError(status.message()) : status;
}

namespace {

int Main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // to write beyond `ulimit -f` is then an error like any other
  std::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, it would keep from us how our children end
  CLI::App app("Measures what your data costs in memory, and keeps it in less.", "thimble");
  app.set_version_flag("--version", std::string("thimble ") + THIMBLE_VERSION);
  app.require_subcommand(0, 1);  // what is none is then named in the complaint
  app.footer(
      "Exit status: 0 ok, 1 negative answer, 2 usage, 3 input or output, 4 corrupt, 5 limit exceeded,\n"
      "6 regression.");
  int exit_code = kOk;
  AddReport(app, exit_code);
  AddCount(app, exit_code);
  AddMerge(app, exit_code);
  AddConvert(app, exit_code);
  AddRun(app, exit_code);
  AddStat(app, exit_code);
  AddVerify(app, exit_code);
  AddDocument(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (app.get_subcommands().empty()) {
    std::fputs("thimble: a subcommand is missing; thimble --help lists them\n", stderr);
    return kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace thimble::tools

int main(int argc, char** argv) {
  try {
    const int exit_code = thimble::tools::Main(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
    return thimble::tools::Complain(absl::UnavailableError("cannot write to stdout"));
  } catch (const std::bad_alloc&) {
    std::fputs("thimble: out of memory\n", stderr);
    return thimble::tools::kLimit;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "thimble: %s\n", error.what());
    return thimble::tools::kInputOutput;
  }
}
