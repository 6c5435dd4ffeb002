// What it takes to count many items in parts: the bytes that each part sends, and the time to merge what it sent. Prints the table
// of docs/scale.md.
//
//   scale                images of ten million items each
//   scale --items 1e5    fewer: for a look

#include <time.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "arguments.h"
#include "thimble/bloom_filter.h"
#include "thimble/hyperloglog.h"
#include "thimble/kmv_sketch.h"
#include "thimble/packed_hyperloglog.h"
#include "thimble/pcsa.h"
#if THIMBLE_HAS_EXALOGLOG
#include "thimble/exaloglog.h"
#endif

namespace thimble::bench {
namespace {

constexpr double kParts = 10'000;

double Seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The value in the largest of the ascending units, each a thousand of the one before, that it has one of.
std::string Quantity(double value, std::span<const char* const> units) {
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %s", value, units[unit]);
  return text;
}

std::string Size(double bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  return Quantity(bytes, kUnits);
}

std::string Time(double seconds) {
  static constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
  return seconds < 600 ? Quantity(seconds * 1e9, kUnits) : std::to_string(std::lround(seconds / 3600)) + " h";
}

// A row: images of 10^6, 10^9 and 10^12 items, and `merge` called until it has taken a while.
void Print(const char* name, const std::string& error, double at_million, double at_billion, double at_trillion, double merge_share,
           const std::function<void()>& merge) {
  merge();
  int merges = 0;
  const double start = Seconds();
  double seconds = 0;
  for (; merges < 3 || seconds < 0.3; seconds = Seconds() - start) {
    merge();
    ++merges;
  }
  const double each = seconds / merges * merge_share;
  std::printf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, error.c_str(), Size(at_million).c_str(), Size(at_billion).c_str(),
              Size(at_trillion).c_str(), Time(each).c_str(), Size(at_trillion * kParts).c_str(), Time(each * kParts).c_str());
}

void Run(std::uint64_t items) {
  std::printf("| sketch | error | 10^6 items | 10^9 | 10^12 | merging one image of 10^12 | 10,000 parts send | and merge in |\n"
              "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  // Two halves of the items, overlapping by half; `image` is what travels.
  const auto row = [&](const char* name, auto a, auto b, auto image_of) {
    for (std::uint64_t i = 0; i < items; ++i) {
      if (i < items / 4 * 3) a.Add(i);
      if (i >= items / 4) b.Add(i);
    }
    const auto image = image_of(b);
    const auto bytes = static_cast<double>(image.image().size());
    char error[16];
    std::snprintf(error, sizeof error, "%.2f %%", a.StandardError() * 100);
    Print(name, error, bytes, bytes, bytes, 1, [&] {
      if (!a.Merge(image).ok()) std::abort();
    });
  };
  const auto as_it_is = [](const auto& sketch) { return sketch.view(); };
  const HyperLogLog::Options hll = {.precision = 14};
  row("HyperLogLog, p = 14", HyperLogLog(hll), HyperLogLog(hll), as_it_is);
  row("the same, `Compressed()`", HyperLogLog(hll), HyperLogLog(hll), [](const HyperLogLog& sketch) { return sketch.Compressed(); });
#if THIMBLE_HAS_EXALOGLOG
  const ExaLogLog::Options ell = {.precision = 12};
  row("ExaLogLog(2, 20), p = 12", ExaLogLog(ell), ExaLogLog(ell), as_it_is);
#endif
  const Pcsa::Options pcsa = {.precision = 13};
  row("Pcsa, p = 13, `Compressed()`", Pcsa(pcsa), Pcsa(pcsa), [](const Pcsa& sketch) { return sketch.Compressed(); });
  const KmvSketch::Options kmv = {.k = 1 << 14};
  row("KmvSketch, k = 16384", KmvSketch(kmv), KmvSketch(kmv), as_it_is);

  // A Bloom filter holds every item: its image grows with them, and merging it is one pass over the bytes.
  const auto options = [](std::uint64_t capacity) { return BloomFilter::Options{.capacity = capacity, .false_positive_rate = 0.01}; };
  const auto bytes_of = [&](std::uint64_t capacity) { return static_cast<double>(BloomFilter::ImageBytes(options(capacity))); };
  BloomFilter a(options(items)), b(options(items));
  for (std::uint64_t i = 0; i < items; ++i) (i % 2 == 0 ? a : b).Add(i);
  constexpr std::uint64_t kTrillion = 1'000'000'000'000;
  Print("BloomFilter, for all items", "1 % of misses", bytes_of(1'000'000), bytes_of(1'000'000'000), bytes_of(kTrillion),
        bytes_of(kTrillion) / bytes_of(items), [&] {
          if (!a.Merge(b).ok()) std::abort();
        });
}

int Main(int argc, char** argv) {
  double items = 1e7;
  const auto code = ReadArguments(argc, argv, "Bytes that parts of a count send, and the time to merge them: the table of docs/scale.md.",
                                  {{"--items", "items in the images that are merged", &items}});
  if (code) return *code;
  Run(static_cast<std::uint64_t>(items));
  return 0;
}

}  // namespace
}  // namespace thimble::bench

int main(int argc, char** argv) { return thimble::bench::Main(argc, argv); }
