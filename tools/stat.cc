#include <sys/mman.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "command.h"
#include "kinds.h"
#include "report/format.h"
#include "status_macros.h"
#include "thimble/store.h"

namespace thimble::tools {
namespace {

constexpr std::uint64_t kPage = 4096;

struct Section {
  SectionInfo info;
  std::optional<Contents> contents;
  std::uint64_t pages = 0, resident_pages = 0;
};

// How many of the pages under the section the kernel has in memory.
void CountPages(const StoreReader& store, Section& section) {
  const std::uint64_t first = section.info.offset / kPage;
  section.pages = (section.info.offset + section.info.stored_bytes + kPage - 1) / kPage - first;
  std::vector<unsigned char> resident(section.pages);
  auto* start = const_cast<std::byte*>(store.file().data()) + first * kPage;
  if (mincore(start, section.pages * kPage, resident.data()) != 0) return;
  for (const unsigned char page : resident) section.resident_pages += page & 1;
}

absl::StatusOr<std::vector<Section>> ReadSections(const StoreReader& store) {
  std::vector<Section> sections;
  for (std::size_t i = 0; i < store.size(); ++i) {
    Section section;
    section.info = store.Section(i);
    CountPages(store, section);
    const KindEntry* kind = FindKind(section.info.kind);
    if (kind != nullptr && section.info.codec == Codec::kNone) {
      THIMBLE_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, store.Bytes(section.info.name));
      THIMBLE_ASSIGN_OR_RETURN(section.contents, kind->contents(bytes));
    }
    sections.push_back(section);
  }
  return sections;
}

std::string_view CodecName(Codec codec) { return codec == Codec::kZstd ? "zstd" : "none"; }

double BitsPerElement(const Section& section) {
  return 8.0 * static_cast<double>(section.info.bytes) / static_cast<double>(section.contents->elements);
}

// A count as a whole number, whatever a damaged sketch answers.
std::uint64_t Whole(double count) { return count >= 0 && count < 0x1p64 ? static_cast<std::uint64_t>(count) : ~std::uint64_t{0}; }

bool HasElements(const Section& section) { return section.contents && section.contents->elements > 0; }

void PrintTable(const StoreReader& store, const std::vector<Section>& sections) {
  std::printf("%s: %s, %s, %s, epoch %llu\n", store.path().c_str(), HumanBytes(static_cast<double>(store.file_bytes())).c_str(),
              Counted(sections.size(), "section").c_str(), std::string(StateName(store.state())).c_str(), static_cast<unsigned long long>(store.epoch()));
  std::printf("%-32s %-20s %-5s %7s %11s %6s %6s %5s\n", "section", "kind", "codec", "bytes", "elements", "b/elem", "bound", "in RAM");
  for (const Section& section : sections) {
    const double resident = section.pages == 0 ? 0 : 100.0 * static_cast<double>(section.resident_pages) / static_cast<double>(section.pages);
    std::printf("%s %s %-5s %7s %11s %6s %6s %4.0f%%\n", PadRight(Shorten(section.info.name, 32), 32).c_str(),
                PadRight(KindName(section.info.kind), 20).c_str(), std::string(CodecName(section.info.codec)).c_str(),
                HumanBytes(static_cast<double>(section.info.bytes)).c_str(),
                section.contents ? Thousands(section.contents->elements).c_str() : "-",
                HasElements(section) ? Figure(BitsPerElement(section)).c_str() : "-",
                HasElements(section) && section.contents->bound_bits ? Figure(*section.contents->bound_bits).c_str() : "-", resident);
  }
  for (const Section& section : sections) {
    if (!section.contents || !section.contents->distinct) continue;
    const Interval& distinct = *section.contents->distinct;
    std::printf("%s: %s distinct keys, %s to %s (95 %%)\n", Shorten(section.info.name, 32).c_str(), Thousands(Whole(std::round(distinct.estimate))).c_str(),
                Thousands(Whole(std::floor(distinct.lower))).c_str(), Thousands(Whole(std::ceil(distinct.upper))).c_str());
  }
}

void PrintJson(const StoreReader& store, const std::vector<Section>& sections) {
  using Json = nlohmann::ordered_json;
  Json json = {{"schema", 1}, {"path", store.path()}, {"file_bytes", store.file_bytes()}, {"state", StateName(store.state())}, {"epoch", store.epoch()}, {"sections", Json::array()}};
  for (const Section& section : sections) {
    const bool has = HasElements(section);
    Json distinct;
    if (section.contents && section.contents->distinct) {
      const Interval& keys = *section.contents->distinct;
      distinct = {{"estimate", Whole(std::round(keys.estimate))}, {"lower", Whole(std::floor(keys.lower))}, {"upper", Whole(std::ceil(keys.upper))}, {"confidence", 0.95}};
    }
    json["sections"].push_back({{"name", section.info.name},
                                {"kind", KindName(section.info.kind)},
                                {"codec", CodecName(section.info.codec)},
                                {"offset", section.info.offset},
                                {"stored_bytes", section.info.stored_bytes},
                                {"bytes", section.info.bytes},
                                {"elements", section.contents ? Json(section.contents->elements) : Json()},
                                {"bits_per_element", has ? Json(BitsPerElement(section)) : Json()},
                                {"bound_bits_per_element", has && section.contents->bound_bits ? Json(*section.contents->bound_bits) : Json()},
                                {"distinct", distinct},
                                {"pages", section.pages},
                                {"resident_pages", section.resident_pages}});
  }
  std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

int RunStat(const std::string& path, bool json) {
  const absl::StatusOr<StoreReader> store = StoreReader::Open(path);
  if (!store.ok()) return Complain(store.status());
  absl::StatusOr<std::vector<Section>> sections = absl::UnknownError("not read");
  // The file may be cut short while it is read.
  const absl::Status read = Guarded(store->file(), [&] { sections = ReadSections(*store); });
  if (!read.ok()) return Complain(In(path, read));
  if (!sections.ok()) return Complain(sections.status());
  json ? PrintJson(*store, *sections) : PrintTable(*store, *sections);
  return kOk;
}

}  // namespace

void AddStat(CLI::App& app, int& exit_code) {
  CLI::App* stat = app.add_subcommand("stat", "Show what a store file holds, against the theoretical bound");
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  stat->add_option("file", *path, "a store file")->required();
  stat->add_flag("--json", *json, "print JSON");
  stat->callback([=, &exit_code] { exit_code = RunStat(*path, *json); });
}

}  // namespace thimble::tools
