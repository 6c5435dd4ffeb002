#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.h"
#include "report/interrupts.h"
#include "report/output.h"
#include "status_macros.h"
#include "thimble/datasketches.h"
#include "thimble/file_system.h"
#include "thimble/postgres_hll.h"
#include "thimble/redis_hll.h"
#include "thimble/store.h"
#include "thimble/store_writer.h"

namespace thimble::tools {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kReadBytes = std::size_t{1} << 16;

struct ConvertOptions {
  std::string in, out, from = "auto", to = "thimble", section = "distinct";
  unsigned register_bits = 5;
};

// What a file may hold, whoever wrote it.
using Sketch = std::variant<HyperLogLog, DataSketchesHll, KmvSketch>;

// Told by the first bytes; a thimble store begins with none of these.
std::string FormatOf(const Bytes& bytes) {
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0u; };
  if (byte(0) == 'H' && byte(1) == 'Y' && byte(2) == 'L' && byte(3) == 'L') return "redis";
  if (byte(2) == 7 && byte(1) == 1) return "datasketches-hll";
  if (byte(2) == 3 && byte(1) >= 1 && byte(1) <= 4) return "datasketches-theta";
  if (byte(0) >> 4 == 1 && (byte(0) & 15) >= 1 && (byte(0) & 15) <= 4) return "postgres-hll";
  return "thimble";
}

// The whole file; or the start of one that begins as no foreign sketch, unless its format is known.
absl::StatusOr<Bytes> ReadSketch(const std::string& path, bool known) {
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return absl::UnavailableError(std::strerror(errno));
  Bytes bytes;
  std::size_t size = 0;
  do {
    bytes.resize(size + kReadBytes);
    size += std::fread(bytes.data() + size, 1, kReadBytes, file);
  } while (size == bytes.size() && (known || FormatOf(bytes) != "thimble"));
  bytes.resize(size);
  const absl::Status read = std::ferror(file) == 0 ? absl::OkStatus() : absl::UnavailableError(std::strerror(errno));
  if (file != stdin) std::fclose(file);
  if (!read.ok()) return read;
  return bytes;
}

absl::StatusOr<Sketch> ReadStore(const ConvertOptions& options) {
  if (options.in == "-") return absl::InvalidArgumentError("stdin: this is no foreign sketch, and a thimble store is a file: name it");
  THIMBLE_ASSIGN_OR_RETURN(const StoreReader store, StoreReader::Open(options.in));
  THIMBLE_ASSIGN_OR_RETURN(const SectionInfo info, store.Find(options.section));
  THIMBLE_ASSIGN_OR_RETURN(Buffer image, store.Load(options.section));
  if (info.kind == Kind::kHyperLogLog) return HyperLogLog::Open(std::move(image));
  if (info.kind == Kind::kKmvSketch) return KmvSketch::Open(std::move(image));
  return absl::InvalidArgumentError(options.in + ": section " + options.section + " is a " + std::string(KindName(info.kind)) +
                                    ", which no other format knows");
}

absl::StatusOr<Sketch> ReadForeign(const std::string& format, const Bytes& bytes) {
  if (format == "redis") return ReadRedisHll(bytes);
  if (format == "postgres-hll") return ReadPostgresHll(bytes);
  if (format == "datasketches-hll") return ReadDataSketchesHll(bytes);
  return ReadDataSketchesTheta(bytes);
}

absl::StatusOr<Sketch> Read(const ConvertOptions& options) {
  if (options.from == "thimble") return ReadStore(options);
  const absl::StatusOr<Bytes> bytes = ReadSketch(options.in, options.from != "auto");
  if (!bytes.ok()) return In(options.in, bytes.status());
  const std::string format = options.from == "auto" ? FormatOf(*bytes) : options.from;
  if (format == "thimble") return ReadStore(options);
  absl::StatusOr<Sketch> sketch = ReadForeign(format, *bytes);
  // What is none is told from what is damaged by the message alone.
  if (absl::IsFailedPrecondition(sketch.status())) return In(options.in, absl::DataLossError(sketch.status().message()));
  if (!sketch.ok()) return In(options.in, sketch.status());
  return sketch;
}

absl::StatusOr<Bytes> WriteHyperLogLog(const ConvertOptions& options, const HyperLogLog& sketch) {
  if (options.to == "redis") return WriteRedisHll(sketch);
  if (options.to == "postgres-hll") return WritePostgresHll(sketch, {.register_bits = options.register_bits});
  if (options.to == "datasketches-hll") return WriteDataSketchesHll(sketch);
  return absl::InvalidArgumentError("a HyperLogLog cannot become a Theta sketch");
}

