#include "measure.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "pss.h"
#include "thimble/hash.h"
#include "thimble/heap_scope.h"

namespace thimble::footprint {
namespace {

constexpr std::uint64_t kProbes = std::uint64_t{1} << 17;
constexpr double kLookUpSeconds = 2e-3;  // lookups are repeated up to this long, so that the clock can see them

// What crosses the pipe.
struct Message {
  std::uint64_t stored;
  std::int64_t heap_bytes, mallinfo_bytes, peak_bytes, pss_bytes;
  double build_seconds, lookup_ns;
  ErrorRate error;
  bool has_lookup, has_error, failed;
  char failure[200];
};
static_assert(std::is_trivially_copyable_v<Message>);

std::int64_t MallocBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

Probes RandomProbes(const Column& column) {
  Probes probes;
  if (column.size() == 0) return probes;
  for (std::uint64_t i = 0; i < kProbes; ++i) {
    const std::uint64_t id = Hash64(i, 0x9806E5) % column.size();
    probes.ids.push_back(id);
    if (column.type() & (kText | kDate)) probes.texts.emplace_back(column.text(id));
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

void Fail(Message& message, std::string_view why) {
  message.failed = true;
  const std::size_t length = std::min(why.size(), sizeof message.failure - 1);
  std::memcpy(message.failure, why.data(), length);
  message.failure[length] = '\0';
}

void Measure(const Structure& structure, const ColumnSource& source, std::uint64_t memory_limit, Message& message) {
  absl::StatusOr<Column> column = source();
  if (!column.ok()) return Fail(message, column.status().ToString());
  const Probes probes = structure.jobs == kNoJob ? Probes{} : RandomProbes(*column);
  // Made once before the count begins: what the library initializes once is not the structure's.
  std::unique_ptr<Candidate> candidate = structure.make();
  if (memory_limit != 0) LimitHeap(memory_limit);

  const HeapScope heap;
  const std::int64_t malloc_before = MallocBytes();
  const std::int64_t pss_before = AnonymousPss();
  const double start = ProcessorSeconds();
  const absl::Status built = candidate->Build(*column);
  message.build_seconds = ProcessorSeconds() - start;
  if (!built.ok()) return Fail(message, built.ToString());
  message.heap_bytes = heap.live_bytes();
  message.mallinfo_bytes = MallocBytes() - malloc_before + heap.mapped_bytes();
  message.peak_bytes = heap.peak_bytes();
  message.pss_bytes = std::max<std::int64_t>(0, AnonymousPss() - pss_before);
  message.stored = candidate->stored();

  if (!probes.ids.empty()) {
    message.lookup_ns = LookUpNanoseconds(*candidate, probes);
    message.has_lookup = true;
  }
  if (const std::optional<ErrorRate> error = candidate->error(*column)) {
    message.error = *error;
    message.has_error = true;
  }
  candidate.release();  // the child ends here: nobody waits for its destructor
}

Message MeasureHere(const Structure& structure, const ColumnSource& source, std::uint64_t memory_limit) {
  Message message{};
  try {
    Measure(structure, source, memory_limit, message);
  } catch (const std::bad_alloc&) {
    Fail(message, "outgrew the memory limit");
  } catch (const std::exception& error) {
    Fail(message, error.what());
  }
  return message;
}

}  // namespace

ForkedMeasurement::ForkedMeasurement(const Structure& structure, const ColumnSource& source, std::uint64_t memory_limit)
    : child_([&](int out) {
        const Message message = MeasureHere(structure, source, memory_limit);
        return write(out, &message, sizeof message) == static_cast<ssize_t>(sizeof message);
      }) {}

Measurement ForkedMeasurement::Wait() {
  Measurement result;
  Message message{};
  if (const absl::Status status = child_.Wait(&message, sizeof message); !status.ok()) {
    result.failure = std::string(status.message());
    return result;
  }
  if (message.failed) {
    result.failure = message.failure;
    return result;
  }
  result.stored = message.stored;
  result.heap_bytes = message.heap_bytes;
  result.mallinfo_bytes = message.mallinfo_bytes;
  result.peak_bytes = message.peak_bytes;
  result.pss_bytes = message.pss_bytes;
  result.build_seconds = message.build_seconds;
  if (message.has_lookup) result.lookup_ns = message.lookup_ns;
  if (message.has_error) result.error = message.error;
  return result;
}

}  // namespace thimble::footprint
