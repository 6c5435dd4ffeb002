#pragma once

// A file system in memory whose power can be cut at any operation.
//
// What was synced survives. Of every other sector of 512 bytes, any version that it had since survives, or the one before;
// a sector that Write touched may also be garbage, since a disk may tear there (what the kernel writes back from a mapping,
// it writes whole). Names that were created, renamed or removed since their folder was synced are so up to some operation,
// and as before from there on. A file's length is any that it had since it was synced.

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "thimble/bytes.h"
#include "thimble/file_system.h"
#include "thimble/hash.h"

namespace thimble::testing {

class CrashingFileSystem final : public FileSystem {
 public:
  static constexpr std::size_t kSector = 512;
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kMaxFileBytes = std::size_t{1} << 16;

  // Cuts the power before the n-th operation from now, counting from 1, that could change what is on the disk.
  void CrashAt(int operation) { crash_at_ = operations_ + operation; }
  bool crashed() const { return dead_; }
  int operations() const { return operations_; }

  // What the disk holds when the power is back: one of the many possible states.
  std::unique_ptr<CrashingFileSystem> AfterCrash(std::mt19937_64& random) {
    if (!dead_) NoteStores();
    auto next = std::make_unique<CrashingFileSystem>();
    next->random_ = random_;
    std::map<std::string, std::shared_ptr<Inode>> names = durable_names_;
    const std::size_t kept = random() % (name_operations_.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) name_operations_[i](names);
    for (const auto& [name, inode] : names) next->names_[name] = inode->AfterCrash(random);
    next->durable_names_ = next->names_;
    return next;
  }

  // Identifies what the disk holds, for counting distinct states.
  std::uint64_t StateHash() const {
    std::uint64_t hash = 0;
    for (const auto& [name, inode] : names_) hash = Hash64(inode->current, Hash64(std::string_view(name), hash));
    return hash;
  }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    if (dead_) return Dead();
    auto found = names_.find(path);
    if (mode == Mode::kCreate) {
      if (found != names_.end()) return absl::AlreadyExistsError(path);
      if (Operation()) return Dead();
      const auto inode = std::make_shared<Inode>();
      found = names_.emplace(path, inode).first;
      name_operations_.push_back([path, inode](auto& names) { names[path] = inode; });
    }
    if (found == names_.end()) return absl::NotFoundError(path);
    return std::make_unique<CrashingFile>(*this, found->second);
  }

  absl::Status Rename(const std::string& from, const std::string& to, bool replace) override {
    if (Operation()) return Dead();
    if (!names_.contains(from)) return absl::NotFoundError(from);
    if (!replace && names_.contains(to)) return absl::AlreadyExistsError(to);
    const auto rename = [from, to](std::map<std::string, std::shared_ptr<Inode>>& names) {
      names[to] = names[from];
      names.erase(from);
    };
    rename(names_);
    name_operations_.push_back(rename);
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    if (Operation()) return Dead();
    if (names_.erase(path) == 0) return absl::NotFoundError(path);
    name_operations_.push_back([path](auto& names) { names.erase(path); });
    return absl::OkStatus();
  }

  absl::Status SyncParent(const std::string&) override {
    if (Operation()) return Dead();
    durable_names_ = names_;
    name_operations_.clear();
    return absl::OkStatus();
  }

  absl::StatusOr<std::uint64_t> Random() override { return Hash64(++random_); }

 private:
  struct Version {
    std::array<std::byte, kSector> bytes;
    bool may_tear;
  };

  struct Inode {
    Inode() { current.reserve(kMaxFileBytes); }

    std::vector<std::byte> current;  // what processes see; it never moves, for mappings point into it
    std::vector<std::byte> seen;     // the same at the last operation
    std::vector<std::byte> durable;
    std::map<std::size_t, std::vector<Version>> pending;  // versions of sectors since the last sync
    std::vector<std::size_t> sizes;                       // lengths since the last sync
    const void* locker = nullptr;
    int shared_mappings = 0;

    void Note(std::size_t from, std::size_t end, bool may_tear) {
      for (std::size_t sector = from / kSector; sector * kSector < end; ++sector) {
        Version version{.bytes = {}, .may_tear = may_tear};
        const std::size_t at = sector * kSector;
        if (at < current.size()) std::memcpy(version.bytes.data(), current.data() + at, std::min(kSector, current.size() - at));
        pending[sector].push_back(version);
      }
      seen = current;
    }

    // By memcmp: the standard library compares vectors of std::byte one at a time, which was half of a test's time.
    bool SeenIsCurrent() const {
      return seen.size() == current.size() && (seen.empty() || std::memcmp(seen.data(), current.data(), current.size()) == 0);
    }

