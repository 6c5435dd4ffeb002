#include "testing.h"

// The servers that other tests start go with the test, however it ends.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "servers.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(servers)

using testing::KeptServer;

// A server that writes its process id into its directory, and waits.
std::vector<testing::Command> Commands(const std::string& directory) {
  return {{"touch", directory + "/prepared"}, {"sh", "-c", "echo $$ >" + directory + "/part && mv " + directory + "/part " + directory + "/pid && exec sleep 1000"}};
}

pid_t ServerOf(const std::string& directory) {
  testing::WaitUntil([&] { return std::filesystem::exists(directory + "/pid"); });
  pid_t pid = 0;
  std::ifstream(directory + "/pid") >> pid;
  return pid;
}

bool Gone(pid_t pid) { return kill(pid, 0) != 0; }

BOOST_AUTO_TEST_CASE(EndsWithItsObject) {
  std::string directory;
  pid_t server;
  {
    const KeptServer kept({}, Commands);
    directory = kept.directory();
    server = ServerOf(directory);
    BOOST_TEST(std::filesystem::exists(directory + "/prepared"));
    BOOST_TEST(!Gone(server));
  }
  BOOST_TEST(!std::filesystem::exists(directory));
  BOOST_TEST(Gone(server));
}

BOOST_AUTO_TEST_CASE(EndsWithAKilledTest) {
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    int ends[2];
    BOOST_REQUIRE(pipe(ends) == 0);
    const pid_t test = fork();
    if (test == 0) {
      setpgid(0, 0);
      const KeptServer kept({}, Commands);
      const std::string& directory = kept.directory();
      (void)!write(ends[1], directory.data(), directory.size());
      for (;;) pause();
    }
    char name[1000];
    const ssize_t size = read(ends[0], name, sizeof name);
    close(ends[0]), close(ends[1]);
    BOOST_REQUIRE(size > 0);
    const std::string directory(name, static_cast<std::size_t>(size));
    const pid_t server = ServerOf(directory);
    BOOST_TEST(!Gone(server));
    // The whole group, as a terminal and a test runner do.
    kill(-test, signal);
    waitpid(test, nullptr, 0);
    testing::WaitUntil([&] { return Gone(server) && !std::filesystem::exists(directory); });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
