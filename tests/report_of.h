#pragma once

// What `thimble report --json` says of a file, for tests.

#include <string>

#include <nlohmann/json.hpp>

#include "testing.h"
#include "tool.h"

namespace thimble::testing {

using Json = nlohmann::json;

// One quick structure of every type.
inline Json ReportOf(const ToolFolder& folder, const std::string& arguments) {
  const Outcome outcome = folder.Thimble("report --json --structures shrunk " + arguments);
  BOOST_REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
  BOOST_TEST(outcome.err == "");  // no progress unless stderr is a terminal
  return Json::parse(outcome.out);
}

inline Json ReportOfBytes(const std::string& name, const std::string& bytes, const std::string& arguments = "") {
  const ToolFolder folder;
  return ReportOf(folder, arguments + " " + folder.Write(name, bytes));
}

}  // namespace thimble::testing
