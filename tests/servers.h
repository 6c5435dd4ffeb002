#pragma once

// Real servers for the tests of foreign formats, each in a temporary directory and on a Unix socket there. A keeper, which is
// a process of its own, stops the server and removes the directory: when the object goes, and likewise when the test is
// killed, by whatever signal.

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace thimble::testing {

using Command = std::vector<std::string>;

class KeptServer {
 public:
  struct Options {
    const passwd* user = nullptr;  // the caller's own when null
    int stop = SIGKILL;            // the signal that ends the server
  };

  // Runs commands(directory) one after the other in a new directory; the last is the server.
  KeptServer(const Options& options, const std::function<std::vector<Command>(const std::string& directory)>& commands) {
    std::string name = (std::filesystem::temp_directory_path() / "thimble-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    keeper_ = fork();
    if (keeper_ < 0) throw std::runtime_error("fork failed");
    if (keeper_ == 0) {
      close(ends[1]);
      Keep(options, commands(directory_), ends[0]);
    }
    close(ends[0]);
    alive_ = ends[1];
  }
  ~KeptServer() {
    close(alive_);
    waitpid(keeper_, nullptr, 0);
  }
  KeptServer(const KeptServer&) = delete;
  KeptServer& operator=(const KeptServer&) = delete;

  const std::string& directory() const { return directory_; }

 private:
  // The keeper: out of reach of what ends the test, until nobody has the other end of its pipe any more.
  [[noreturn]] void Keep(const Options& options, const std::vector<Command>& commands, int pipe) const {
    setsid();
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);
    bool ready = options.user == nullptr || chown(directory_.c_str(), options.user->pw_uid, options.user->pw_gid) == 0;
    for (std::size_t i = 0; ready && i + 1 < commands.size(); ++i) {
      int status = 1;
      waitpid(Spawn(options, commands[i]), &status, 0);
      ready = status == 0;
    }
    const pid_t server = ready ? Spawn(options, commands.back()) : -1;
    for (char byte; read(pipe, &byte, 1) != 0;) {
    }
    if (server > 0) {
      kill(server, options.stop);
      waitpid(server, nullptr, 0);
    }
    execlp("rm", "rm", "-rf", directory_.c_str(), nullptr);
    _exit(1);
  }

  pid_t Spawn(const Options& options, const Command& command) const {
    const pid_t keeper = getpid();
    const pid_t pid = fork();
    if (pid != 0) return pid;
    if (options.user != nullptr && (setgid(options.user->pw_gid) != 0 || setuid(options.user->pw_uid) != 0)) _exit(126);
    prctl(PR_SET_PDEATHSIG, options.stop);
    if (getppid() != keeper) _exit(126);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
    const int log = open((directory_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }

  std::string directory_;
  pid_t keeper_;
  int alive_;
};

// Calls `ready` every 20 ms until it says yes; throws after a minute.
inline void WaitUntil(const std::function<bool()>& ready) {
  for (int i = 0; i < 3000; ++i) {
    if (ready()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("the server did not come up");
}

// A redis-server that listens at socket().
class RedisServer {
 public:
  RedisServer()
      : server_({}, [](const std::string& directory) -> std::vector<Command> {
          return {{"redis-server", "--port", "0", "--unixsocket", directory + "/redis.sock", "--save", "", "--appendonly", "no", "--dir", directory}};
        }) {}

  std::string socket() const { return server_.directory() + "/redis.sock"; }

 private:
  KeptServer server_;
};

// A PostgreSQL cluster of its own, reached by connection(). The server refuses to run as root, so root lends it to the
// postgres user.
class PostgresServer {
 public:
  static std::string Binaries() { return "/usr/lib/postgresql/15/bin/"; }

  PostgresServer()
      : server_({.user = geteuid() == 0 ? getpwnam("postgres") : nullptr, .stop = SIGQUIT}, [](const std::string& directory) -> std::vector<Command> {
          const std::string data = directory + "/data";
          return {{Binaries() + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"},
                  {Binaries() + "postgres", "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off"}};
        }) {}

  std::string connection() const { return "host=" + server_.directory() + " user=postgres dbname=postgres"; }

 private:
  KeptServer server_;
};

}  // namespace thimble::testing
