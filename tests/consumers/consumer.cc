// What a user's first program does: build a structure, save it, and use it again where it lies in the file.
#include <cstdio>
#include <string>

#include <thimble/string_store.h>
#include <thimble/store.h>
#include <thimble/store_writer.h>

static int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int main(int, char** argv) {
  const std::string path = std::string(argv[0]) + ".thimble";
  thimble::StringStore::Builder builder;
  for (int i = 0; i < 1000; ++i) {
    if (absl::Status added = builder.Add("value " + std::to_string(i)); !added.ok()) return Fail(added);
  }
  absl::StatusOr<thimble::StringStore> store = std::move(builder).Finish();
  if (!store.ok()) return Fail(store.status());

  absl::StatusOr<thimble::StoreWriter> writer = thimble::StoreWriter::Create(path);
  if (!writer.ok()) return Fail(writer.status());
  if (absl::Status added = writer->Add("values", store->image()); !added.ok()) return Fail(added);
  if (absl::Status finished = writer->Finish(); !finished.ok()) return Fail(finished);

  absl::StatusOr<thimble::StoreReader> reader = thimble::StoreReader::Open(path);
  if (!reader.ok()) return Fail(reader.status());
  absl::StatusOr<thimble::StringStoreView> view = reader->View<thimble::StringStoreView>("values");
  if (!view.ok()) return Fail(view.status());
  std::remove(path.c_str());
  return (*view)[7] == "value 7" ? 0 : 1;
}
