#pragma once

// The command line of a program here. CLI11, which reads it, keeps the optimizer busy for ten seconds in each file that includes
// it: it is compiled once, without.
//
//   double items = 1e7;
//   if (const auto code = ReadArguments(argc, argv, "Measures it.", {{"--items", "how many", &items}})) return *code;

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>

namespace thimble::bench {

struct Argument {
  std::string name;  // of an option, "--items", or of what stands by itself, "file"
  std::string help;
  std::variant<bool*, double*, std::string*, std::filesystem::path*> value;  // a flag, a number above 0, a word, a file that exists
};

// Reads them. Answers with the exit code where nothing is left to do, after help or an error.
std::optional<int> ReadArguments(int argc, char** argv, const std::string& description, std::initializer_list<Argument> arguments);

}  // namespace thimble::bench
