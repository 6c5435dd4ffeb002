// commit_program PATH STATE: opens the journaled file at PATH, makes it hold STATE, commits and closes. A victim for
// injector.cc: exits with 0 when everything was acknowledged, with 3 after an error.

#include <cstdlib>
#include <new>
#include <string>

#include "test_image.h"
#include "thimble/live_file.h"

int main(int, char** arguments) {
  using thimble::testing::TestImage;
  const std::uint64_t state = std::strtoull(arguments[2], nullptr, 10);
  try {
    absl::StatusOr<thimble::JournaledFile> file = thimble::JournaledFile::Open(arguments[1]);
    if (!file.ok()) return 3;
    absl::StatusOr<thimble::Buffer> growing = file->Take("b");
    if (!growing.ok() || !growing->Grow(TestImage::ImageBytes(state * 1000)).ok()) return 3;
    TestImage(state * 1000, state, *std::move(growing));
    if (!file->Commit().ok()) return 3;
    return file->Close().ok() ? 0 : 3;
  } catch (const std::bad_alloc&) {
    return 3;
  }
}
