// The table of "High Performance Python", chapter 11, again: approximate counters over one large stream of words, each with its
// estimate, error, time and size beside the book's.
//
//   chapter11                       10^8 words, Zipf-distributed: word i of 5,000,000 with probability proportional to 1 / i
//   chapter11 --tokens 1000000      fewer
//   chapter11 FILE                  the words of a file, split at white space
//
// The stream is made a million words at a time; only what the counters do is timed, in
// seconds of processor time, hashing included.

#include <time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "arguments.h"
#include "thimble/hyperloglog.h"
#include "thimble/kmv_sketch.h"
#include "thimble/morris_counter.h"
#include "thimble/packed_hyperloglog.h"
#include "thimble/pcsa.h"
#include "thimble/scalable_bloom_filter.h"
#if THIMBLE_HAS_EXALOGLOG
#include "thimble/exaloglog.h"
#endif

namespace thimble::bench {
namespace {

constexpr std::size_t kChunk = 1'000'000;

// A piece of the stream, lying as a file's text would.
struct Chunk {
  std::string text;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  std::vector<std::string_view> words;

  void Clear() {
    text.clear();
    places.clear();
  }
  void Add(std::string_view word) {
    places.emplace_back(text.size(), word.size());
    text += word;
  }
  void Finish() {
    words.clear();
    for (const auto& [at, size] : places) words.push_back(std::string_view(text).substr(at, size));
  }
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual bool Next(Chunk& chunk) = 0;
  virtual double distinct() const = 0;
};

// Draws word numbers with probability proportional to 1 / i by inverting the integral of 1 / x, and rejecting what the curve
// has above the steps (Hormann and Derflinger 1996).
class ZipfStream : public Stream {
 public:
  explicit ZipfStream(std::uint64_t tokens) : left_(tokens), seen_(kWords) {}

  bool Next(Chunk& chunk) override {
    chunk.Clear();
    for (std::size_t n = std::min<std::uint64_t>(left_, kChunk); n > 0; --n, --left_) {
      const std::uint32_t number = Draw();
      if (!seen_[number]) ++distinct_;
      seen_[number] = true;
      chunk.Add(Word(number));
    }
    chunk.Finish();
    return !chunk.words.empty();
  }
  double distinct() const override { return distinct_; }

 private:
  static constexpr std::uint32_t kWords = 5'000'000;

  std::uint32_t Draw() {
    const double low = std::log(0.5), high = std::log(kWords + 0.5);
    while (true) {
      const double x = std::exp(low + (high - low) * std::uniform_real_distribution<double>()(random_));
      const double i = std::max(1.0, std::floor(x + 0.5));
      // The step of word i is 1 / i wide; the curve over it, ln((i + 1/2) / (i - 1/2)), a little more.
      const double curve = std::log((i + 0.5) / (i - 0.5));
      if (i <= kWords && std::uniform_real_distribution<double>()(random_) * curve * i <= 1) return static_cast<std::uint32_t>(i) - 1;
    }
  }

  // The more frequent, the shorter: syllables in place of digits.
  std::string_view Word(std::uint32_t number) {
    static constexpr std::string_view kSyllables[] = {"ka", "to", "mi", "ser", "lun", "de", "ra", "vo", "nis", "pel", "ta", "gor", "shi", "e", "bu", "lan"};
    word_.clear();
    do {
      word_ += kSyllables[number % 16];
      number /= 16;
    } while (number > 0);
    return word_;
  }

  std::mt19937_64 random_{11};
  std::uint64_t left_;
  std::vector<bool> seen_;
  std::string word_;
  double distinct_ = 0;
};

class FileStream : public Stream {
 public:
  explicit FileStream(const std::string& path) : in_(path) {}
  bool Next(Chunk& chunk) override {
    chunk.Clear();
    for (std::string word; chunk.places.size() < kChunk && in_ >> word;) {
      seen_.insert(word);
      chunk.Add(word);
    }
    chunk.Finish();
    return !chunk.words.empty();
  }
  double distinct() const override { return static_cast<double>(seen_.size()); }

