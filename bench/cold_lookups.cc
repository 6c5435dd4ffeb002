// A fresh process maps a dictionary and looks up its first thousand keys: StringDictionary beside marisa-trie, in turn.
//
//   build/bench/cold_lookups FILE_OF_LINES [processes]
//
// Each process is started anew; the files are in the page cache. Prints the median of the processes, in microseconds, from
// before the mapping to after the last lookup.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <marisa.h>

#include "thimble/mapped_file.h"
#include "thimble/string_dictionary.h"

namespace thimble::bench {
namespace {

using Strings = std::vector<std::string>;

constexpr std::size_t kLookups = 1000;

Strings ReadLines(const std::string& path) {
  Strings lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What the started process does. Returns how many keys were found.
std::size_t LookUpOurs(const std::string& path, const Strings& keys) {
  const MappedFile file = MappedFile::Open(path).value();
  const StringDictionaryView dictionary = StringDictionaryView::Open(file.bytes()).value();
  return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [&](const std::string& key) { return dictionary.Contains(key); }));
}

std::size_t LookUpMarisa(const std::string& path, const Strings& keys) {
  marisa::Trie trie;
  trie.mmap(path.c_str());
  marisa::Agent agent;
  return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [&](const std::string& key) {
    agent.set_query(key.data(), key.size());
    return trie.lookup(agent);
  }));
}

int RunChild(const std::string& who, const std::string& path, const std::string& asked_path, const std::string& answer_path) {
  const Strings asked = ReadLines(asked_path);
  const auto start = std::chrono::steady_clock::now();
  const std::size_t found = who == "thimble" ? LookUpOurs(path, asked) : LookUpMarisa(path, asked);
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  std::ofstream(answer_path) << time.count() << '\n';
  return found == asked.size() ? 0 : 1;
}

// Microseconds of one process; ends this one if that failed.
double RunProcess(const std::string& who, const std::string& folder) {
  const std::string path = folder + "/" + who, asked = folder + "/asked", answer = folder + "/answer";
  const pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "cold_lookups", "--child", who.c_str(), path.c_str(), asked.c_str(), answer.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    std::fprintf(stderr, "cold_lookups: a process failed\n");
    std::exit(1);
  }
  double time = 0;
  std::ifstream(answer) >> time;
  return time;
}

void Compare(const std::string& lines, int processes) {
  std::string folder = (std::filesystem::temp_directory_path() / "cold_lookups.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) std::exit(1);
  {
    Strings keys = ReadLines(lines);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    StringDictionary::Builder builder;
    marisa::Keyset keyset;
    for (const std::string& key : keys) {
      builder.Add(key).IgnoreError();
      keyset.push_back(key.data(), key.size());
    }
    const StringDictionary dictionary = std::move(builder).Finish().value();
    std::ofstream(folder + "/thimble", std::ios::binary)
        .write(reinterpret_cast<const char*>(dictionary.image().data()), static_cast<std::streamsize>(dictionary.image().size()));
    marisa::Trie trie;
    trie.build(keyset);
    trie.save((folder + "/marisa").c_str());
    std::ofstream asked(folder + "/asked");
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < kLookups; ++i) asked << keys[random() % keys.size()] << '\n';
  }
  std::vector<double> ours, theirs;
  for (int i = 0; i < processes; ++i) {
    ours.push_back(RunProcess("thimble", folder));
    theirs.push_back(RunProcess("marisa", folder));
  }
  std::sort(ours.begin(), ours.end());
  std::sort(theirs.begin(), theirs.end());
  const double our_median = ours[ours.size() / 2], their_median = theirs[theirs.size() / 2];
  std::printf("%zu lookups, median of %d processes: thimble %.0f us, marisa mmap %.0f us, ratio %.3f\n", kLookups, processes, our_median,
              their_median, our_median / their_median);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace thimble::bench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 5 && arguments[0] == "--child") {
    return thimble::bench::RunChild(arguments[1], arguments[2], arguments[3], arguments[4]);
  }
  if (arguments.empty()) {
    std::fprintf(stderr, "usage: cold_lookups FILE_OF_LINES [processes]\n");
    return 2;
  }
  thimble::bench::Compare(arguments[0], arguments.size() > 1 ? std::max(1, std::atoi(arguments[1].c_str())) : 5);
}
