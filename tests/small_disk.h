#pragma once

#include <sys/mount.h>

#include <string>

#include "test_image.h"

namespace thimble::testing {

// A small file system in memory, where the process may mount one.
class SmallDisk {
 public:
  // `size` as tmpfs takes it: "64k".
  explicit SmallDisk(const std::string& size) : mounted_(mount("none", folder_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {}
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
  bool mounted_;
};

}  // namespace thimble::testing
