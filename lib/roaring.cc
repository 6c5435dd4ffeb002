#include "thimble/roaring.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "sparse_entries.h"
#include "sparse_walk.h"
#include "status_macros.h"

namespace thimble {
namespace {

using sparse::Run;

constexpr std::uint32_t kCookie = 12347, kCookieWithoutRuns = 12346;
constexpr std::size_t kArrayMost = 4096, kBitmapBytes = 8192, kOffsetsFrom = 4;

absl::Status Damaged(const char* what) { return absl::DataLossError(std::string("roaring: ") + what); }

// Takes bytes off the front.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <class T>
  bool Read(T* to) {
    if (bytes_.size() < sizeof(T)) return false;
    *to = Load<T>(bytes_.data());
    bytes_ = bytes_.subspan(sizeof(T));
    return true;
  }
  // Null if there are fewer.
  const std::byte* Take(std::size_t bytes) {
    if (bytes_.size() < bytes) return nullptr;
    const std::byte* at = bytes_.data();
    bytes_ = bytes_.subspan(bytes);
    return at;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

absl::Status ReadContainer(Reader& in, bool runs, std::size_t count, std::uint64_t base, SparseSet::Builder& to) {
  if (runs) {
    std::uint16_t number = 0;
    if (!in.Read(&number)) return Damaged("cut short");
    const std::byte* at = in.Take(std::size_t{number} * 4);
    if (at == nullptr) return Damaged("cut short");
    std::size_t found = 0;
    for (unsigned i = 0; i < number; ++i, at += 4) {
      const std::uint32_t first = Load<std::uint16_t>(at), last = first + Load<std::uint16_t>(at + 2);
      if (last > 0xFFFF || !to.AddRange(base + first, base + last).ok()) return Damaged("runs do not ascend");
      found += last - first + 1;
    }
    return found == count ? absl::OkStatus() : Damaged("a container miscounts");
  }
  if (count <= kArrayMost) {
    const std::byte* at = in.Take(count * 2);
    if (at == nullptr) return Damaged("cut short");
    for (std::size_t i = 0; i < count; ++i) {
      if (!to.Add(base + Load<std::uint16_t>(at + i * 2)).ok()) return Damaged("numbers do not ascend");
    }
    return absl::OkStatus();
  }
  const std::byte* at = in.Take(kBitmapBytes);
  if (at == nullptr) return Damaged("cut short");
  std::array<std::uint64_t, kBitmapBytes / 8> words;
  std::memcpy(words.data(), at, kBitmapBytes);
  std::size_t found = 0;
  for (const std::uint64_t word : words) found += sparse::Popcount(word);
  if (found != count) return Damaged("a container miscounts");
  return to.AddBitmap(base, words).ok() ? absl::OkStatus() : Damaged("containers do not ascend");
}

absl::Status ReadBitmap(Reader& in, std::uint64_t high, SparseSet::Builder& to) {
  std::uint32_t cookie = 0, containers = 0;
  if (!in.Read(&cookie)) return Damaged("cut short");
  const std::byte* are_runs = nullptr;
  if ((cookie & 0xFFFF) == kCookie) {
    containers = (cookie >> 16) + 1;
    are_runs = in.Take((containers + 7) / 8);
    if (are_runs == nullptr) return Damaged("cut short");
  } else if (cookie != kCookieWithoutRuns) {
    return Damaged("unknown cookie");
  } else if (!in.Read(&containers)) {
    return Damaged("cut short");
  }
  if (containers > 65536) return Damaged("too many containers");
  const std::byte* keys = in.Take(std::size_t{containers} * 4);
  // The offsets say again where the containers stand, which is one behind the other.
  const bool offsets = are_runs == nullptr || containers >= kOffsetsFrom;
  if (keys == nullptr || (offsets && in.Take(std::size_t{containers} * 4) == nullptr)) return Damaged("cut short");
  int before = -1;
  for (std::uint32_t i = 0; i < containers; ++i) {
    const int key = Load<std::uint16_t>(keys + i * 4);
    const std::size_t count = std::size_t{Load<std::uint16_t>(keys + i * 4 + 2)} + 1;
    if (key <= before) return Damaged("containers do not ascend");
    before = key;
    const bool runs = are_runs != nullptr && (static_cast<unsigned>(are_runs[i / 8]) >> (i % 8) & 1) != 0;
    THIMBLE_RETURN_IF_ERROR(ReadContainer(in, runs, count, high << 32 | static_cast<std::uint64_t>(key) << 16, to));
  }
  return absl::OkStatus();
}

// The runs of one container, numbered within it.
struct Container {
  std::uint64_t key;  // element >> 16
  std::uint32_t count;
  std::size_t first_run, runs;
};

// Writes the bitmap of one high half.
class Writer {
 public:
  void Add(Run run) {
    for (;;) {
      const std::uint64_t key = run.first >> 16, more = std::min(run.more, 0xFFFF - (run.first & 0xFFFF));
      const bool same = !containers_.empty() && containers_.back().key == key;
      if (!same) containers_.push_back({key, 0, runs_.size(), 0});
      containers_.back().count += static_cast<std::uint32_t>(more + 1);
      const std::uint64_t first = run.first & 0xFFFF;
      if (same && runs_.back().last() + 1 == first) {
        runs_.back().more += more + 1;
      } else {
        runs_.push_back({first, more});
        ++containers_.back().runs;
      }
      if (more == run.more) return;
      run = {run.first + more + 1, run.more - more - 1};
    }
  }

  bool empty() const { return containers_.empty(); }
  std::uint64_t high() const { return containers_.front().key >> 16; }

  void Write(std::vector<std::byte>& out) {
    const std::size_t n = containers_.size(), begin = out.size();
    const bool with_runs = std::any_of(containers_.begin(), containers_.end(), IsRuns);
    if (with_runs) {
      Put(out, kCookie | static_cast<std::uint32_t>(n - 1) << 16);
      std::vector<std::byte> are_runs((n + 7) / 8);
      for (std::size_t i = 0; i < n; ++i) are_runs[i / 8] |= static_cast<std::byte>((IsRuns(containers_[i]) ? 1u : 0u) << (i % 8));
      out.insert(out.end(), are_runs.begin(), are_runs.end());
    } else {
      Put(out, kCookieWithoutRuns);
      Put(out, static_cast<std::uint32_t>(n));
    }
    for (const Container& container : containers_) {
      Put(out, static_cast<std::uint16_t>(container.key));
      Put(out, static_cast<std::uint16_t>(container.count - 1));
    }
    if (!with_runs || n >= kOffsetsFrom) {
      std::size_t offset = out.size() - begin + n * 4;
      for (const Container& container : containers_) {
        Put(out, static_cast<std::uint32_t>(offset));
        offset += Bytes(container);
      }
    }
    for (const Container& container : containers_) WriteContainer(container, out);
    containers_.clear();
    runs_.clear();
  }

 private:
  static std::size_t PlainBytes(const Container& c) { return c.count <= kArrayMost ? c.count * std::size_t{2} : kBitmapBytes; }
  static bool IsRuns(const Container& c) { return 2 + c.runs * 4 < PlainBytes(c); }
  static std::size_t Bytes(const Container& c) { return IsRuns(c) ? 2 + c.runs * 4 : PlainBytes(c); }

  template <class T>
  static void Put(std::vector<std::byte>& out, T value) {
    out.resize(out.size() + sizeof value);
    Store(out.data() + out.size() - sizeof value, value);
  }

  void WriteContainer(const Container& c, std::vector<std::byte>& out) {
    const std::span<const Run> runs = std::span(runs_).subspan(c.first_run, c.runs);
    if (IsRuns(c)) {
      Put(out, static_cast<std::uint16_t>(c.runs));
      for (const Run& run : runs) {
        Put(out, static_cast<std::uint16_t>(run.first));
        Put(out, static_cast<std::uint16_t>(run.more));
      }
    } else if (c.count <= kArrayMost) {
      for (const Run& run : runs) {
        for (std::uint64_t at = run.first; at <= run.last(); ++at) Put(out, static_cast<std::uint16_t>(at));
      }
    } else {
      const std::size_t at = out.size();
      out.resize(at + kBitmapBytes);
      for (const Run& run : runs) {
        for (std::uint64_t bit = run.first; bit <= run.last(); ++bit) out[at + bit / 8] |= static_cast<std::byte>(1u << (bit % 8));
      }
    }
  }

  std::vector<Container> containers_;
  std::vector<Run> runs_;
};

// Calls run() for the runs of a set in order.
template <class F>
void ForEachRun(const SparseSetView& set, F run) {
  for (SparseTreeWalk walk(set); !walk.done(); walk.Next()) {
    walk.leaf().ForEachRun([&](std::uint64_t first, std::uint64_t more) { run(Run{first, more}); });
  }
}

}  // namespace

absl::StatusOr<SparseSet> ParseRoaring(std::span<const std::byte> bytes) {
  Reader in(bytes);
  SparseSet::Builder builder;
  THIMBLE_RETURN_IF_ERROR(ReadBitmap(in, 0, builder));
  if (!in.empty()) return Damaged("bytes are left over");
  return std::move(builder).Finish();
}

absl::StatusOr<SparseSet> ParseRoaring64(std::span<const std::byte> bytes) {
  Reader in(bytes);
  SparseSet::Builder builder;
  std::uint64_t bitmaps = 0;
  if (!in.Read(&bitmaps)) return Damaged("cut short");
  std::optional<std::uint32_t> before;
  for (std::uint64_t i = 0; i < bitmaps; ++i) {
    std::uint32_t high = 0;
    if (!in.Read(&high)) return Damaged("cut short");
    if (before.has_value() && high <= *before) return Damaged("bitmaps do not ascend");
    before = high;
    THIMBLE_RETURN_IF_ERROR(ReadBitmap(in, high, builder));
  }
  if (!in.empty()) return Damaged("bytes are left over");
  return std::move(builder).Finish();
}

absl::StatusOr<std::vector<std::byte>> FormatRoaring(const SparseSetView& set) {
  if (!set.empty() && set.Select(set.size() - 1) >> 32 != 0) return absl::OutOfRangeError("roaring: an element needs more than 32 bits");
  Writer writer;
  ForEachRun(set, [&](const Run& run) { writer.Add(run); });
  std::vector<std::byte> out;
  writer.Write(out);
  return out;
}

std::vector<std::byte> FormatRoaring64(const SparseSetView& set) {
  std::vector<std::byte> out(8);
  std::uint64_t bitmaps = 0;
  Writer writer;
  const auto flush = [&] {
    if (writer.empty()) return;
    const auto high = static_cast<std::uint32_t>(writer.high());
    out.resize(out.size() + 4);
    Store(out.data() + out.size() - 4, high);
    writer.Write(out);
    ++bitmaps;
  };
  ForEachRun(set, [&](Run run) {
    for (;;) {
      if (!writer.empty() && writer.high() != run.first >> 32) flush();
      const std::uint64_t more = std::min(run.more, 0xFFFFFFFF - (run.first & 0xFFFFFFFF));
      writer.Add({run.first, more});
      if (more == run.more) return;
      run = {run.first + more + 1, run.more - more - 1};
    }
  });
  flush();
  Store(out.data(), bitmaps);
  return out;
}

}  // namespace thimble
