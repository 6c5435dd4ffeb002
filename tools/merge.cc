#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.h"
#include "file_limit.h"
#include "prefixed.h"
#include "report/interrupts.h"
#include "report/output.h"
#include "status_macros.h"
#include "thimble/bloom_filter.h"
#include "thimble/hyperloglog.h"
#include "thimble/kmv_map.h"
#include "thimble/kmv_sketch.h"
#include "thimble/morris_counter_array.h"
#include "thimble/pcsa.h"
#include "thimble/quotient_filter.h"
#include "thimble/split_block_bloom_filter.h"
#include "thimble/store.h"
#include "thimble/store_writer.h"
#if THIMBLE_HAS_EXALOGLOG
#include "thimble/exaloglog.h"
#endif

namespace thimble::tools {
namespace {

absl::Status InSection(const StoreReader& store, std::string_view section, const absl::Status& status) {
  return Prefixed(store.path() + ": section " + std::string(section), status);
}

// The library merges some sketches into coarser ones, which would make the result depend on their order.
template <class Sketch>
absl::Status CheckSameSize(const Sketch& a, const Sketch& b) {
  const auto check = [](const char* what, std::uint64_t x, std::uint64_t y) {
    return x == y ? absl::OkStatus() : absl::InvalidArgumentError(std::string(what) + " " + std::to_string(y) + ", not " + std::to_string(x));
  };
  if constexpr (requires { a.precision(); }) return check("has precision", a.precision(), b.precision());
  if constexpr (requires { a.k(); }) return check("has k =", a.k(), b.k());
  return absl::OkStatus();
}

// The section of the first store, with those of the others merged into it.
template <class Sketch>
absl::StatusOr<Buffer> MergeAs(const std::vector<StoreReader>& stores, std::string_view section) {
  THIMBLE_ASSIGN_OR_RETURN(Buffer copy, stores[0].Load(section));
  absl::StatusOr<Sketch> sketch = Sketch::Open(std::move(copy));
  if (!sketch.ok()) return InSection(stores[0], section, sketch.status());
  // What only the order of the keys gave is of no use to a union, and would make it depend on the order of the files.
  if constexpr (std::is_same_v<Sketch, HyperLogLog>) {
    if (sketch->Hip()) sketch = HyperLogLog::Union(*sketch, *sketch);
    if (!sketch.ok()) return InSection(stores[0], section, sketch.status());
  }
  for (std::size_t i = 1; i < stores.size(); ++i) {
    THIMBLE_ASSIGN_OR_RETURN(const Buffer other, stores[i].Load(section));
    const absl::StatusOr<Sketch> part = Sketch::Open(Buffer::Borrow(other.bytes()));
    if (!part.ok()) return InSection(stores[i], section, part.status());
    THIMBLE_RETURN_IF_ERROR(InSection(stores[i], section, CheckSameSize(*sketch, *part)));
    THIMBLE_RETURN_IF_ERROR(InSection(stores[i], section, sketch->Merge(part->view())));
  }
  return Buffer::Copy(sketch->image());
}

// One line a kind that merges.
struct MergeEntry {
  Kind kind;
  absl::StatusOr<Buffer> (*merge)(const std::vector<StoreReader>& stores, std::string_view section);
};
constexpr MergeEntry kMerges[] = {
    {Kind::kBloomFilter, MergeAs<BloomFilter>},
#if THIMBLE_HAS_EXALOGLOG
    {Kind::kExaLogLog, MergeAs<ExaLogLog>},
#endif
    {Kind::kHyperLogLog, MergeAs<HyperLogLog>},
    {Kind::kKmvMap, MergeAs<KmvMap>},
    {Kind::kKmvSketch, MergeAs<KmvSketch>},
    {Kind::kMorrisCounterArray, MergeAs<MorrisCounterArray>},
    {Kind::kPcsa, MergeAs<Pcsa>},
    {Kind::kQuotientFilter, MergeAs<QuotientFilter>},
    {Kind::kSplitBlockBloomFilter, MergeAs<SplitBlockBloomFilter>},
};

absl::Status CheckSameSections(const std::vector<StoreReader>& stores) {
  for (const StoreReader& store : stores) {
    for (std::size_t i = 0; i < store.size(); ++i) {
      const SectionInfo info = store.Section(i);
      for (const StoreReader& other : stores) {
        const absl::StatusOr<SectionInfo> same = other.Find(info.name);
        if (!same.ok() || same->kind != info.kind) {
          return absl::InvalidArgumentError(other.path() + " has no " + std::string(KindName(info.kind)) + " named " + std::string(info.name) +
                                            ", which " + store.path() + " has");
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Write(const std::string& path, const std::vector<std::pair<SectionInfo, Buffer>>& sections) {
  const InterruptsBlocked blocked;
  THIMBLE_ASSIGN_OR_RETURN(StoreWriter writer, StoreWriter::Create(path));
  for (const auto& [info, image] : sections) THIMBLE_RETURN_IF_ERROR(writer.Add(info.name, image.bytes(), info.codec));
  return writer.Finish();
}

absl::Status Merge(const std::vector<std::string>& paths, const std::string& out) {
  THIMBLE_RETURN_IF_ERROR(CheckStoreName(out));
  RaiseFileLimit();  // all are open at once
  std::vector<StoreReader> stores;
  for (const std::string& path : paths) {
    THIMBLE_ASSIGN_OR_RETURN(StoreReader store, StoreReader::Open(path));
    stores.push_back(std::move(store));
  }
  THIMBLE_RETURN_IF_ERROR(CheckSameSections(stores));
  std::vector<std::pair<SectionInfo, Buffer>> sections;
  for (std::size_t i = 0; i < stores[0].size(); ++i) {
    const SectionInfo info = stores[0].Section(i);
    const auto* entry = std::find_if(std::begin(kMerges), std::end(kMerges), [&](const MergeEntry& e) { return e.kind == info.kind; });
    if (entry == std::end(kMerges)) {
      return absl::InvalidArgumentError("section " + std::string(info.name) + ": a " + std::string(KindName(info.kind)) + " does not merge");
    }
    THIMBLE_ASSIGN_OR_RETURN(Buffer merged, entry->merge(stores, info.name));
    sections.emplace_back(info, std::move(merged));
  }
  return Written(Write(out, sections));
}

}  // namespace

void AddMerge(CLI::App& app, int& exit_code) {
  CLI::App* merge = app.add_subcommand("merge", "Merge the sketches of several files, section by section, into one");
  auto paths = std::make_shared<std::vector<std::string>>();
  auto out = std::make_shared<std::string>();
  merge->footer(
      "Merging the sketches of parts gives the sketch of the whole, bit for bit, in any order. All files must hold the same\n"
      "sections, made with the same options; the output may be one of them. Morris counters add up, as precise as those of the whole.");
  merge->add_option("files", *paths, "store files with sketches")->required();
  merge->add_option("-o,--output", *out, "the file to write")->required();
  merge->callback([paths, out, &exit_code] {
    const absl::Status merged = Merge(*paths, *out);
    exit_code = merged.ok() ? kOk : Complain(merged);
  });
}

}  // namespace thimble::tools
