#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.h"

namespace thimble::tools {
namespace {

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

// One switch, or one positional argument, of a command.
struct Argument {
  std::vector<std::string> names;  // "-h", "--help"; none for a positional
  std::string positional;
  std::string description;
  std::string value;                 // what it takes; empty for a flag
  std::vector<std::string> choices;  // of the value, where there are few
};

Argument ToArgument(const CLI::Option& option) {
  Argument argument;
  for (const std::string& name : option.get_snames()) argument.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) argument.names.push_back("--" + name);
  argument.description = option.get_description();
  if (option.get_positional()) argument.positional = option.get_name(true);
  if (option.get_items_expected_max() == 0) return argument;
  // "TEXT:{auto,yes,no}"
  const std::string type = option.get_type_name();
  argument.value = type.substr(0, type.find(':'));
  const std::size_t begin = type.find('{'), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return argument;
  for (const std::string& choice : CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',')) argument.choices.push_back(choice);
  return argument;
}

struct Command {
  std::string name, description, footer;
  std::vector<Argument> arguments;
};

std::vector<Command> CommandsOf(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); })) {
    Command command{sub->get_name(), sub->get_description(), sub->get_footer(), {}};
    for (const CLI::Option* option : sub->get_options()) command.arguments.push_back(ToArgument(*option));
    commands.push_back(std::move(command));
  }
  return commands;
}

std::string Joined(const std::vector<std::string>& words, const std::string& between = " ") {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : between) + word;
  return line;
}

std::vector<std::string> SwitchesOf(const Command& command) {
  std::vector<std::string> switches;
  for (const Argument& argument : command.arguments) switches.insert(switches.end(), argument.names.begin(), argument.names.end());
  return switches;
}

// Text that troff prints as it stands.
std::string Roff(std::string text) {
  text = Replaced(Replaced(std::move(text), "\\", "\\e"), "-", "\\-");
  text = Replaced("\n" + text, "\n.", "\n\\&.");
  return Replaced(std::move(text), "\n'", "\n\\&'").substr(1);
}

std::string ManArgument(const Argument& argument) {
  const std::string name = argument.names.empty() ? "\\fI" + Roff(argument.positional) + "\\fR" : "\\fB" + Roff(Joined(argument.names, ", ")) + "\\fR";
  const std::string value = argument.names.empty() || argument.value.empty() ? "" : " \\fI" + Roff(argument.value) + "\\fR";
  const std::string choices = argument.choices.empty() ? "" : " One of " + Joined(argument.choices, ", ") + ".";
  return ".TP\n" + name + value + "\n" + Roff(argument.description + "." + choices) + "\n";
}

std::string Man(const CLI::App& app, const std::vector<Command>& commands) {
  std::string text = ".TH THIMBLE 1 \"\" \"thimble " THIMBLE_VERSION "\" \"User Commands\"\n.SH NAME\nthimble \\- measures what data costs in memory\n";
  text += ".SH SYNOPSIS\n.B thimble\n.I command\n[\\fIoption\\fR ...]\n.SH DESCRIPTION\n" + Roff(app.get_description()) + "\n.SH COMMANDS\n";
  for (const Command& command : commands) {
    text += ".SS thimble " + Roff(command.name) + "\n" + Roff(command.description) + ".\n";
    for (const Argument& argument : command.arguments) text += ManArgument(argument);
    if (!command.footer.empty()) text += ".PP\n" + Roff(command.footer) + "\n";
  }
  constexpr std::string_view kLead = "Exit status: ";
  std::string footer = app.get_footer();
  if (footer.starts_with(kLead)) footer.erase(0, kLead.size());
  text += ".SH EXIT STATUS\n" + Roff(footer) + "\n";
  return text +
         ".SH ENVIRONMENT\n.TP\n.B TMPDIR\nWhere temporary files lie, which have no name and end with the command; /tmp otherwise.\n"
         ".TP\n.B NO_COLOR\nIf set to anything, no colour is used. Without it a terminal has colour.\n"
         ".TP\n.B THIMBLE_CPU\n\\(lqbaseline\\(rq makes every computation do without vector instructions.\n";
}

