#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/string_dictionary.h"

namespace thimble {

// Puts strings in order that do not fit in memory, so that a StringDictionary can be built from them.
//
//   StringSorter sorter({.memory_bytes = 256 << 20});
//   for (std::string_view line : lines) sorter.Add(line);
//   const auto sorted = *std::move(sorter).Finish();
//   const StringDictionary dictionary = *StringDictionary::FromSource(*sorted, {});
//   sorted->duplicates();
//
// Space    memory_bytes, while reading 64 KiB more for each run of so many; on disk the strings + 4 B each beyond that, in an
//          unnamed file of `directory`
// Time     O(n log n): sorted runs as large as the memory, merged in one pass, again for each reading
// Threads  one at a time
// Errors   Add and reading return the system's answer if the file cannot be written or read, naming the directory; after an error
//          of writing nothing more can be added
class StringSorter {
 public:
  struct Options {
    std::uint64_t memory_bytes = std::uint64_t{256} << 20;  // at least 64 KiB
    std::string directory = "/tmp";
  };

  // The strings in ascending order, each once.
  class Sorted : public StringDictionary::Source {
   public:
    // How many strings of the last complete reading were equal to the one before.
    virtual std::uint64_t duplicates() const = 0;
  };

  explicit StringSorter(Options options);
  StringSorter(StringSorter&&) noexcept;
  ~StringSorter();

  // Returns kInvalidArgument if the string is longer than a dictionary's keys may be, or than the memory.
  absl::Status Add(std::string_view string);
  absl::StatusOr<std::unique_ptr<Sorted>> Finish() &&;

 private:
  struct Place;
  class File;
  class Reading;

  Place* places() const;
  void Sort();
  absl::Status WriteRun();

  Options options_;
  Buffer memory_;  // strings from the front, their places from the back
  std::uint64_t text_bytes_ = 0, count_ = 0;
  std::unique_ptr<File> file_;
  std::vector<std::uint64_t> run_ends_;
};

}  // namespace thimble
