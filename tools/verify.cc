#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.h"
#include "kinds.h"
#include "report/format.h"
#include "prefixed.h"
#include "status_macros.h"
#include "thimble/repair.h"
#include "thimble/store.h"

namespace thimble::tools {
namespace {

struct VerifyOptions {
  std::vector<std::string> paths;
  bool deep = true;
  bool repair = false;
};

// The image under a section says nothing wrong.
absl::Status VerifyContents(const StoreReader& store, const SectionInfo& info) {
  const std::string where = store.path() + ": section " + std::string(info.name);
  const KindEntry* kind = FindKind(info.kind);
  if (kind == nullptr) return absl::OkStatus();  // bytes, whose checksum was looked at
  if (info.codec == Codec::kNone) {
    THIMBLE_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, store.Bytes(info.name));
    return Prefixed(where, kind->verify(bytes));
  }
  THIMBLE_ASSIGN_OR_RETURN(const Buffer bytes, store.Load(info.name));
  return Prefixed(where, kind->verify(bytes.bytes()));
}

// What every section says, as its structure sees it.
absl::Status VerifyAllContents(const StoreReader& store) {
  absl::Status verified;
  THIMBLE_RETURN_IF_ERROR(In(store.path(), Guarded(store.file(), [&] {
    for (std::size_t i = 0; i < store.size() && verified.ok(); ++i) verified = VerifyContents(store, store.Section(i));
  })));
  return verified;
}

// Every byte of the file against its checksums, each damage on a line of its own; then, unless only checksums were asked for,
// what the sections say.
int VerifyFile(const std::string& path, const VerifyOptions& options) {
  if (options.repair) {
    if (const absl::Status repaired = Repair(path); !repaired.ok()) return Complain(repaired);
  }
  const absl::StatusOr<StoreReader> store = StoreReader::Open(path);
  if (!store.ok()) return Complain(store.status());
  const std::vector<Damage> damage = store->FindDamage(std::thread::hardware_concurrency());
  for (const Damage& one : damage) {
    std::fprintf(stderr, "thimble: %s: %s, bytes %llu to %llu: %s\n", path.c_str(), Clean(one.where).c_str(),
                 static_cast<unsigned long long>(one.offset), static_cast<unsigned long long>(one.offset + one.bytes), one.what.c_str());
  }
  if (!damage.empty()) return kCorrupt;
  const absl::Status contents = options.deep ? VerifyAllContents(*store) : absl::OkStatus();
  if (!contents.ok()) return Complain(contents);
  std::printf("%s: ok, %s, %s, epoch %llu\n", path.c_str(), Counted(store->size(), "section").c_str(), std::string(StateName(store->state())).c_str(),
              static_cast<unsigned long long>(store->epoch()));
  if (store->state() == FileState::kDirty) {
    std::printf("%s: was not closed, so its sections have no checksums; --repair closes it\n", path.c_str());
  }
  return kOk;
}

// The gravest answer of all files.
int RunVerify(const VerifyOptions& options) {
  int worst = kOk;
  for (const std::string& path : options.paths) worst = std::max(worst, VerifyFile(path, options));
  return worst;
}

}  // namespace

void AddVerify(CLI::App& app, int& exit_code) {
  CLI::App* verify = app.add_subcommand("verify", "Read every byte of store files, and say whether it is right");
  auto options = std::make_shared<VerifyOptions>();
  verify->add_option("files", options->paths, "store files")->required();
  verify->add_flag("--deep,!--shallow", options->deep, "also what the structures make of their sections (the default); --shallow: checksums only");
  verify->add_flag("--repair", options->repair, "first rewrite a damaged superblock from the other; recover and close a live file left open");
  verify->callback([=, &exit_code] { exit_code = RunVerify(*options); });
}

}  // namespace thimble::tools
