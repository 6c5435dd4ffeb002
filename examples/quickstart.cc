// Builds a filter and a count over the same words, keeps both in one file, and queries them there without loading anything.

#include <cstdio>

#include <thimble/bloom_filter.h>
#include <thimble/hyperloglog.h>
#include <thimble/store.h>
#include <thimble/store_writer.h>

absl::Status Save(const char* path) {
  thimble::BloomFilter seen({.capacity = 1000, .false_positive_rate = 0.01});
  thimble::HyperLogLog distinct({.precision = 12});
  for (const char* word : {"needle", "thread", "thimble", "needle"}) {
    seen.Add(word);
    distinct.Add(word);
  }
  absl::StatusOr<thimble::StoreWriter> writer = thimble::StoreWriter::Create(path);
  if (!writer.ok()) return writer.status();
  if (absl::Status status = writer->Add("seen", seen.image()); !status.ok()) return status;
  if (absl::Status status = writer->Add("distinct", distinct.image()); !status.ok()) return status;
  return writer->Finish();
}

absl::Status Query(const char* path) {
  absl::StatusOr<thimble::StoreReader> store = thimble::StoreReader::Open(path);
  if (!store.ok()) return store.status();
  absl::StatusOr<thimble::BloomFilterView> seen = store->View<thimble::BloomFilterView>("seen");
  if (!seen.ok()) return seen.status();
  absl::StatusOr<thimble::HyperLogLogView> distinct = store->View<thimble::HyperLogLogView>("distinct");
  if (!distinct.ok()) return distinct.status();
  std::printf("thimble %d, haystack %d, about %.0f words\n", seen->Contains("thimble"), seen->Contains("haystack"), distinct->Estimate());
  return absl::OkStatus();
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "quickstart.thimble";
  absl::Status status = Save(path);
  if (status.ok()) status = Query(path);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