    void NoteStores() {
      if (shared_mappings == 0 || SeenIsCurrent()) return;
      for (std::size_t at = 0; at < current.size(); at += kSector) {
        const std::size_t bytes = std::min(kSector, current.size() - at);
        if (at + bytes > seen.size() || std::memcmp(seen.data() + at, current.data() + at, bytes) != 0) {
          const std::vector<std::byte> before = std::move(seen);
          Note(at, at + bytes, false);
          seen = before;
        }
      }
      seen = current;
    }

    void Resize(std::size_t size) {
      const std::size_t before = current.size();
      current.resize(size);
      sizes.push_back(size);
      // What is cut off is gone, though the disk may still have it if the length was not.
      if (size < before) Note(size, before, false);
      seen = current;
    }

    void Sync() {
      durable = current;
      pending.clear();
      sizes.clear();
    }

    std::shared_ptr<Inode> AfterCrash(std::mt19937_64& random) const {
      auto next = std::make_shared<Inode>();
      std::vector<std::byte>& bytes = next->current;
      bytes = durable;
      bytes.reserve(kMaxFileBytes);
      const std::size_t choice = random() % (sizes.size() + 1);
      bytes.resize(choice == 0 ? durable.size() : sizes[choice - 1]);
      // Some crashes lose everything that was not synced, some nothing, most of them some.
      const std::uint64_t mood = random() % 8;
      for (const auto& [sector, versions] : pending) {
        const std::size_t at = sector * kSector;
        if (at >= bytes.size() || mood == 0) continue;
        std::array<std::byte, kSector> written = versions.back().bytes;
        if (mood > 1) {
          const std::size_t pick = random() % (versions.size() + 1);
          if (pick == 0) continue;
          written = versions[pick - 1].bytes;
          if (versions[pick - 1].may_tear && random() % 8 == 0) {
            for (std::byte& b : written) b = static_cast<std::byte>(random());
          }
        }
        std::memcpy(bytes.data() + at, written.data(), std::min(kSector, bytes.size() - at));
      }
      next->durable = next->seen = bytes;
      return next;
    }
  };

  class CrashingFile final : public File {
   public:
    CrashingFile(CrashingFileSystem& system, std::shared_ptr<Inode> inode) : system_(system), inode_(std::move(inode)) {}
    CrashingFile(const CrashingFile&) = delete;
    CrashingFile& operator=(const CrashingFile&) = delete;
    ~CrashingFile() override {
      if (inode_->locker == this) inode_->locker = nullptr;
    }

    absl::StatusOr<std::uint64_t> Size() override {
      if (system_.dead_) return Dead();
      return inode_->current.size();
    }
    absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) override {
      if (system_.dead_) return Dead();
      if (offset >= inode_->current.size()) return 0;
      const std::size_t count = std::min<std::size_t>(to.size(), inode_->current.size() - offset);
      std::memcpy(to.data(), inode_->current.data() + offset, count);
      return count;
    }
    absl::Status Write(std::uint64_t offset, std::span<const std::byte> from) override {
      if (system_.Operation()) return Dead();
      if (from.empty()) return absl::OkStatus();
      if (offset + from.size() > kMaxFileBytes) return absl::ResourceExhaustedError("full");
      if (offset + from.size() > inode_->current.size()) inode_->Resize(offset + from.size());
      std::memcpy(inode_->current.data() + offset, from.data(), from.size());
      inode_->Note(offset, offset + from.size(), true);
      return absl::OkStatus();
    }
    absl::Status Allocate(std::uint64_t bytes) override {
      if (system_.Operation()) return Dead();
      if (bytes > kMaxFileBytes) return absl::ResourceExhaustedError("full");
      if (bytes > inode_->current.size()) inode_->Resize(bytes);
      return absl::OkStatus();
    }
    absl::Status Truncate(std::uint64_t bytes) override {
      if (system_.Operation()) return Dead();
      inode_->Resize(bytes);
      return absl::OkStatus();
    }
    absl::Status Sync() override {
      if (system_.Operation()) return Dead();
      inode_->Sync();
      return absl::OkStatus();
    }
    absl::StatusOr<bool> TryLock() override {
      if (system_.dead_) return Dead();
      if (inode_->locker != nullptr && inode_->locker != this) return false;
      inode_->locker = this;
      return true;
    }

