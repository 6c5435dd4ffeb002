#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "command.h"
#include "kinds.h"
#include "status_macros.h"
#include "thimble/store.h"

namespace thimble::tools {
namespace {

absl::Status Named(const StoreReader& store, const SectionInfo& info, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), store.path() + ": section " + std::string(info.name) + ": " + std::string(status.message()));
}

// The image under a section says nothing wrong.
absl::Status VerifyContents(const StoreReader& store, const SectionInfo& info) {
  const KindEntry* kind = FindKind(info.kind);
  if (kind == nullptr) return absl::OkStatus();  // bytes, whose checksum was looked at
  if (info.codec == Codec::kNone) {
    THIMBLE_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, store.Bytes(info.name));
    return Named(store, info, kind->verify(bytes));
  }
  THIMBLE_ASSIGN_OR_RETURN(const Buffer bytes, store.Load(info.name));
  return Named(store, info, kind->verify(bytes.bytes()));
}

// Every byte of the file against its checksums, then what the sections say.
absl::Status VerifyFile(const std::string& path) {
  THIMBLE_ASSIGN_OR_RETURN(const StoreReader store, StoreReader::Open(path));
  THIMBLE_RETURN_IF_ERROR(store.Verify(std::thread::hardware_concurrency()));
  absl::Status verified;
  THIMBLE_RETURN_IF_ERROR(Guarded(store.file(), [&] {
    for (std::size_t i = 0; i < store.size() && verified.ok(); ++i) {
      const absl::StatusOr<SectionInfo> info = store.Section(i);
      verified = info.ok() ? VerifyContents(store, *info) : info.status();
    }
  }));
  if (verified.ok()) std::printf("%s: ok, %zu sections\n", path.c_str(), store.size());
  return verified;
}

// The gravest answer of all files.
int Run(const std::vector<std::string>& paths) {
  int worst = kOk;
  for (const std::string& path : paths) {
    if (const absl::Status status = VerifyFile(path); !status.ok()) worst = std::max(worst, Complain(status));
  }
  return worst;
}

}  // namespace

void AddVerify(CLI::App& app, int& exit_code) {
  CLI::App* verify = app.add_subcommand("verify", "Read every byte of store files, and say whether it is right");
  auto paths = std::make_shared<std::vector<std::string>>();
  verify->add_option("files", *paths, "store files")->required();
  verify->callback([=, &exit_code] { exit_code = Run(*paths); });
}

}  // namespace thimble::tools
