#pragma once

#include "thimble/record_heap.h"

namespace thimble::testing {

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

}  // namespace thimble::testing