    absl::StatusOr<std::span<std::byte>> Map(MapAccess access, std::uint64_t offset, std::uint64_t bytes) override {
      if (system_.dead_) return Dead();
      if (access != MapAccess::kPrivate) {
        ++inode_->shared_mappings;
        return std::span<std::byte>(inode_->current.data() + offset, bytes);
      }
      privates_.push_back({offset, Pages(bytes), Pages(bytes)});
      Private& mapping = privates_.back();
      Show(mapping, 0);
      return mapping.pages.run(bytes);
    }
    absl::StatusOr<std::span<std::byte>> Remap(std::span<std::byte> run, std::uint64_t bytes) override {
      if (system_.dead_) return Dead();
      Private& mapping = Find(run);
      Pages grown(bytes), base(bytes);
      std::memcpy(grown.data(), mapping.pages.data(), mapping.pages.size());
      std::memcpy(base.data(), mapping.base.data(), mapping.base.size());
      const std::size_t before = mapping.pages.size();
      mapping.pages = std::move(grown);
      mapping.base = std::move(base);
      Show(mapping, before);
      return mapping.pages.run(bytes);
    }
    void Unmap(std::span<std::byte> run) noexcept override {
      const auto found = std::find_if(privates_.begin(), privates_.end(), [&](Private& p) { return p.pages.data() == run.data(); });
      if (found != privates_.end()) privates_.erase(found);
      else --inode_->shared_mappings;
    }
    absl::StatusOr<std::vector<std::uint64_t>> PrivatePages(std::span<const std::byte> run) override {
      if (system_.dead_) return Dead();
      const Private& mapping = Find(run);
      std::vector<std::uint64_t> pages;
      for (std::size_t at = 0; at < mapping.pages.size(); at += kPage) {
        if (std::memcmp(mapping.pages.data() + at, mapping.base.data() + at, kPage) != 0) pages.push_back(at / kPage);
      }
      return pages;
    }
    absl::Status DropPrivatePages(std::span<std::byte> run) override {
      if (system_.dead_) return Dead();
      Private& mapping = Find(run);
      const std::size_t from = static_cast<std::size_t>(run.data() - mapping.pages.data());
      for (std::size_t at = from; at < from + run.size(); at += kPage) ShowPage(mapping, at);
      return absl::OkStatus();
    }

   private:
    // Memory of whole pages, aligned as images are.
    class Pages {
     public:
      explicit Pages(std::size_t bytes) : size_(RoundUp(bytes, kPage)), bytes_(new(std::align_val_t{64}) std::byte[size_]) {}
      std::byte* data() const { return bytes_.get(); }
      std::size_t size() const { return size_; }
      std::span<std::byte> run(std::size_t bytes) const { return {bytes_.get(), bytes}; }

     private:
      struct Delete {
        void operator()(std::byte* bytes) const { operator delete[](bytes, std::align_val_t{64}); }
      };
      std::size_t size_;
      std::unique_ptr<std::byte[], Delete> bytes_;
    };
    struct Private {
      std::size_t offset;
      Pages pages;
      Pages base;  // what the file held where pages show it
    };

    Private& Find(std::span<const std::byte> run) {
      return *std::find_if(privates_.begin(), privates_.end(), [&](const Private& p) {
        return run.data() >= p.pages.data() && run.data() < p.pages.data() + p.pages.size();
      });
    }
    void Show(Private& mapping, std::size_t from) {
      for (std::size_t at = from; at < mapping.pages.size(); at += kPage) ShowPage(mapping, at);
    }
    void ShowPage(Private& mapping, std::size_t at) {
      const std::vector<std::byte>& file = inode_->current;
      const std::size_t from = std::min(mapping.offset + at, file.size());
      const std::size_t held = std::min(kPage, file.size() - from);
      if (held > 0) std::memcpy(mapping.base.data() + at, file.data() + from, held);
      std::memset(mapping.base.data() + at + held, 0, kPage - held);
      std::memcpy(mapping.pages.data() + at, mapping.base.data() + at, kPage);
    }

    CrashingFileSystem& system_;
    std::shared_ptr<Inode> inode_;
    std::vector<Private> privates_;
  };

  static absl::Status Dead() { return absl::AbortedError("the power is cut"); }

  void NoteStores() {
    for (const auto& [name, inode] : names_) inode->NoteStores();
  }

  // Whether this operation is not to be.
  bool Operation() {
    if (dead_) return true;
    NoteStores();
    dead_ = ++operations_ == crash_at_;
    return dead_;
  }

  std::map<std::string, std::shared_ptr<Inode>> names_;
  std::map<std::string, std::shared_ptr<Inode>> durable_names_;
  std::vector<std::function<void(std::map<std::string, std::shared_ptr<Inode>>&)>> name_operations_;
  std::uint64_t random_ = 0;
  int operations_ = 0;
  int crash_at_ = -1;
  bool dead_ = false;
};

}  // namespace thimble::testing
