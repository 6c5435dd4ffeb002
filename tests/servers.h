#pragma once

// Real servers for the tests of foreign formats: started in a temporary directory on a Unix socket, stopped when the object
// goes, and killed by the kernel should the test die first.

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
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace thimble::testing {

// A directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "thimble-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A child process, ended with `stop` when the object goes.
class ChildProcess {
 public:
  // Runs the command as `user` (the caller's own when null), with its output in `log`.
  ChildProcess(const std::vector<std::string>& command, const std::string& log, const passwd* user, int stop) : stop_(stop) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      if (user != nullptr && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) _exit(126);
      prctl(PR_SET_PDEATHSIG, stop);
      if (getppid() != parent) _exit(126);
      const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(out, 1);
      dup2(out, 2);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
  }
  ~ChildProcess() {
    kill(pid_, stop_);
    waitpid(pid_, nullptr, 0);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

 private:
  pid_t pid_;
  int stop_;
};

// Calls `ready` every 20 ms until it says yes; throws after 20 seconds.
inline void WaitUntil(const std::function<bool()>& ready) {
  for (int i = 0; i < 1000; ++i) {
    if (ready()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("the server did not come up");
}

// A redis-server that listens at socket().
class RedisServer {
 public:
  RedisServer()
      : process_({"redis-server", "--port", "0", "--unixsocket", socket(), "--save", "", "--appendonly", "no", "--dir", directory_.path()},
                 directory_.path() + "/log", nullptr, SIGKILL) {}

  std::string socket() const { return directory_.path() + "/redis.sock"; }

 private:
  TemporaryDirectory directory_;
  ChildProcess process_;
};

// A PostgreSQL cluster of its own, reached by connection(). The server refuses to run as root, so root lends it to the
// postgres user.
class PostgresServer {
 public:
  static std::string Binaries() { return "/usr/lib/postgresql/15/bin/"; }

  PostgresServer() : user_(geteuid() == 0 ? getpwnam("postgres") : nullptr) {
    if (user_ != nullptr && chown(directory_.path().c_str(), user_->pw_uid, user_->pw_gid) != 0) {
      throw std::runtime_error("cannot give the directory to postgres");
    }
    Run({Binaries() + "initdb", "-D", data(), "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"});
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{Binaries() + "postgres", "-D", data(), "-k", directory_.path(), "-c", "listen_addresses=", "-c", "fsync=off"},
        directory_.path() + "/log", user_, SIGQUIT);
  }

  std::string connection() const { return "host=" + directory_.path() + " user=postgres dbname=postgres"; }

 private:
  std::string data() const { return directory_.path() + "/data"; }

  void Run(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
      if (user_ != nullptr && (setgid(user_->pw_gid) != 0 || setuid(user_->pw_uid) != 0)) _exit(126);
      const int null = open("/dev/null", O_WRONLY);
      dup2(null, 1);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (status != 0) throw std::runtime_error(command[0] + " failed");
  }

  TemporaryDirectory directory_;
  const passwd* user_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace thimble::testing
