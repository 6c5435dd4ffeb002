#define BOOST_TEST_MODULE inject
#include "testing.h"

// Kills and failures at every system call, and at every allocation, of the real programs: what is at the path afterwards is
// the old file or the new one.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "test_image.h"
#include "thimble/live_file.h"
#include "thimble/store.h"

namespace thimble {
namespace {

using testing::TemporaryFolder;
using testing::TestImage;
using testing::TestImageView;

constexpr const char* kKinds[] = {"kill", "short", "enospc", "eio", "edquot", "eintr", "emfile", "allocation"};

struct Outcome {
  int exit_code = -1;  // -1: died of a signal
  bool struck = false;
};

Outcome Run(const std::vector<std::string>& command, const std::string& kind, int at, const std::string& after, const std::string& mark) {
  std::filesystem::remove(mark);
  const pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", THIMBLE_INJECTOR, 1);
    setenv("INJECT_KIND", kind.c_str(), 1);
    setenv("INJECT_AT", std::to_string(at).c_str(), 1);
    setenv("INJECT_MARK", mark.c_str(), 1);
    if (!after.empty()) setenv("INJECT_AFTER", after.c_str(), 1);
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .struck = std::filesystem::exists(mark)};
}

// Strikes at the first call, the second, ..., until there is no such call. `prepare` makes the old file, `check` says whether
// what is there is allowed, given whether the program said that it was done.
void StrikeEverywhere(const std::vector<std::string>& command, const std::string& after, const std::string& mark,
                      const std::function<void()>& prepare, const std::function<bool(bool acknowledged)>& check) {
  int strikes = 0;
  for (const std::string kind : kKinds) {
    for (int at = 1;; ++at) {
      prepare();
      const Outcome outcome = Run(command, kind, at, after, mark);
      const bool acknowledged = outcome.exit_code == 0;
      BOOST_TEST(check(acknowledged), kind << " at call " << at << " left something else, exit " << outcome.exit_code);
      if (!outcome.struck) {
        BOOST_TEST(acknowledged);
        break;
      }
      ++strikes;
      if (kind == "kill") BOOST_TEST(!acknowledged);
      else BOOST_TEST(outcome.exit_code >= 0, kind << " at call " << at << " ended in a signal");
      if (kind == "eintr" || kind == "short") BOOST_TEST(acknowledged, kind << " at call " << at << " was not tried again");
    }
  }
  BOOST_TEST_MESSAGE(strikes << " strikes");
  BOOST_TEST(strikes > 50);
}

bool HoldsState(const std::string& path, std::uint64_t state) {
  const absl::StatusOr<StoreReader> store = StoreReader::Open(path);
  if (!store.ok() || !store->Verify().ok()) return false;
  const absl::StatusOr<TestImageView> view = store->View<TestImageView>("b");
  return view.ok() && std::ranges::equal(view->image(), TestImage(state * 1000, state).image());
}

BOOST_AUTO_TEST_CASE(CommitsAreDoneOrNot) {
  const TemporaryFolder folder;
  const std::string path = folder.File("live");
  {
    absl::StatusOr<JournaledFile> file = JournaledFile::Create(folder.File("old"), {{"b", TestImageView::kKind, TestImage::ImageBytes(1000), true}});
    REQUIRE_OK(file);
    TestImage(1000, 1, *file->Take("b"));
    REQUIRE_OK(file->Close());
  }
  const auto prepare = [&] {
    std::filesystem::remove(path + ".journal");
    std::filesystem::copy_file(folder.File("old"), path, std::filesystem::copy_options::overwrite_existing);
  };
  const auto check = [&](bool acknowledged) {
    if (!JournaledFile::Open(path).ok()) return false;  // no stuck lock, and recovered
    return HoldsState(path, 2) || (!acknowledged && HoldsState(path, 1));
  };
  StrikeEverywhere({THIMBLE_COMMIT_PROGRAM, path, "2"}, "", folder.File("mark"), prepare, check);
}

#ifdef THIMBLE_TOOL
BOOST_AUTO_TEST_CASE(SavedReportsAreOldOrNew) {
  const TemporaryFolder folder;
  const std::string input = folder.File("input.txt");
  {
    std::ofstream lines(input);
    for (int i = 0; i < 50; ++i) lines << i * 7 << "\n";
  }
  const std::string path = folder.File("saved.thimble");
  const std::vector<std::string> command{THIMBLE_TOOL, "report", input, "--structures", "PackedVector", "--save", path};
  const Outcome whole = Run(command, "none", 0, "", folder.File("mark"));
  BOOST_REQUIRE(whole.exit_code == 0);
  const std::vector<std::byte> fresh = testing::ReadBytes(path);
  const std::vector<std::byte> old(fresh.begin(), fresh.begin() + 100);
  const auto check = [&](bool acknowledged) {
    const std::vector<std::byte> bytes = testing::ReadBytes(path);
    return bytes == fresh || (!acknowledged && bytes == old);
  };
  // From the first opening of the new file on: what comes before reads the input and measures.
  StrikeEverywhere(command, ".tmp-", folder.File("mark"), [&] { testing::WriteBytes(path, old); }, check);
}
#endif

}  // namespace
}  // namespace thimble
