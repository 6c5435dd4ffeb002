#pragma once

#include <string>

#include <absl/status/status.h>

#include "exit_code.h"

namespace CLI {
class App;
}

namespace thimble::tools {

// Each adds its subcommand, one file each. What a subcommand returns it leaves in `exit_code`.
void AddConvert(CLI::App& app, int& exit_code);
void AddCount(CLI::App& app, int& exit_code);
void AddDocument(CLI::App& app);
void AddMerge(CLI::App& app, int& exit_code);
void AddReport(CLI::App& app, int& exit_code);
void AddRun(CLI::App& app, int& exit_code);
void AddStat(CLI::App& app, int& exit_code);
void AddVerify(CLI::App& app, int& exit_code);

// The same error, its message led by the name of the file that it is about; "-" is stdin.
absl::Status In(const std::string& path, const absl::Status& status);

// Prints "thimble: message" to stderr, and returns the exit status for that kind of error.
int Complain(const absl::Status& status);

// How writing the output went. A full disk is an error of output, not a limit that was exceeded.
absl::Status Written(const absl::Status& status);

}  // namespace thimble::tools
