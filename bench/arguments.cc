#include "arguments.h"

#include <CLI/CLI.hpp>

namespace thimble::bench {
namespace {

void Add(CLI::App& app, const Argument& argument, bool* value) { app.add_flag(argument.name, *value, argument.help); }

void Add(CLI::App& app, const Argument& argument, double* value) {
  app.add_option(argument.name, *value, argument.help)->check(CLI::PositiveNumber)->capture_default_str();
}

void Add(CLI::App& app, const Argument& argument, std::string* value) { app.add_option(argument.name, *value, argument.help); }

void Add(CLI::App& app, const Argument& argument, std::filesystem::path* value) {
  app.add_option(argument.name, *value, argument.help)->check(CLI::ExistingFile);
}

}  // namespace

std::optional<int> ReadArguments(int argc, char** argv, const std::string& description, std::initializer_list<Argument> arguments) {
  CLI::App app(description, std::filesystem::path(argv[0]).filename());
  for (const Argument& argument : arguments) {
    std::visit([&](auto* value) { Add(app, argument, value); }, argument.value);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return std::nullopt;
}

}  // namespace thimble::bench
