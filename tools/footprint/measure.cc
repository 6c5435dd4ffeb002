#include "measure.h"

#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "forked.h"
#include "pss.h"
#include "thimble/hash.h"
#include "thimble/heap_scope.h"

namespace thimble::footprint {
namespace {

constexpr std::uint64_t kFewestProbes = std::uint64_t{1} << 12;  // so that a branch predictor cannot learn them all
constexpr std::uint64_t kMostProbes = std::uint64_t{1} << 17;
constexpr std::uint64_t kProbeBytes = std::uint64_t{32} << 20;  // of text in all: values may be megabytes long
constexpr double kLookUpSeconds = 2e-3;  // lookups are repeated up to this long, so that the clock can see them

std::int64_t MallocBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

Probes RandomProbes(const Column& column) {
  Probes probes;
  if (column.size() == 0) return probes;
  std::uint64_t bytes = 0;
  const std::uint64_t count = std::clamp(4 * column.size(), kFewestProbes, kMostProbes);
  for (std::uint64_t i = 0; i < count && bytes < kProbeBytes; ++i) {
    const std::uint64_t id = Hash64(i, 0x9806E5) % column.size();
    probes.ids.push_back(id);
    if (column.type() & (kText | kDate)) bytes += probes.texts.emplace_back(column.text(id)).size();
    if (column.type() & (kInteger | kBoolean | kDate)) probes.integers.push_back(column.integer(id));
    if (column.type() & kReal) probes.reals.push_back(column.real(id));
  }
  return probes;
}

// Of the processor, not of the wall: what else the machine does matters less.
double ProcessorSeconds() {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double LookUpNanoseconds(const Candidate& candidate, const Probes& probes) {
  std::uint64_t rounds = 0;
  double seconds = 0;
  const double start = ProcessorSeconds();
  do {
    const std::uint64_t sum = candidate.LookUp(probes);
    asm volatile("" : : "r"(sum) : "memory");
    ++rounds;
    seconds = ProcessorSeconds() - start;
  } while (seconds < kLookUpSeconds);
  return seconds * 1e9 / static_cast<double>(rounds * probes.ids.size());
}

// What RLIMIT_DATA counts, in bytes, or 0 where the kernel does not tell.
std::uint64_t DataBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long pages = 0;
  const int read = std::fscanf(file, "%*u %*u %*u %*u %*u %llu", &pages);
  std::fclose(file);
  return read == 1 ? pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// Lets the process have `bytes` more than it has. Beyond that the kernel refuses, and operator new throws.
void LimitHeap(std::uint64_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, DataBytes() + bytes);
  setrlimit(RLIMIT_DATA, &limit);
}

void Measure(const Structure& structure, const ColumnSource& source, std::uint64_t memory_limit, Measurement& result) {
  absl::StatusOr<Column> column = source();
  if (!column.ok()) return result.Fail(std::string(column.status().message()));
  const Probes probes = structure.jobs == kNoJob ? Probes{} : RandomProbes(*column);
  // One is made before the count begins: what the library initializes once is not the structure's.
  structure.make().reset();
  if (memory_limit != 0) LimitHeap(memory_limit);

  const HeapScope heap;
  const std::int64_t malloc_before = MallocBytes();
  const std::int64_t pss_before = AnonymousPss();
  const double start = ProcessorSeconds();
  std::unique_ptr<Candidate> candidate = structure.make();
  // Nor is the frame around it.
  const auto frame = static_cast<std::int64_t>(malloc_usable_size(candidate.get())) + 8;
  const absl::Status built = candidate->Build(*column);
  result.build_seconds = ProcessorSeconds() - start;
  if (!built.ok()) return result.Fail(std::string(built.message()));
  result.heap_bytes = heap.live_bytes() - frame;
  result.mallinfo_bytes = MallocBytes() - malloc_before + heap.mapped_bytes() - frame;
  result.peak_bytes = heap.peak_bytes() - frame;
  result.pss_bytes = std::max<std::int64_t>(0, AnonymousPss() - pss_before);
  result.stored = candidate->stored();

  if (!probes.ids.empty()) result.lookup_ns = LookUpNanoseconds(*candidate, probes);
  result.error = candidate->error(*column);
  candidate.release();  // the child ends here: nobody waits for its destructor
}

Measurement MeasureHere(const Structure& structure, const ColumnSource& source, std::uint64_t memory_limit) {
  Measurement result;
  try {
    Measure(structure, source, memory_limit, result);
  } catch (const std::bad_alloc&) {
    result.Fail("outgrew the memory limit");
  } catch (const std::exception& error) {
    result.Fail(error.what());
  }
  return result;
}

Forked Start(const MeasureTask& task, std::uint64_t memory_limit) {
  return Forked([&](int out) {
    const Measurement result = MeasureHere(*task.structure, task.source, memory_limit);
    return write(out, &result, sizeof result) == static_cast<ssize_t>(sizeof result);
  });
}

// For poll: -1 where there is no end.
int MillisecondsUntil(const std::optional<std::chrono::steady_clock::time_point>& deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
}

void Finish(const MeasureTask& task, Forked& child) {
  const absl::Status status = child.Wait(task.result, sizeof *task.result);
  if (status.ok()) return;
  *task.result = {};
  task.result->Fail(std::string(status.message()));
}

}  // namespace

void Measurement::Fail(std::string_view why) {
  const std::size_t length = std::min(why.size(), sizeof failure_text - 1);
  std::memcpy(failure_text, why.data(), length);
  failure_text[length] = '\0';
}

void MeasureAll(std::span<const MeasureTask> tasks, const MeasureLimits& limits, const std::function<void(std::size_t)>& started) {
  struct Running {
    Forked child;
    const MeasureTask* task;
  };
  const auto fail_late = [](const MeasureTask& task) {
    *task.result = {};
    task.result->Fail("not done in time");
  };
  std::vector<Running> running;
  std::size_t next = 0;
  while (next < tasks.size() || !running.empty()) {
    const int left = MillisecondsUntil(limits.deadline);
    if (left == 0) {
      for (const Running& each : running) fail_late(*each.task);
      for (const MeasureTask& task : tasks.subspan(next)) fail_late(task);
      return;  // the children end with `running`
    }
    while (next < tasks.size() && running.size() < std::max(1u, limits.at_once)) {
      started(next);
      running.push_back({Start(tasks[next], limits.memory_bytes), &tasks[next]});
      ++next;
    }
    std::vector<pollfd> fds;
    for (const Running& each : running) fds.push_back({each.child.fd(), POLLIN, 0});
    if (poll(fds.data(), fds.size(), left) < 0) continue;
    for (std::size_t i = fds.size(); i-- > 0;) {
      if (fds[i].fd >= 0 && fds[i].revents == 0) continue;
      Finish(*running[i].task, running[i].child);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

std::uint64_t CountDistinct(const Column& column) {
  absl::flat_hash_set<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < column.size(); ++i) {
    switch (column.type()) {
      case kText: hashes.insert(Hash64(column.text(i))); break;
      case kReal: hashes.insert(std::bit_cast<std::uint64_t>(column.real(i))); break;
      default: hashes.insert(static_cast<std::uint64_t>(column.integer(i)));
    }
  }
  return hashes.size();
}

}  // namespace thimble::footprint
