#pragma once

// The thimble command from outside, for tests: files in; exit status, text and files out.

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "test_image.h"

namespace thimble::testing {

struct Outcome {
  int exit_code;
  std::string out, err;
};

// A folder for one test's files, in which the command's own temporary files lie too.
class ToolFolder : public TemporaryFolder {
 public:
  // Returns the path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(File(name), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return File(name);
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(File(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  // Runs `thimble ARGUMENTS` in a shell, its output in the files out and err. %NAME stands for a file of this folder. The exit
  // status is -1 if a signal ended it.
  Outcome Thimble(std::string arguments) const {
    for (std::size_t at; (at = arguments.find('%')) != std::string::npos;) arguments.replace(at, 1, path() + "/");
    const std::string command = "TMPDIR=" + path() + " '" THIMBLE_TOOL "' " + arguments + " >" + File("out") + " 2>" + File("err");
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Read("out"), Read("err")};
  }
};

}  // namespace thimble::testing
