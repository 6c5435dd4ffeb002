#include "process_tree.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace thimble::tools {
namespace {

std::string Proc(pid_t pid, const std::string& rest) { return "/proc/" + std::to_string(pid) + "/" + rest; }

// The children of all threads of a process.
void AddChildren(pid_t pid, std::vector<pid_t>& children) {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir(Proc(pid, "task").c_str()), closedir);
  if (tasks == nullptr) return;
  while (const dirent* entry = readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream in(Proc(pid, "task/" + std::string(entry->d_name) + "/children"));
    for (pid_t child; in >> child;) children.push_back(child);
  }
}

void Add(pid_t pid, TreeMemory& memory) {
  std::ifstream in(Proc(pid, "smaps_rollup"));
  std::string line;
  bool any = false;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string label;
    std::uint64_t kilobytes = 0;
    if (!(words >> label >> kilobytes)) continue;
    if (label == "Rss:") memory.rss_bytes += kilobytes * 1024, any = true;
    if (label == "Pss:") memory.pss_bytes += kilobytes * 1024;
  }
  memory.processes += any;
}

void AddQuickly(pid_t pid, TreeMemory& memory) {
  std::ifstream in(Proc(pid, "statm"));
  std::uint64_t all = 0, resident = 0;
  if (!(in >> all >> resident) || all == 0) return;  // none, or a zombie
  memory.rss_bytes += resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  ++memory.processes;
}

}  // namespace

std::vector<pid_t> Descendants(pid_t root) {
  std::vector<pid_t> all{root};
  for (std::size_t i = 0; i < all.size(); ++i) AddChildren(all[i], all);
  return all;
}

TreeMemory MeasureTree(pid_t root) {
  TreeMemory memory;
  for (const pid_t pid : Descendants(root)) Add(pid, memory);
  return memory;
}

TreeMemory MeasureTreeQuickly(pid_t root) {
  TreeMemory memory;
  for (const pid_t pid : Descendants(root)) AddQuickly(pid, memory);
  return memory;
}

}  // namespace thimble::tools