absl::StatusOr<Bytes> Write(const ConvertOptions& options, const Sketch& sketch) {
  if (const auto* hll = std::get_if<HyperLogLog>(&sketch)) return WriteHyperLogLog(options, *hll);
  if (const auto* hll = std::get_if<DataSketchesHll>(&sketch)) {
    if (options.to == "datasketches-hll") return WriteDataSketchesHll(hll->sketch, hll->form);
    return WriteHyperLogLog(options, hll->sketch);
  }
  if (options.to == "datasketches-theta") return WriteDataSketchesTheta(std::get<KmvSketch>(sketch));
  return absl::InvalidArgumentError("a KMV sketch cannot become a HyperLogLog");
}

std::span<const std::byte> ImageOf(const Sketch& sketch) {
  if (const auto* hll = std::get_if<HyperLogLog>(&sketch)) return hll->image();
  if (const auto* hll = std::get_if<DataSketchesHll>(&sketch)) return hll->sketch.image();
  return std::get<KmvSketch>(sketch).image();
}

// The old file or the new one, whole.
absl::Status WriteFile(const std::string& path, const Bytes& bytes) {
  if (path == "-") {
    const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0;
    return written ? absl::OkStatus() : absl::UnavailableError("cannot write to stdout");
  }
  const InterruptsBlocked blocked;
  FileSystem& system = FileSystem::Real();
  const std::string temporary = path + ".tmp-" + std::to_string(getpid());
  const auto write = [&]() -> absl::Status {
    THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, system.Open(temporary, FileSystem::Mode::kCreate));
    THIMBLE_RETURN_IF_ERROR(file->Write(0, bytes));
    THIMBLE_RETURN_IF_ERROR(file->Sync());
    return system.Rename(temporary, path, /*replace=*/true);
  };
  if (absl::Status written = write(); !written.ok()) {
    (void)system.Remove(temporary);
    return written;
  }
  return system.SyncParent(path);
}

absl::Status WriteStore(const ConvertOptions& options, const Sketch& sketch) {
  const InterruptsBlocked blocked;
  THIMBLE_ASSIGN_OR_RETURN(StoreWriter writer, StoreWriter::Create(options.out));
  THIMBLE_RETURN_IF_ERROR(writer.Add(options.section, ImageOf(sketch)));
  return writer.Finish();
}

absl::Status Convert(const ConvertOptions& options) {
  THIMBLE_RETURN_IF_ERROR(CheckApart(options.in, options.out));
  THIMBLE_RETURN_IF_ERROR(CheckStoreName(options.out));
  THIMBLE_ASSIGN_OR_RETURN(const Sketch sketch, Read(options));
  if (options.to != "thimble") {
    THIMBLE_ASSIGN_OR_RETURN(const Bytes bytes, Write(options, sketch));
    return Written(WriteFile(options.out, bytes));
  }
  if (options.out == "-") return absl::InvalidArgumentError("a thimble store is a file: name one with --output");
  return Written(WriteStore(options, sketch));
}

}  // namespace

void AddConvert(CLI::App& app, int& exit_code) {
  CLI::App* convert = app.add_subcommand("convert", "Turn sketches into the formats of other engines, and theirs into ours");
  auto options = std::make_shared<ConvertOptions>();
  const CLI::IsMember formats({"thimble", "redis", "postgres-hll", "datasketches-hll", "datasketches-theta"});
  convert->footer(
      "A sketch keeps the hash that it was made with: what `thimble count --hash redis` made can go to Redis, and nowhere else.\n"
      "Values of other engines are raw bytes: what GET answers, what a bytea column or a binary column holds.");
  convert->add_option("file", options->in, "a store file or a foreign sketch; - for stdin (foreign only)")->required();
  convert->add_option("--from", options->from, "auto, or one of the formats of --to")
      ->check(CLI::IsMember({"auto", "thimble", "redis", "postgres-hll", "datasketches-hll", "datasketches-theta"}))
      ->capture_default_str();
  convert->add_option("--to", options->to, "thimble, redis, postgres-hll, datasketches-hll or datasketches-theta")->check(formats)->capture_default_str();
  convert->add_option("--section", options->section, "the section of the store file")->capture_default_str();
  convert->add_option("--register-bits", options->register_bits, "width of the registers of an hll column")->check(CLI::Range(1u, 8u))->capture_default_str();
  convert->add_option("-o,--output", options->out, "the file to write; - for stdout")->required();
  convert->callback([options, &exit_code] {
    const absl::Status converted = Convert(*options);
    exit_code = converted.ok() ? kOk : Complain(converted);
  });
}

}  // namespace thimble::tools
