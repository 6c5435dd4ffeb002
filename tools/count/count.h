#pragma once

#include <string>

namespace thimble::tools {

struct CountOptions {
  std::string path = "-";
  std::string column;
  std::string format = "lines";
  std::string header = "auto";
  std::string kind = "hll";
  std::string hash = "thimble";
  std::string sketch;
  unsigned precision = 14;
  unsigned threads = 1;
  bool json = false;
};

// Prints how many distinct values there are, and keeps the sketch if `sketch` names a file. Returns the exit status.
int Count(const CountOptions& options);

}  // namespace thimble::tools