std::string Bash(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  std::string text =
      "_thimble() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words='" + Joined(names) + " --help --version'\n  else\n    case ${COMP_WORDS[1]}:$prev in\n";
  for (const Command& command : commands) {
    for (const Argument& argument : command.arguments) {
      for (const std::string& name : argument.names) {
        if (!argument.choices.empty()) text += "      " + command.name + ":" + name + ") words='" + Joined(argument.choices) + "' ;;\n";
      }
    }
  }
  text += "      *)\n        [ \"${cur:0:1}\" = - ] && case ${COMP_WORDS[1]} in\n";
  for (const Command& command : commands) text += "          " + command.name + ") words='" + Joined(SwitchesOf(command)) + "' ;;\n";
  // What is no switch and no choice is a file.
  return text +
         "        esac\n        ;;\n    esac\n  fi\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
         "complete -o bashdefault -o default -F _thimble thimble\n";
}

std::string Quoted(const std::string& text) { return "'" + Replaced(text, "'", "'\\''") + "'"; }

std::string Zsh(const std::vector<Command>& commands) {
  std::string text = "#compdef thimble\n_thimble() {\n  local -a commands=(\n";
  for (const Command& command : commands) text += "    " + Quoted(command.name + ":" + Replaced(command.description, ":", "\\:")) + "\n";
  text +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n"
      "  case $command in\n";
  for (const Command& command : commands) {
    text += "    " + command.name + ")\n      _arguments";
    for (const Argument& argument : command.arguments) {
      const std::string about = Replaced(Replaced(argument.description, "[", "\\["), "]", "\\]");
      const std::string value = argument.value.empty()     ? ""
                                : argument.choices.empty() ? ":value:_files"
                                                           : ":value:(" + Joined(argument.choices) + ")";
      for (const std::string& name : argument.names) text += " \\\n        " + Quoted("*" + name + "[" + about + "]" + value);
    }
    text += " \\\n        '*:file:_files' ;;\n";
  }
  return text + "  esac\n}\n_thimble \"$@\"\n";
}

std::string Fish(const std::vector<Command>& commands) {
  const auto quoted = [](const std::string& text) { return "'" + Replaced(Replaced(text, "\\", "\\\\"), "'", "\\'") + "'"; };
  std::string text = "complete -c thimble -n __fish_use_subcommand -l version -d 'Print the version'\n";
  for (const Command& command : commands) {
    text += "complete -c thimble -n __fish_use_subcommand -f -a " + command.name + " -d " + quoted(command.description) + "\n";
    for (const Argument& argument : command.arguments) {
      if (argument.names.empty()) continue;
      text += "complete -c thimble -n '__fish_seen_subcommand_from " + command.name + "'";
      for (const std::string& name : argument.names) text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!argument.value.empty()) text += argument.choices.empty() ? " -r" : " -x -a " + quoted(Joined(argument.choices));
      text += " -d " + quoted(argument.description) + "\n";
    }
  }
  return text;
}

}  // namespace

void AddDocument(CLI::App& app) {
  CLI::App* document = app.add_subcommand("document", "Print the manual, or what a shell completes words by")->group("");
  auto form = std::make_shared<std::string>();
  document->add_option("form", *form, "man, bash, zsh or fish")->required()->check(CLI::IsMember({"man", "bash", "zsh", "fish"}));
  document->callback([form, &app] {
    const std::vector<Command> commands = CommandsOf(app);
    const std::string text = *form == "man" ? Man(app, commands) : *form == "bash" ? Bash(commands) : *form == "zsh" ? Zsh(commands) : Fish(commands);
    std::fwrite(text.data(), 1, text.size(), stdout);
  });
}

}  // namespace thimble::tools
