// thimble run from outside, and Mark from inside.
#include "testing.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include <nlohmann/json.hpp>

#include "test_image.h"
#include "thimble/mark.h"
#include "tool.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(run)

using Json = nlohmann::json;

int Thimble(const std::string& arguments) {
  const int status = std::system(("'" THIMBLE_TOOL "' run " + arguments).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Json RecordingOf(const std::string& command) {
  const testing::TemporaryFolder folder;
  Thimble("--interval 0.01 --json --output " + folder.File("run.json") + " -- " + command);
  std::ifstream in(folder.File("run.json"));
  return Json::parse(in);
}

// This program again takes memory in steps, of which it marks both ends of the flat, when the environment says so.
constexpr std::uint64_t kStep = std::uint64_t{128} << 20;  // beside which a huge page more or less is little
constexpr int kSteps = 4;

struct Steps {
  Steps() {
    if (std::getenv("THIMBLE_TEST_STEPS") == nullptr) return;
    std::vector<Buffer> held;
    for (int i = 0; i < kSteps; ++i) {
      held.push_back(Buffer::Heap(kStep));
      std::memset(held.back().data(), 1, kStep);
      Mark("flat");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      Mark("rising");
    }
    _exit(0);
  }
};
const Steps steps;

BOOST_AUTO_TEST_CASE(TheExitStatusIsTheCommands) {
  BOOST_TEST(Thimble("-- true 2>/dev/null") == 0);
  BOOST_TEST(Thimble("-- sh -c 'exit 7' 2>/dev/null") == 7);
  BOOST_TEST(Thimble("-- sh -c 'kill -9 $$' 2>/dev/null") == 137);
  BOOST_TEST(Thimble("-- /nonexistent/command 2>/dev/null") == 127);
  BOOST_TEST(Thimble("2>/dev/null") == 2);
  const testing::ToolFolder folder;
  const testing::Outcome outcome = folder.Thimble("--version; TMPDIR=/dev/null '" THIMBLE_TOOL "' run -- true");
  BOOST_TEST(outcome.exit_code == 3);
  BOOST_TEST(outcome.err.find("Not a directory") != std::string::npos, outcome.err);
}

BOOST_AUTO_TEST_CASE(MarksAndChildrenAreSeen) {
  const Json recording = RecordingOf("sh -c 'echo \"one mark\" > \"$THIMBLE_MARKS\"; sleep 0.3; true'");
  BOOST_TEST(recording["schema"] == 1);
  BOOST_TEST(recording["exit_status"] == 0);
  BOOST_REQUIRE(recording["marks"].size() == 1u);
  BOOST_TEST(recording["marks"][0]["name"] == "one mark");
  std::uint64_t processes = 0;
  for (const Json& sample : recording["samples"]) processes = std::max(processes, sample["processes"].get<std::uint64_t>());
  BOOST_TEST(processes == 2u);  // the shell, and sleep
}

#if !THIMBLE_SANITIZED
BOOST_AUTO_TEST_CASE(StepsAreDrawn) {
  const Json recording = RecordingOf("env THIMBLE_TEST_STEPS=1 /proc/" + std::to_string(getpid()) + "/exe");
  BOOST_REQUIRE(recording["marks"].size() == 2 * kSteps);
  // A sample may begin on a flat and end beyond it; the median does not.
  std::vector<std::vector<double>> samples(kSteps);
  for (const Json& sample : recording["samples"]) {
    for (std::size_t i = 0; i < kSteps; ++i) {
      const bool flat = sample["seconds"] >= recording["marks"][2 * i]["seconds"] && sample["seconds"] < recording["marks"][2 * i + 1]["seconds"];
      if (flat) samples[i].push_back(sample["pss_bytes"].get<double>());
    }
  }
  const auto median = [&](std::size_t i) {
    BOOST_REQUIRE(!samples[i].empty());
    std::sort(samples[i].begin(), samples[i].end());
    return samples[i][samples[i].size() / 2];
  };
  for (std::size_t i = 1; i < kSteps; ++i) {
    BOOST_TEST(median(i) - median(i - 1) == static_cast<double>(kStep), boost::test_tools::tolerance(0.05));
  }
}
#endif

// Who starts us may have them ignored.
BOOST_AUTO_TEST_CASE(ChildrenReportHowTheyEnd) {
  const testing::ToolFolder folder;
  std::signal(SIGCHLD, SIG_IGN);
  const std::string command = "(" + std::string(THIMBLE_TOOL) + " run --output " + folder.File("run.json") + " -- sh -c 'exit 7'; echo $? >" + folder.File("status") + ")";
  (void)std::system(command.c_str());
  std::signal(SIGCHLD, SIG_DFL);
  BOOST_TEST(folder.Read("status") == "7\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
