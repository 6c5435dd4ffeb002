#pragma once

// The harness of `compare FAMILY`: thimble beside its peers in one process, in alternating rounds, so that what disturbs one
// disturbs the other. A family is one file, compare_<family>.cc, that registers itself:
//
//   void RunBloomFilter(Comparison& c) {
//     c.Exact("10M u64", "bits/key", ours_bits, "boost", boost_bits);
//     c.Time("10M u64", "hit ns", n, [&] { ... }, {{"boost", [&] { ... }}});
//   }
//   const Family bloom_filter_family{"bloom_filter", "Bloom filters", RunBloomFilter};

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace thimble::bench {

struct Row {
  std::string family, test_case, metric;
  double thimble;
  std::string peer;
  double peer_value;
  double thimble_median, peer_median;  // equal to the values where nothing was timed
};

class Comparison {
 public:
  using Peers = std::vector<std::pair<std::string, std::function<void()>>>;

  Comparison(std::string family, bool quick, std::string data) : family_(std::move(family)), quick_(quick), data_(std::move(data)) {}

  // Smaller inputs and fewer rounds: for a look, and for the test that the program runs.
  bool quick() const { return quick_; }
  // Picks the size of an input.
  std::size_t Size(std::size_t full, std::size_t quick_size) const { return quick_ ? quick_size : full; }
  // The lines of --data FILE, or of `generate` without it.
  std::vector<std::string> Lines(const std::function<std::vector<std::string>()>& generate) const;

  // A figure that does not vary: bytes, bits per key, an error rate.
  void Exact(std::string_view test_case, std::string_view metric, double ours, std::string_view peer, double theirs);

  // Nanoseconds for each of `operations`: the minimum and the median of interleaved rounds (at least 5 when not quick).
  void Time(std::string_view test_case, std::string_view metric, std::size_t operations, const std::function<void()>& ours,
            const Peers& peers);

  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::string family_;
  bool quick_;
  std::string data_;
  std::vector<Row> rows_;
};

struct Family {
  Family(std::string family_name, std::string family_title, void (*function)(Comparison&));
  std::string name, title;
  void (*run)(Comparison&);
};

// Keeps a result that nothing else uses. Takes its address: as an operand, an array would be copied.
template <class T>
inline void Keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace thimble::bench
