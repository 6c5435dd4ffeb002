#include "thimble/string_sorter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <span>
#include <utility>

#include "status_macros.h"
#include "thimble/bytes.h"

namespace thimble {

struct StringSorter::Place {
  std::uint64_t offset, size;
};

// An unnamed file: it is gone when it is closed, whatever happens.
class StringSorter::File {
 public:
  explicit File(const std::string& directory) : directory_(directory) {
    std::string name = directory + "/thimble-sort-XXXXXX";
    descriptor_ = mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ >= 0) unlink(name.c_str());
    else failed_ = Error("cannot create a file");
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  // Once it has failed, part of a run may be in the file, and nothing may follow.
  absl::Status Append(std::string_view bytes) {
    if (!failed_.ok()) return failed_;
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed_ = Error("cannot write");
      size_ += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Read(std::uint64_t at, std::span<char> out) const {
    while (!out.empty()) {
      const ssize_t got = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return got < 0 ? Error("cannot read") : absl::DataLossError("a sorted run in " + directory_ + " was cut");
      at += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
    return absl::OkStatus();
  }

  std::uint64_t size() const { return size_; }

 private:
  absl::Status Error(const char* what) const {
    return absl::ErrnoToStatus(errno, std::string(what) + " a sorted run in " + directory_);
  }

  std::string directory_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  absl::Status failed_;
};

// Merges the runs in the file and the one that is still in memory.
class StringSorter::Reading final : public StringSorter::Sorted {
 public:
  explicit Reading(StringSorter sorter) : sorter_(std::move(sorter)) {
    std::uint64_t begin = 0;
    for (const std::uint64_t end : sorter_.run_ends_) {
      runs_.push_back({begin, end});
      begin = end;
    }
  }

  absl::Status Rewind() override {
    heads_ = {};
    next_in_memory_ = 0;
    counted_ = 0;
    last_.clear();
    any_ = false;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      runs_[i].at = runs_[i].begin;
      runs_[i].buffer.clear();
      runs_[i].used = 0;
      THIMBLE_RETURN_IF_ERROR(PushHead(i));
    }
    return PushHead(runs_.size());
  }

  absl::StatusOr<bool> Next(std::string_view* key) override {
    while (!heads_.empty()) {
      // The head's string lies in its run's buffer until that run moves on.
      const Head head = heads_.top();
      heads_.pop();
      const bool duplicate = any_ && head.text == last_;
      if (!duplicate) last_.assign(head.text);
      any_ = true;
      THIMBLE_RETURN_IF_ERROR(PushHead(head.run));
      if (duplicate) {
        ++counted_;
        continue;
      }
      *key = last_;
      return true;
    }
    duplicates_ = counted_;
    return false;
  }

  std::uint64_t duplicates() const override { return duplicates_; }

 private:
  static constexpr std::size_t kReadBytes = 1 << 16;

  struct Run {
    std::uint64_t begin, end;
    std::uint64_t at = 0;  // of what is not in the buffer yet
    std::string buffer = {};
    std::size_t used = 0;
  };
  struct Head {
    std::string_view text;
    std::size_t run;
    // A priority queue has the largest on top.
    bool operator<(const Head& other) const { return text > other.text; }
  };

  // Makes `bytes` bytes lie in the run's buffer from `used` on.
  absl::Status Fill(Run& run, std::size_t bytes) {
    if (run.buffer.size() - run.used >= bytes) return absl::OkStatus();
    run.buffer.erase(0, run.used);
    run.used = 0;
    const std::size_t held = run.buffer.size();
    const std::uint64_t more = std::min<std::uint64_t>(std::max(bytes - held, kReadBytes), run.end - run.at);
    if (held + more < bytes) return absl::DataLossError("a sorted run was cut");
    run.buffer.resize(held + more);
    THIMBLE_RETURN_IF_ERROR(sorter_.file_->Read(run.at, std::span(run.buffer).subspan(held)));
    run.at += more;
    return absl::OkStatus();
  }

  // The next string of a run, if it has one; the run behind the last is the one in memory.
  absl::Status PushHead(std::size_t index) {
    if (index == runs_.size()) {
      if (next_in_memory_ == sorter_.count_) return absl::OkStatus();
      const Place place = sorter_.places()[next_in_memory_++];
      heads_.push({{reinterpret_cast<const char*>(sorter_.memory_.data()) + place.offset, place.size}, index});
      return absl::OkStatus();
    }
    Run& run = runs_[index];
    if (run.at == run.end && run.used == run.buffer.size()) return absl::OkStatus();
    THIMBLE_RETURN_IF_ERROR(Fill(run, 4));
    const auto size = Load<std::uint32_t>(reinterpret_cast<const std::byte*>(run.buffer.data()) + run.used);
    THIMBLE_RETURN_IF_ERROR(Fill(run, std::size_t{4} + size));
    heads_.push({std::string_view(run.buffer).substr(run.used + 4, size), index});
    run.used += std::size_t{4} + size;
    return absl::OkStatus();
  }

  StringSorter sorter_;
  std::vector<Run> runs_;
  std::priority_queue<Head> heads_;
  std::uint64_t next_in_memory_ = 0, counted_ = 0, duplicates_ = 0;
  std::string last_;
  bool any_ = false;
};

StringSorter::StringSorter(Options options)
    : options_(std::move(options)), memory_(Buffer::Heap(std::max<std::uint64_t>(options_.memory_bytes, 1 << 16) / 16 * 16)) {}
StringSorter::StringSorter(StringSorter&&) noexcept = default;
StringSorter::~StringSorter() = default;

StringSorter::Place* StringSorter::places() const {
  return reinterpret_cast<Place*>(memory_.data() + memory_.size()) - count_;
}

void StringSorter::Sort() {
  const auto* text = reinterpret_cast<const char*>(memory_.data());
  std::sort(places(), places() + count_, [text](const Place& a, const Place& b) {
    return std::string_view(text + a.offset, a.size) < std::string_view(text + b.offset, b.size);
  });
}

absl::Status StringSorter::WriteRun() {
  Sort();
  if (file_ == nullptr) file_ = std::make_unique<File>(options_.directory);
  std::string chunk;
  for (const Place* place = places(); place != places() + count_; ++place) {
    const auto size = static_cast<std::uint32_t>(place->size);
    chunk.append(reinterpret_cast<const char*>(&size), sizeof size);
    chunk.append(reinterpret_cast<const char*>(memory_.data()) + place->offset, place->size);
    if (chunk.size() >= (1 << 18)) {
      THIMBLE_RETURN_IF_ERROR(file_->Append(chunk));
      chunk.clear();
    }
  }
  THIMBLE_RETURN_IF_ERROR(file_->Append(chunk));
  run_ends_.push_back(file_->size());
  text_bytes_ = 0;
  count_ = 0;
  return absl::OkStatus();
}

absl::Status StringSorter::Add(std::string_view string) {
  if (string.size() > StringDictionary::kMaxKeyBytes || string.size() + sizeof(Place) > memory_.size()) {
    return absl::InvalidArgumentError("StringSorter: a string of " + std::to_string(string.size()) + " bytes");
  }
  if (text_bytes_ + string.size() + (count_ + 1) * sizeof(Place) > memory_.size()) THIMBLE_RETURN_IF_ERROR(WriteRun());
  if (!string.empty()) std::memcpy(memory_.data() + text_bytes_, string.data(), string.size());
  ++count_;
  *places() = {text_bytes_, string.size()};
  text_bytes_ += string.size();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<StringSorter::Sorted>> StringSorter::Finish() && {
  Sort();
  auto reading = std::make_unique<Reading>(std::move(*this));
  THIMBLE_RETURN_IF_ERROR(reading->Rewind());
  return reading;
}

}  // namespace thimble
