#pragma once

#include <cstddef>
#include <functional>

#include <absl/status/status.h>

namespace thimble::footprint {

// A child of this process that does one thing and answers through a pipe. It dies with its parent, and with this object.
class Forked {
 public:
  // Runs `work` in the child, which ends with it. It gets the pipe to write to, and returns whether it succeeded.
  explicit Forked(const std::function<bool(int out)>& work);
  Forked(Forked&& other) noexcept;
  Forked& operator=(Forked&& other) noexcept;
  ~Forked();

  // Becomes readable when there is an answer, or the child is gone.
  int fd() const { return fd_; }

  // Reads the next `size` bytes of the answer. Returns kAborted if the child ended before it gave them, and says how.
  absl::Status Read(void* answer, std::size_t size);
  // The same for the last of it, after which the child has ended.
  absl::Status Wait(void* answer, std::size_t size);

 private:
  int fd_ = -1;
  int pid_ = -1;
};

}  // namespace thimble::footprint
