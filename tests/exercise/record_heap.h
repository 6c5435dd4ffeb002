#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "thimble/record_heap.h"

namespace thimble {

// Calls every const method, with ids that are there and odd ones.
inline void Exercise(const RecordHeapView& view) {
  (void)view.image();
  (void)view.size();
  (void)view.empty();
  (void)view.page_bytes();
  (void)view.record_bytes();
  (void)view.FreeBytes();
  (void)view.Verify();
  std::size_t sum = 0;
  std::string scratch;
  RecordHeapView::Entry entry;
  for (int i = 0; i < 100 && view.Next(entry); ++i) {
    for (const char c : entry.record) sum += static_cast<unsigned char>(c);
    sum += view.contains(entry.id);
  }
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{8191}, std::uint64_t{8192}, ~std::uint64_t{0}}) {
    if (const auto record = view.Find(RecordId{id}, scratch)) sum += record->size();
    sum += view.contains(RecordId{id});
  }
  volatile std::size_t keep = sum;
  (void)keep;
}

// Calls every mutator.
inline void Mutate(RecordHeap& heap) {
  std::vector<RecordId> ids;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string record(heap.record_bytes() > 0 ? heap.record_bytes() : i * i % 600, 'r');
    if (absl::StatusOr<RecordId> id = heap.Insert(record); id.ok()) ids.push_back(*id);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i % 3 == 0) heap.Update(ids[i], std::string(heap.record_bytes() > 0 ? heap.record_bytes() : 900 - i, 'u')).IgnoreError();
    if (i % 3 == 1) (void)heap.Erase(ids[i]);
  }
}

}  // namespace thimble
