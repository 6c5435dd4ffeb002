#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// Names a record from Insert until Erase, whatever is updated meanwhile; then it may be given to another one.
enum class RecordId : std::uint64_t {};

// Image, header of 128 bytes, then the first page of each list of pages with about as much room (u32[40], page + 1), then pages:
//
//   0  u32 next, u32 previous page of its list (+ 1)     10  u16 end of the records     14  u8 list (+ 1), u8 zero
//   8  u16 slots (fixed: records)                         12  u16 free slots
//   16 records, one after another in the order of their slots           (fixed size: a bit for each record, then the records)
//      slots from the page's end downwards: u16, 14 bits of where the record begins and 2 bits of what it is
//
// A record ends where the next begins, so a slot needs no length. One of less than 8 bytes takes 8, the last of them its length:
// so every record can give way to the 8-byte id of its first chunk. Chunks are records with the id of the next one in front.
//
//   parameters: page bytes + record bytes * 2^32 (0: they vary), pages
class RecordHeapView {
 public:
  static constexpr Kind kKind = Kind::kRecordHeap;

  // One record. Iteration starts from a default one: for (Entry entry; heap.Next(entry);) ...
  struct Entry {
    RecordId id{};
    std::string_view record;  // in the image or in scratch, until the heap or this entry changes
    std::string scratch;
    std::uint64_t next = 0;
  };

  static absl::StatusOr<RecordHeapView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;

  std::span<const std::byte> image() const { return {image_, image_bytes_}; }
  std::uint64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::uint32_t page_bytes() const { return page_bytes_; }
  std::uint32_t record_bytes() const { return record_bytes_; }  // 0: they vary

  // The record, if it is there. It lies in the image, or in `scratch` when it had to be put together from chunks.
  std::optional<std::string_view> Find(RecordId id, std::string& scratch) const;
  bool contains(RecordId id) const;

  // Moves on to the next record, in the order of ids; false after the last.
  bool Next(Entry& entry) const;

  // Bytes of pages that hold nothing.
  std::uint64_t FreeBytes() const;

 protected:
  static constexpr std::uint64_t kPagesAt = 320;
  static constexpr unsigned kPageHeader = 16;
  static constexpr unsigned kLists = 40;
  static constexpr unsigned kSlotBits = 13;
  static constexpr RecordId kNoChunk{~std::uint64_t{0}};
  enum class SlotKind : unsigned { kRecord = 0, kShortOrFree = 1, kAway = 2, kChunk = 3 };
  struct Span {
    SlotKind kind;
    unsigned begin, end;  // in the page
  };

  ImageHeader Header() const;
  void Shape(std::uint64_t pages);
  const std::byte* Page(std::uint64_t page) const { return image_ + kPagesAt + page * page_bytes_; }
  unsigned SlotsOf(const std::byte* page) const;
  // Whatever the page says, the span lies in it.
  std::optional<Span> SpanOf(const std::byte* page, unsigned slot) const;
  unsigned FreeIn(const std::byte* page) const;
  bool Holds(const std::byte* page, unsigned index) const;  // records of fixed size
  std::optional<std::pair<const std::byte*, Span>> Locate(RecordId id) const;

  const std::byte* image_ = nullptr;
  std::uint64_t image_bytes_ = 0;
  std::uint64_t count_ = 0, pages_ = 0;
  std::uint32_t page_bytes_ = 0, record_bytes_ = 0;
  unsigned per_page_ = 0, records_at_ = 0;  // of fixed size
};

// Records of any length under stable ids, in slotted pages: the bytes of a page's records always lie together, and an update
// happens in place as long as the page has room.
//
//   RecordHeap heap({});
//   const RecordId id = *heap.Insert("a record");
//   heap.Update(id, "another, longer one");
//   std::string scratch;
//   heap.Find(id, scratch);      // std::optional<std::string_view>
//
//                           records found before       ids              entries and other views
//   Find, Next              those in `scratch`         -                -
//   Insert, Update          all                        -                all
//   Erase                   all                        that one         all
//
// Space    2 bytes a record (none of fixed size, but 1 bit) + 16 a page of 16 KiB, of which the last 63 bytes may stay unused; records of less than 8 bytes take 8
// Time     Find O(1); Insert, Update and Erase O(1) to find room, and a move within one page
// Threads  const methods are safe together; writers need exclusion
// Errors   the buffer's, when it cannot grow: nothing has changed then
// Paper    slotted pages: Gray, Reuter, "Transaction Processing", 14.3
class RecordHeap : public Owner<RecordHeapView> {
 public:
  struct Options {
    std::uint32_t record_bytes = 0;    // of every record, at most an eighth of a page; 0: they vary
    std::uint32_t page_bytes = 16384;  // 256 to 16384, a power of two
  };

  explicit RecordHeap(const Options& options);
  static absl::StatusOr<RecordHeap> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<RecordHeap> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);  // of an empty one
  static absl::StatusOr<RecordHeap> Open(Buffer buffer);

  // A new record must not lie in this heap. Returns kInvalidArgument if records have a fixed size and this one has another.
  absl::StatusOr<RecordId> Insert(std::string_view record);
  // Returns kNotFound if there is no such record.
  absl::Status Update(RecordId id, std::string_view record);
  // False if there is no such record.
  bool Erase(RecordId id);

  Stats stats() const;

 private:
  RecordHeap(RecordHeapView view, Buffer buffer);

  std::byte* MutablePage(std::uint64_t page) { return data() + kPagesAt + page * page_bytes_; }
  absl::StatusOr<std::uint64_t> PageWithRoom(unsigned bytes);
  void Unlist(std::uint64_t page);
  void List(std::uint64_t page);
  void Resize(std::uint64_t page, unsigned slot, unsigned bytes, SlotKind kind);
  void Fill(std::uint64_t page, unsigned slot, std::string_view front, std::string_view bytes);
  void Release(RecordId id);
  void ReleaseChunks(RecordId first);
  absl::StatusOr<RecordId> InsertAs(SlotKind kind, std::string_view front, std::string_view bytes);
  absl::StatusOr<RecordId> InsertChunks(std::string_view bytes);
  absl::StatusOr<RecordId> InsertFixed(std::string_view record);
  unsigned LargestInPage() const { return page_bytes_ / 4; }
  void WriteHeader();

  std::uint64_t peak_bytes_ = 0;
};

}  // namespace thimble