 private:
  std::ifstream in_;
  absl::flat_hash_set<std::string> seen_;
};

struct Entry {
  std::string name;
  bool counts_tokens;     // and not distinct words
  double standard_error;  // of the algorithm
  std::function<void(const std::vector<std::string_view>&)> add;
  std::function<double()> estimate;
  std::function<std::string()> size;
  double book_error = 0, book_seconds = 0;  // 0: not in the book
  std::string book_size = {};
  double seconds = 0;  // of processor time
};

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string Bytes(std::size_t bytes) { return std::to_string(bytes) + " B"; }

template <class Sketch>
Entry Distinct(std::string name, Sketch& sketch, double standard_error, double book_error = 0, double book_seconds = 0, std::string book_size = "") {
  return {std::move(name), false, standard_error,
          [&sketch](const std::vector<std::string_view>& words) { for (const std::string_view word : words) sketch.Add(word); },
          [&sketch] { return sketch.Estimate(); }, [&sketch] { return Bytes(sketch.image().size()); }, book_error, book_seconds, std::move(book_size)};
}

void Print(const std::vector<Entry>& entries, double tokens, double distinct) {
  constexpr double kBookTokens = 1'148'708'949;
  std::printf("%.0f tokens, %.0f distinct; the book's: 1148708949 and 4956262\n\n", tokens, distinct);
  std::printf("%-26s %14s %9s %9s %8s %9s %12s   %9s %9s %10s %8s\n", "structure", "estimate", "error %", "/ sigma", "sec", "ns/token", "size",
              "book err", "book ns", "book size", "faster");
  for (const Entry& entry : entries) {
    const double truth = entry.counts_tokens ? tokens : distinct;
    const double error = entry.estimate() / truth - 1, ns = entry.seconds / tokens * 1e9, book_ns = entry.book_seconds / kBookTokens * 1e9;
    std::printf("%-26s %14.0f %9.2f %9.2f %8.2f %9.2f %12s   ", entry.name.c_str(), entry.estimate(), error * 100, error / entry.standard_error,
                entry.seconds, ns, entry.size().c_str());
    if (entry.book_seconds == 0) {
      std::printf("%9s\n", "-");
    } else {
      std::printf("%9.2f %9.0f %10s %7.0fx\n", entry.book_error, book_ns, entry.book_size.c_str(), book_ns / ns);
    }
  }
}

void Run(Stream& stream) {
  constexpr unsigned kPrecision = 16;
  const double m = 65536;
  const MorrisScale powers = *MorrisScale::Make(5, 2), byte = *MorrisScale::ForLargest({.width = 8, .largest = 1e10});
  MorrisCounter five_bits(powers), one_byte(byte);
  unsigned register_rank = 0;
  HyperLogLog loglog({.precision = kPrecision}), superloglog({.precision = kPrecision}), hyperloglog({.precision = kPrecision});
  KmvSketch kmv({.k = 65536});
  Pcsa pcsa({.precision = 12});
  // What it holds is exact; what it takes for held is its error, of one sign.
  ScalableBloomFilter bloom({.first_capacity = 1'000'000, .false_positive_rate = 0.001, .growth = 2});

  const auto increment = [](MorrisCounter& counter) {
    return [&counter](const std::vector<std::string_view>& words) { for (std::size_t i = 0; i < words.size(); ++i) counter.Increment(); };
  };
  std::vector<Entry> entries;
  entries.push_back({"Morris counter, base 2", true, powers.StandardError(), increment(five_bits), [&] { return five_bits.Estimate(); },
                     [] { return "5 bits"; }, 6.52, 751, "5 bits"});
  entries.push_back({"Morris counter, one byte", true, byte.StandardError(), increment(one_byte), [&] { return one_byte.Estimate(); },
                     [] { return "8 bits"; }});
  // One register's mean is log2(n / 0.39701), with a deviation of 1.87: a factor of 2.6 and 1 + 1.30 more.
  entries.push_back({"LogLog register", false, 1.30,
                     [&](const std::vector<std::string_view>& words) {
                       for (const std::string_view word : words) {
                         register_rank = std::max(register_rank, static_cast<unsigned>(std::countr_zero(Hash64(word, 1) | std::uint64_t{1} << 63)) + 1);
                       }
                     },
                     [&] { return 0.39701 * std::exp2(register_rank); }, [] { return "5 bits"; }, -78.84, 1690, "5 bits"});
  entries.push_back(Distinct("LogLog, 2^16", loglog, 1.30 / std::sqrt(m), -8.76, 2112, "41 KB"));
  entries.back().estimate = [&] { return loglog.EstimateLogLog(); };
  entries.push_back(Distinct("SuperLogLog, 2^16", superloglog, 1.05 / std::sqrt(m), -67, 2416, "-"));
  entries.back().estimate = [&] { return superloglog.EstimateSuperLogLog(); };
  entries.push_back(Distinct("HyperLogLog, 2^16", hyperloglog, hyperloglog.StandardError(), 0.54, 2907, "40 KB"));
  entries.push_back(Distinct("KMV, 2^16", kmv, 1 / std::sqrt(m - 2), -0.88, 3503, "256 KB"));
  entries.back().add = [&](const std::vector<std::string_view>& words) { kmv.AddMany(words); };
  entries.push_back({"scaling Bloom", false, 0.001,
                     [&](const std::vector<std::string_view>& words) {
                       for (const std::string_view word : words) {
                         if (!bloom.Add(word).ok()) std::abort();
                       }
                     },
                     [&] { return static_cast<double>(bloom.size()); }, [&] { return Bytes(bloom.image().size()); }, -0.14, 10392, "11509 KB"});
#if THIMBLE_HAS_EXALOGLOG
  ExaLogLog exaloglog({.precision = 12});
  entries.push_back(Distinct("ExaLogLog(2,20), 2^12", exaloglog, exaloglog.StandardError()));
#endif
  entries.push_back(Distinct("PCSA, 2^12, compressed", pcsa, pcsa.StandardError()));
  entries.back().size = [&] { return Bytes(pcsa.Compressed().image().size()); };

  double tokens = 0;
  for (Chunk chunk; stream.Next(chunk);) {
    tokens += static_cast<double>(chunk.words.size());
    for (Entry& entry : entries) {
      const double start = ProcessorSeconds();
      entry.add(chunk.words);
      entry.seconds += ProcessorSeconds() - start;
    }
  }
  entries.push_back({"HyperLogLog, compressed", false, hyperloglog.StandardError(), {}, [&] { return hyperloglog.Compressed().Estimate(); },
                     [&] { return Bytes(hyperloglog.Compressed().image().size()); }});
  Print(entries, tokens, stream.distinct());
}

int Main(int argc, char** argv) {
  std::filesystem::path path;
  double tokens = 1e8;
  const auto code = ReadArguments(argc, argv, "The table of High Performance Python, chapter 11: estimate, error, seconds and bytes beside the book's.",
                                  {{"file", "words to count, split at white space; a Zipf-distributed stream if not given", &path},
                                   {"--tokens", "length of the generated stream", &tokens}});
  if (code) return *code;
  if (path.empty()) {
    ZipfStream stream(static_cast<std::uint64_t>(tokens));
    Run(stream);
  } else {
    FileStream stream(path);
    Run(stream);
  }
  return 0;
}

}  // namespace
}  // namespace thimble::bench

int main(int argc, char** argv) { return thimble::bench::Main(argc, argv); }
