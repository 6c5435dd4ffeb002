#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "command.h"
#include "count/count.h"
#include "count/newlines.h"
#include "report/byte_source.h"
#include "report/interrupts.h"
#include "report/output.h"
#include "report/record_reader.h"
#include "report/sniff.h"
#include "status_macros.h"
#include "thimble/hyperloglog.h"
#include "thimble/kmv_sketch.h"
#include "thimble/mapped_file.h"
#include "thimble/pcsa.h"
#include "thimble/store_writer.h"
#if THIMBLE_HAS_EXALOGLOG
#include "thimble/exaloglog.h"
#endif

namespace thimble::tools {
namespace {

constexpr double kSigmas = 2;  // bounds that hold 95 times in 100

// What takes a sketch's keys: itself, or where a key may move all that it holds, a batch.
template <class Sketch>
using Feed = std::conditional_t<std::is_same_v<Sketch, KmvSketch>, KmvSketch::Batch, Sketch&>;

// Many lines at once, where the sketch has a faster way for them.
template <class Sketch>
void AddLines(Feed<Sketch>& feed, std::span<const std::string_view> lines) {
  if constexpr (requires { feed.AddMany(lines); }) {
    feed.AddMany(lines);
  } else {
    for (const std::string_view line : lines) feed.Add(line);
  }
}

// Calls add with the lines of [begin, end) of a mapped text, many at a time; a line belongs to the range that it begins in.
template <class Add>
void ForLines(std::string_view text, std::size_t begin, std::size_t end, Add add) {
  constexpr std::size_t kMapped = std::size_t{4} << 20, kWindow = std::size_t{16} << 10;
  std::size_t at = begin, mapped = begin;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (at <= kByteOrderMark.size() && text.starts_with(kByteOrderMark)) {
    at = kByteOrderMark.size();  // where the first line begins, whichever range that is in
  } else if (at > 0) {
    const void* before = std::memchr(text.data() + at - 1, '\n', text.size() - at + 1);
    at = before == nullptr ? text.size() : static_cast<std::size_t>(static_cast<const char*>(before) - text.data()) + 1;
  }
  std::vector<std::uint32_t> newlines(kWindow + 4);
  std::vector<std::string_view> lines(kWindow);
  for (std::size_t window = at; at < end; window += kWindow) {
    if (window >= mapped) {
      // Pages that the system maps at once are cheaper than a fault every few of them.
      const std::size_t from = window / kMapped * kMapped;
      (void)madvise(const_cast<char*>(text.data()) + from, std::min(kMapped, text.size() - from), MADV_POPULATE_READ);
      mapped = from + kMapped;
    }
    const std::size_t found = FindNewlines(text.substr(window, kWindow), newlines.data());
    std::size_t count = 0;
    const auto end_line = [&](std::size_t stop) {
      const std::size_t size = stop - at;
      lines[count++] = text.substr(at, size > 0 && text[stop - 1] == '\r' ? size - 1 : size);
      at = stop + 1;
    };
    while (count < found && at < end) end_line(window + newlines[count]);
    if (window + kWindow >= text.size() && at < std::min(end, text.size())) end_line(text.size());  // without a newline
    add(std::span(lines).first(count));
  }
}

// Lines of a plain file, each thread on a run of it and with a sketch of its own.
template <class Sketch>
absl::Status CountMapped(const MappedFile& file, const typename Sketch::Options& make, unsigned threads, Sketch& sketch) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  std::vector<Sketch> parts;
  for (unsigned i = 0; i < threads; ++i) parts.emplace_back(make);
  std::vector<absl::Status> counted(threads);
  const auto count = [&](unsigned i) {
    Feed<Sketch> part(parts[i]);
    counted[i] = file.Guard([&] {
      ForLines(text, text.size() * i / threads, text.size() * (i + 1) / threads,
               [&](std::span<const std::string_view> lines) { AddLines<Sketch>(part, lines); });
    });
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(count, i);
  count(0);
  for (std::thread& thread : others) thread.join();
  for (unsigned i = 0; i < threads; ++i) {
    THIMBLE_RETURN_IF_ERROR(counted[i]);
    THIMBLE_RETURN_IF_ERROR(sketch.Merge(parts[i]));
  }
  return absl::OkStatus();
}

bool IsNumber(const std::string& text) { return text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos; }

// Lines have no header unless somebody says so, since counting them must not lose the first; a column that is named has one.
Choice HeaderChoice(const CountOptions& options) {
  if (options.header != "auto") return options.header == "yes" ? Choice::kYes : Choice::kNo;
  if (!options.column.empty() && !IsNumber(options.column)) return Choice::kYes;
  return options.format == "lines" ? Choice::kNo : Choice::kAuto;
}

// The place of the column that was asked for: its name in the header, or its number, from 1.
absl::StatusOr<std::size_t> FindColumn(const CountOptions& options, const RecordReader& first, bool has_header) {
  if (options.column.empty()) {
    if (first.size() == 1) return 0;
    return absl::InvalidArgumentError("there are " + std::to_string(first.size()) + " columns: name one with --column");
  }
  for (std::size_t i = 0; has_header && i < first.size(); ++i) {
    if (first.field(i) == options.column) return i;
  }
  if (IsNumber(options.column)) {
    const std::size_t number = std::stoul(options.column);
    if (number >= 1 && number <= first.size()) return number - 1;
  }
  return absl::InvalidArgumentError("there is no column " + options.column + (has_header ? "" : "; the first row was not taken for names: --header yes"));
}

template <class Sketch>
absl::Status CountRecords(const CountOptions& options, Sketch& sketch) {
  THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, ByteSource::Open(options.path));
  RecordReader reader(*source, Dialect{});
  THIMBLE_ASSIGN_OR_RETURN(const std::string_view start, reader.Preview(kPreviewBytes));
  const Sniffed sniffed = Sniff(options.path, start, options.format, HeaderChoice(options));
  reader.set_dialect(sniffed.dialect);
  THIMBLE_ASSIGN_OR_RETURN(bool more, reader.Next());
  if (!more) return absl::OkStatus();
  THIMBLE_ASSIGN_OR_RETURN(const std::size_t column, FindColumn(options, reader, sniffed.has_header));
  if (sniffed.has_header) {
    THIMBLE_ASSIGN_OR_RETURN(more, reader.Next());
  }
  Feed<Sketch> feed(sketch);
  while (more) {
    // A row that is too short has no value there.
    if (column < reader.size()) feed.Add(reader.field(column));
    THIMBLE_ASSIGN_OR_RETURN(more, reader.Next());
  }
  return absl::OkStatus();
}

// A plain file of lines can be counted where it lies, and by several threads.
bool IsPlainFile(const CountOptions& options) {
  if (options.path == "-" || options.format != "lines" || !options.column.empty() || options.header == "yes") return false;
  // To look into a pipe is to take from it.
  if (std::error_code ignored; !std::filesystem::is_regular_file(options.path, ignored)) return false;
  const absl::StatusOr<std::unique_ptr<ByteSource>> source = ByteSource::Open(options.path);
  return source.ok() && (*source)->compression() == "plain";
}

template <class Sketch>
absl::Status CountInto(const CountOptions& options, const typename Sketch::Options& make, Sketch& sketch) {
  if (IsPlainFile(options)) {
    // What cannot be mapped is read.
    const absl::StatusOr<MappedFile> file = MappedFile::Open(options.path);
    if (file.ok() && !file->bytes().empty()) return CountMapped(*file, make, options.threads, sketch);
  }
  return In(options.path, CountRecords(options, sketch));
}

absl::Status Save(const std::string& path, std::span<const std::byte> image) {
  const InterruptsBlocked blocked;
  THIMBLE_ASSIGN_OR_RETURN(StoreWriter writer, StoreWriter::Create(path));
  THIMBLE_RETURN_IF_ERROR(writer.Add("distinct", image));
  return writer.Finish();
}

template <class Sketch>
int Run(const CountOptions& options, const typename Sketch::Options& make) {
  absl::StatusOr<Sketch> sketch = Sketch::Make(make);
  if (!sketch.ok()) return Complain(sketch.status());
  if (const absl::Status apart = CheckApart(options.path, options.sketch); !apart.ok()) return Complain(apart);
  if (const absl::Status named = CheckStoreName(options.sketch); !named.ok()) return Complain(named);
  if (const absl::Status counted = CountInto(options, make, *sketch); !counted.ok()) return Complain(counted);
  if (!options.sketch.empty()) {
    if (const absl::Status saved = Written(Save(options.sketch, sketch->image())); !saved.ok()) return Complain(saved);
  }
  const auto estimate = std::llround(sketch->Estimate());
  const auto lower = static_cast<long long>(std::floor(sketch->LowerBound(kSigmas)));
  const auto upper = static_cast<long long>(std::ceil(sketch->UpperBound(kSigmas)));
  if (options.json) {
    const nlohmann::ordered_json json = {{"schema", 1},        {"path", options.path}, {"distinct", estimate},
                                         {"lower", lower},     {"upper", upper},       {"confidence", 0.95},
                                         {"kind", std::string(KindName(Sketch::kKind))}, {"hash", options.hash},
                                         {"sketch_bytes", sketch->image().size()}};
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%lld %lld %lld %s\n", estimate, lower, upper, options.path.c_str());
  }
  return kOk;
}

HyperLogLog::Options HyperLogLogOptions(const CountOptions& options) {
  if (options.hash == "datasketches") {
    // Without HIP, which would depend on the order of lines.
    HyperLogLog::Options make = HyperLogLog::Options::DataSketches(options.precision);
    make.hip = false;
    return make;
  }
  if (options.hash == "postgres") return HyperLogLog::Options::PostgreSql(options.precision);
  if (options.hash == "redis") return HyperLogLog::Options::Redis();
  return {.precision = options.precision};
}

}  // namespace

int Count(const CountOptions& options) {
  if (options.hash == "redis" && options.precision != 14) return Complain(absl::InvalidArgumentError("redis has sketches of precision 14 only"));
  if (options.kind == "hll") return Run<HyperLogLog>(options, HyperLogLogOptions(options));
  const std::uint64_t k = std::uint64_t{1} << options.precision;
  if (options.kind == "kmv" && options.hash == "datasketches") return Run<KmvSketch>(options, KmvSketch::Options::DataSketches(k));
  if (options.hash != "thimble") return Complain(absl::InvalidArgumentError(options.hash + " has no sketch of kind " + options.kind));
  if (options.kind == "kmv") return Run<KmvSketch>(options, {.k = k});
  if (options.kind == "pcsa") return Run<Pcsa>(options, {.precision = options.precision});
#if THIMBLE_HAS_EXALOGLOG
  return Run<ExaLogLog>(options, {.precision = options.precision});
#else
  return Complain(absl::InvalidArgumentError("ExaLogLog was left out of this build"));
#endif
}

}  // namespace thimble::tools
