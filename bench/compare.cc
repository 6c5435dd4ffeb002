#include "compare.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "arguments.h"

namespace thimble::bench {
namespace {

std::vector<const Family*>& Families() {
  static std::vector<const Family*> families;
  return families;
}

double SecondsOf(const std::function<void()>& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Minimum(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

double Ratio(double ours, double theirs) { return theirs == 0 ? 0 : ours / theirs; }

void PrintTable(const std::vector<Row>& rows) {
  std::printf("%-34s %-16s %12s  %-28s %12s %8s\n", "case", "metric", "thimble", "peer", "peer value", "ratio");
  for (const Row& row : rows) {
    std::printf("%-34s %-16s %12.4g  %-28s %12.4g %8.3f\n", row.test_case.c_str(), row.metric.c_str(), row.thimble, row.peer.c_str(),
                row.peer_value, Ratio(row.thimble, row.peer_value));
  }
}

void PrintJson(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const nlohmann::ordered_json line = {{"family", row.family},
                                         {"case", row.test_case},
                                         {"metric", row.metric},
                                         {"thimble", row.thimble},
                                         {"peer", row.peer},
                                         {"peer_value", row.peer_value},
                                         {"ratio", Ratio(row.thimble, row.peer_value)},
                                         {"thimble_median", row.thimble_median},
                                         {"peer_median", row.peer_median}};
    std::cout << line.dump() << '\n';
  }
}

int Main(int argc, char** argv) {
  std::string name;
  std::filesystem::path data;
  bool json = false, quick = false, list = false;
  const auto code = ReadArguments(argc, argv, "Measures thimble and its peers interleaved in one process; ratio = thimble / peer, below 1 is better.",
                                  {{"family", "what to measure (see --list)", &name},
                                   {"--data", "a file of lines to measure with, where the family holds text", &data},
                                   {"--json", "print one JSON object a row", &json},
                                   {"--quick", "small inputs, few rounds", &quick},
                                   {"--list", "name the families", &list}});
  if (code) return *code;
  if (list || name.empty()) {
    for (const Family* family : Families()) std::printf("%-20s %s\n", family->name.c_str(), family->title.c_str());
    return list ? 0 : 2;
  }
  for (const Family* family : Families()) {
    if (family->name != name) continue;
    Comparison comparison(name, quick, data);
    family->run(comparison);
    json ? PrintJson(comparison.rows()) : PrintTable(comparison.rows());
    return 0;
  }
  std::cerr << "compare: no family is called " << name << "; see --list\n";
  return 2;
}

}  // namespace

Family::Family(std::string family_name, std::string family_title, void (*function)(Comparison&))
    : name(std::move(family_name)), title(std::move(family_title)), run(function) {
  Families().push_back(this);
  std::sort(Families().begin(), Families().end(), [](const Family* a, const Family* b) { return a->name < b->name; });
}

std::vector<std::string> Comparison::Lines(const std::function<std::vector<std::string>()>& generate) const {
  if (data_.empty()) return generate();
  std::ifstream in(data_);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  if (lines.empty()) throw std::runtime_error(data_ + " holds no line");
  return lines;
}

void Comparison::Exact(std::string_view test_case, std::string_view metric, double ours, std::string_view peer, double theirs) {
  rows_.push_back({family_, std::string(test_case), std::string(metric), ours, std::string(peer), theirs, ours, theirs});
}

void Comparison::Time(std::string_view test_case, std::string_view metric, std::size_t operations, const std::function<void()>& ours,
                      const Peers& peers) {
  const int rounds = quick_ ? 2 : 7;
  std::vector<double> our_seconds;
  std::vector<std::vector<double>> peer_seconds(peers.size());
  ours();  // warms caches and page tables; so does each peer's first call
  for (const auto& peer : peers) peer.second();
  for (int round = 0; round < rounds; ++round) {
    our_seconds.push_back(SecondsOf(ours));
    for (std::size_t i = 0; i < peers.size(); ++i) peer_seconds[i].push_back(SecondsOf(peers[i].second));
  }
  const double unit = 1e9 / static_cast<double>(operations);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    rows_.push_back({family_, std::string(test_case), std::string(metric), Minimum(our_seconds) * unit, peers[i].first,
                     Minimum(peer_seconds[i]) * unit, Median(our_seconds) * unit, Median(peer_seconds[i]) * unit});
  }
}

}  // namespace thimble::bench

int main(int argc, char** argv) { return thimble::bench::Main(argc, argv); }
