#include "thimble/record_heap.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "status_macros.h"
#include "thimble/bytes.h"

namespace thimble {
namespace {

constexpr unsigned kShort = 8;  // what every record takes at least
constexpr unsigned kSlotsField = 8, kEndField = 10, kFreeSlotsField = 12, kListField = 14;

// Lists of pages by free bytes, four for each power of two from 64 on; pages with less are in none.
constexpr unsigned ListOf(unsigned free) {
  if (free < 64) return 0;
  const auto log = static_cast<unsigned>(std::bit_width(free)) - 1;
  return 4 * (log - 6) + ((free >> (log - 2)) & 3) + 1;
}

constexpr std::uint64_t PageOf(RecordId id) { return static_cast<std::uint64_t>(id) >> 13; }
constexpr unsigned SlotOf(RecordId id) { return static_cast<unsigned>(static_cast<std::uint64_t>(id) & LowBits(13)); }
constexpr RecordId IdOf(std::uint64_t page, unsigned slot) { return RecordId{page << 13 | slot}; }

std::string_view AsText(const std::byte* at, std::size_t size) { return {reinterpret_cast<const char*>(at), size}; }

absl::Status CheckOptions(const RecordHeap::Options& options) {
  if (options.page_bytes < 256 || options.page_bytes > 16384 || !std::has_single_bit(options.page_bytes)) {
    return absl::InvalidArgumentError("a page has 256 to 16384 bytes, a power of two");
  }
  if (options.record_bytes > options.page_bytes / 8) return absl::InvalidArgumentError("a record of fixed size is at most an eighth of a page");
  return absl::OkStatus();
}

}  // namespace

// --- Layout

void RecordHeapView::Shape(std::uint64_t pages) {
  pages_ = pages;
  ImageLayout layout(kPagesAt);
  layout.Add(pages, 8 * std::uint64_t{page_bytes_});
  image_bytes_ = layout.image_bytes();
  if (record_bytes_ == 0) return;
  // Of one byte each, more would fit into a page than an id can tell apart.
  per_page_ = std::min<unsigned>((page_bytes_ - kPageHeader) * 8 / (record_bytes_ * 8 + 1), 1u << kSlotBits);
  records_at_ = kPageHeader + (per_page_ + 7) / 8;
  while (records_at_ + per_page_ * record_bytes_ > page_bytes_) --per_page_;
}

ImageHeader RecordHeapView::Header() const {
  ImageHeader header{.kind = kKind, .header_bytes = 128, .image_bytes = image_bytes_, .count = count_, .used_bytes = image_bytes_};
  header.parameters = {page_bytes_ | std::uint64_t{record_bytes_} << 32, pages_};
  return header;
}

absl::StatusOr<RecordHeapView> RecordHeapView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  if (header.header_bytes != 128) return absl::DataLossError("RecordHeap: bad header length");
  RecordHeapView view;
  view.image_ = image.data();
  view.page_bytes_ = static_cast<std::uint32_t>(header.parameters[0]);
  view.record_bytes_ = static_cast<std::uint32_t>(header.parameters[0] >> 32);
  view.count_ = header.count;
  if (!CheckOptions({.record_bytes = view.record_bytes_, .page_bytes = view.page_bytes_}).ok()) {
    return absl::DataLossError("RecordHeap: impossible sizes");
  }
  view.Shape(header.parameters[1]);
  if (view.image_bytes_ != header.image_bytes) return absl::DataLossError("RecordHeap: sizes do not add up");
  return view;
}

unsigned RecordHeapView::SlotsOf(const std::byte* page) const {
  return std::min<unsigned>(Load<std::uint16_t>(page + kSlotsField), (page_bytes_ - kPageHeader) / 2);
}

std::optional<RecordHeapView::Span> RecordHeapView::SpanOf(const std::byte* page, unsigned slot) const {
  const unsigned slots = SlotsOf(page);
  if (slot >= slots) return std::nullopt;
  const unsigned word = Load<std::uint16_t>(page + page_bytes_ - 2 * (slot + 1));
  const unsigned begin = word & LowBits(14);
  const unsigned end = slot + 1 == slots ? Load<std::uint16_t>(page + kEndField)
                                         : Load<std::uint16_t>(page + page_bytes_ - 2 * (slot + 2)) & static_cast<unsigned>(LowBits(14));
  if (begin < kPageHeader || end < begin || end > page_bytes_ - 2 * slots) return std::nullopt;
  const Span span{static_cast<SlotKind>(word >> 14), begin, end};
  // Kinds that are read as more than bytes have them.
  if (span.kind != SlotKind::kRecord && end - begin < kShort && end != begin) return std::nullopt;
  if ((span.kind == SlotKind::kAway || span.kind == SlotKind::kChunk) && end - begin < kShort) return std::nullopt;
  return span;
}

unsigned RecordHeapView::FreeIn(const std::byte* page) const {
  if (record_bytes_ != 0) {
    return (per_page_ - std::min<unsigned>(Load<std::uint16_t>(page + kSlotsField), per_page_)) * record_bytes_;
  }
  const unsigned taken = Load<std::uint16_t>(page + kEndField) + 2 * SlotsOf(page);
  return page_bytes_ - std::min(taken, page_bytes_);
}

std::uint64_t RecordHeapView::FreeBytes() const {
  std::uint64_t free = 0;
  for (std::uint64_t page = 0; page < pages_; ++page) free += FreeIn(Page(page));
  return free;
}

// --- Reading

bool RecordHeapView::Holds(const std::byte* page, unsigned index) const {
  return index < per_page_ && ((Load<std::uint8_t>(page + kPageHeader + index / 8) >> (index % 8)) & 1) != 0;
}

std::optional<std::pair<const std::byte*, RecordHeapView::Span>> RecordHeapView::Locate(RecordId id) const {
  if (PageOf(id) >= pages_) return std::nullopt;
  const std::byte* page = Page(PageOf(id));
  const std::optional<Span> span = SpanOf(page, SlotOf(id));
  if (!span || (span->kind == SlotKind::kShortOrFree && span->begin == span->end)) return std::nullopt;
  return std::pair(page, *span);
}

std::optional<std::string_view> RecordHeapView::Find(RecordId id, std::string& scratch) const {
  if (record_bytes_ != 0) {
    if (PageOf(id) >= pages_ || !Holds(Page(PageOf(id)), SlotOf(id))) return std::nullopt;
    return AsText(Page(PageOf(id)) + records_at_ + SlotOf(id) * record_bytes_, record_bytes_);
  }
  const auto found = Locate(id);
  if (!found || found->second.kind == SlotKind::kChunk) return std::nullopt;
  const auto [page, span] = *found;
  const std::byte* at = page + span.begin;
  switch (span.kind) {
    case SlotKind::kRecord: return AsText(at, span.end - span.begin);
    case SlotKind::kShortOrFree: return AsText(at, std::min<unsigned>(Load<std::uint8_t>(at + kShort - 1), kShort - 1));
    default: break;
  }
  scratch.clear();
  auto next = Load<RecordId>(at);
  // A chunk holds at least a byte, so a chain that is longer than the image runs in a circle.
  while (next != kNoChunk) {
    const auto chunk = Locate(next);
    if (!chunk || chunk->second.kind != SlotKind::kChunk || chunk->second.end - chunk->second.begin <= 8) return std::nullopt;
    next = Load<RecordId>(chunk->first + chunk->second.begin);
    scratch += AsText(chunk->first + chunk->second.begin + 8, chunk->second.end - chunk->second.begin - 8);
    if (scratch.size() > image_bytes_) return std::nullopt;
  }
  return scratch;
}

bool RecordHeapView::contains(RecordId id) const {
  if (record_bytes_ != 0) return PageOf(id) < pages_ && Holds(Page(PageOf(id)), SlotOf(id));
  const auto found = Locate(id);
  return found && found->second.kind != SlotKind::kChunk;
}

bool RecordHeapView::Next(Entry& entry) const {
  std::uint64_t page = entry.next >> kSlotBits;
  auto slot = static_cast<unsigned>(entry.next & LowBits(kSlotBits));
  for (; page < pages_; ++page, slot = 0) {
    const unsigned slots = record_bytes_ != 0 ? per_page_ : SlotsOf(Page(page));
    for (; slot < slots; ++slot) {
      const std::optional<std::string_view> record = Find(IdOf(page, slot), entry.scratch);
      if (!record) continue;
      entry.id = IdOf(page, slot);
      entry.record = *record;
      entry.next = static_cast<std::uint64_t>(entry.id) + 1;
      return true;
    }
  }
  return false;
}

absl::Status RecordHeapView::Verify() const {
  std::uint64_t records = 0, chunks = 0, chained = 0;
  for (std::uint64_t number = 0; number < pages_; ++number) {
    const std::byte* page = Page(number);
    if (record_bytes_ != 0) {
      unsigned held = 0;
      for (unsigned i = 0; i < per_page_; ++i) held += Holds(page, i);
      if (held != Load<std::uint16_t>(page + kSlotsField)) return absl::DataLossError("RecordHeap: a page's count is wrong");
      records += held;
    } else {
      const unsigned slots = SlotsOf(page);
      unsigned end = kPageHeader, free = 0;
      for (unsigned slot = 0; slot < slots; ++slot) {
        const std::optional<Span> span = SpanOf(page, slot);
        if (!span || span->begin != end) return absl::DataLossError("RecordHeap: a page's slots are damaged");
        end = span->end;
        const bool is_free = span->kind == SlotKind::kShortOrFree && span->begin == span->end;
        free += is_free;
        chunks += span->kind == SlotKind::kChunk;
        if (is_free || span->kind == SlotKind::kChunk) continue;
        ++records;
        if (span->kind == SlotKind::kShortOrFree && Load<std::uint8_t>(page + span->begin + kShort - 1) >= kShort) {
          return absl::DataLossError("RecordHeap: a short record's length is damaged");
        }
        if (span->kind != SlotKind::kAway) continue;
        for (auto next = Load<RecordId>(page + span->begin); next != kNoChunk; ++chained) {
          const auto chunk = Locate(next);
          if (!chunk || chunk->second.kind != SlotKind::kChunk || chained > image_bytes_ / kShort) {
            return absl::DataLossError("RecordHeap: a record's chunks are damaged");
          }
          next = Load<RecordId>(chunk->first + chunk->second.begin);
        }
      }
      if (end != Load<std::uint16_t>(page + kEndField) || free != Load<std::uint16_t>(page + kFreeSlotsField)) {
        return absl::DataLossError("RecordHeap: a page's slots are damaged");
      }
    }
    if (Load<std::uint8_t>(page + kListField) != ListOf(FreeIn(page))) return absl::DataLossError("RecordHeap: a page is in the wrong list");
  }
  if (records != count_ || chunks != chained) return absl::DataLossError("RecordHeap: the counts are wrong");
  // Every page that names a list is met once on the lists.
  std::uint64_t listed = 0, met = 0;
  for (std::uint64_t page = 0; page < pages_; ++page) listed += Load<std::uint8_t>(Page(page) + kListField) != 0;
  for (unsigned list = 0; list < kLists; ++list) {
    std::uint32_t before = 0;
    for (auto at = Load<std::uint32_t>(image_ + 128 + 4 * list); at != 0; at = Load<std::uint32_t>(Page(at - 1))) {
      if (at > pages_ || ++met > listed) return absl::DataLossError("RecordHeap: a list of pages is damaged");
      if (Load<std::uint8_t>(Page(at - 1) + kListField) != list || Load<std::uint32_t>(Page(at - 1) + 4) != before) {
        return absl::DataLossError("RecordHeap: a list of pages is damaged");
      }
      before = at;
    }
  }
  if (met != listed) return absl::DataLossError("RecordHeap: a page is in no list");
  return absl::OkStatus();
}

// --- Making

RecordHeap::RecordHeap(RecordHeapView view, Buffer buffer) : Owner(view, std::move(buffer)) { peak_bytes_ = this->buffer().size(); }

std::uint64_t RecordHeap::ImageBytes(const Options&) { return ImageLayout(kPagesAt).image_bytes(); }

absl::StatusOr<RecordHeap> RecordHeap::Make(const Options& options) { return Make(options, Buffer::Heap(ImageBytes(options))); }

absl::StatusOr<RecordHeap> RecordHeap::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  const std::uint64_t bytes = ImageBytes(options);
  if (buffer.size() < bytes) return absl::InvalidArgumentError("RecordHeap: the buffer is too small");
  ImageHeader header{.kind = kKind, .header_bytes = 128, .image_bytes = bytes, .used_bytes = bytes};
  header.parameters = {options.page_bytes | std::uint64_t{options.record_bytes} << 32, 0};
  header.Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const RecordHeapView empty, ViewOf(buffer));
  return RecordHeap(empty, std::move(buffer));
}

RecordHeap::RecordHeap(const Options& options) : RecordHeap(Make(options).value()) {}

absl::StatusOr<RecordHeap> RecordHeap::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const RecordHeapView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return RecordHeap(view, std::move(buffer));
}

void RecordHeap::WriteHeader() { Header().Write(buffer().bytes()); }

// --- Pages

void RecordHeap::Unlist(std::uint64_t page) {
  std::byte* at = MutablePage(page);
  const auto list = Load<std::uint8_t>(at + kListField);
  if (list == 0) return;
  const auto next = Load<std::uint32_t>(at), before = Load<std::uint32_t>(at + 4);
  if (next != 0) Store(MutablePage(next - 1) + 4, before);
  Store(before != 0 ? MutablePage(before - 1) : data() + 128 + 4 * list, next);
  std::memset(at, 0, 8);
  Store(at + kListField, std::uint8_t{0});
}

// Puts a page in the list of its free bytes.
void RecordHeap::List(std::uint64_t page) {
  std::byte* at = MutablePage(page);
  const unsigned list = ListOf(FreeIn(at));
  if (Load<std::uint8_t>(at + kListField) == list) return;
  Unlist(page);
  if (list == 0) return;
  std::byte* head = data() + 128 + 4 * list;
  const auto next = Load<std::uint32_t>(head);
  Store(at, next);
  Store(at + kListField, static_cast<std::uint8_t>(list));
  if (next != 0) Store(MutablePage(next - 1) + 4, static_cast<std::uint32_t>(page + 1));
  Store(head, static_cast<std::uint32_t>(page + 1));
}

// A page with so much room, found by its list, or a new one.
absl::StatusOr<std::uint64_t> RecordHeap::PageWithRoom(unsigned bytes) {
  // From the first list whose pages all have it.
  for (unsigned list = ListOf(bytes - 1) + 1; list < kLists; ++list) {
    if (const auto page = Load<std::uint32_t>(data() + 128 + 4 * list); page != 0) return page - 1;
  }
  const std::uint64_t page = pages_;
  if (page >= 0xFFFFFFFE) return absl::ResourceExhaustedError("RecordHeap: 2^32 pages");
  Shape(page + 1);
  const std::uint64_t needed = image_bytes_;
  Shape(page);
  if (needed > buffer().size()) {
    const std::uint64_t held = buffer().size();
    // A little ahead, as every step costs a system call; borrowed bytes and full files get no more than they need.
    if (!buffer().Grow(std::max(needed, held + held / 64)).ok()) THIMBLE_RETURN_IF_ERROR(buffer().Grow(needed));
    image_ = data();
    peak_bytes_ = std::max<std::uint64_t>(peak_bytes_, buffer().size() + (held < (1u << 20) ? held : 0));
  }
  Shape(page + 1);
  std::memset(MutablePage(page), 0, page_bytes_ + kImageSlack);
  Store(MutablePage(page) + kEndField, static_cast<std::uint16_t>(kPageHeader));
  List(page);
  WriteHeader();
  return page;
}

// Gives a slot so many bytes, and moves what stands behind it in the page. Requires: the page has room.
void RecordHeap::Resize(std::uint64_t page, unsigned slot, unsigned bytes, SlotKind kind) {
  std::byte* at = MutablePage(page);
  const Span span = *SpanOf(at, slot);
  const unsigned slots = SlotsOf(at), end = Load<std::uint16_t>(at + kEndField);
  const unsigned to = span.begin + bytes;
  std::memmove(at + to, at + span.end, end - span.end);
  if (to < span.end) std::memset(at + end - (span.end - to), 0, span.end - to);
  std::byte* word = at + page_bytes_ - 2 * (slot + 1);
  Store(word, static_cast<std::uint16_t>(span.begin | static_cast<unsigned>(kind) << 14));
  const unsigned shift = to - span.end;
  for (unsigned i = slot + 1; i < slots && shift != 0; ++i) {
    word -= 2;
    Store(word, static_cast<std::uint16_t>(Load<std::uint16_t>(word) + shift));
  }
  Store(at + kEndField, static_cast<std::uint16_t>(end + shift));
}

void RecordHeap::Fill(std::uint64_t page, unsigned slot, std::string_view front, std::string_view bytes) {
  std::byte* at = MutablePage(page);
  const Span span = *SpanOf(at, slot);
  at += span.begin;
  if (span.kind == SlotKind::kShortOrFree) {
    std::memset(at, 0, kShort);
    at[kShort - 1] = static_cast<std::byte>(bytes.size());
  }
  if (!front.empty()) std::memcpy(at, front.data(), front.size());
  if (!bytes.empty()) std::memcpy(at + front.size(), bytes.data(), bytes.size());
}

// --- Inserting

absl::StatusOr<RecordId> RecordHeap::InsertAs(SlotKind kind, std::string_view front, std::string_view bytes) {
  const auto taken = std::max(kShort, static_cast<unsigned>(front.size() + bytes.size()));
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t page, PageWithRoom(taken + 2));
  std::byte* at = MutablePage(page);
  unsigned slot = SlotsOf(at);
  if (const auto free = Load<std::uint16_t>(at + kFreeSlotsField); free != 0) {
    slot = 0;
    for (std::optional<Span> span = SpanOf(at, 0);; span = SpanOf(at, ++slot)) {
      if (span->kind == SlotKind::kShortOrFree && span->begin == span->end) break;
    }
    Store(at + kFreeSlotsField, static_cast<std::uint16_t>(free - 1));
  } else {
    Store(at + kSlotsField, static_cast<std::uint16_t>(slot + 1));
    Store(at + page_bytes_ - 2 * (slot + 1), Load<std::uint16_t>(at + kEndField));
  }
  Resize(page, slot, taken, kind);
  Fill(page, slot, front, bytes);
  List(page);
  return IdOf(page, slot);
}

absl::StatusOr<RecordId> RecordHeap::InsertChunks(std::string_view bytes) {
  const std::size_t most = LargestInPage() - 8;
  RecordId next = kNoChunk;
  for (std::size_t end = bytes.size(); end > 0;) {
    const std::size_t size = (end - 1) % most + 1;
    const absl::StatusOr<RecordId> chunk =
        InsertAs(SlotKind::kChunk, {reinterpret_cast<const char*>(&next), sizeof next}, bytes.substr(end - size, size));
    if (!chunk.ok()) {
      ReleaseChunks(next);
      return chunk;
    }
    next = *chunk;
    end -= size;
  }
  return next;
}

absl::StatusOr<RecordId> RecordHeap::InsertFixed(std::string_view record) {
  if (record.size() != record_bytes_) return absl::InvalidArgumentError("RecordHeap: all records have the same size");
  // A page in any list has room for a record.
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t page, PageWithRoom(1));
  std::byte* at = MutablePage(page);
  unsigned index = 0;
  while (at[kPageHeader + index / 8] == std::byte{0xFF}) index += 8;
  while (Holds(at, index)) ++index;
  Store(at + kSlotsField, static_cast<std::uint16_t>(Load<std::uint16_t>(at + kSlotsField) + 1));
  at[kPageHeader + index / 8] |= std::byte{1} << (index % 8);
  std::memcpy(at + records_at_ + index * record_bytes_, record.data(), record.size());
  List(page);
  return IdOf(page, index);
}

absl::StatusOr<RecordId> RecordHeap::Insert(std::string_view record) {
  absl::StatusOr<RecordId> id = RecordId{};
  if (record_bytes_ != 0) {
    id = InsertFixed(record);
  } else if (record.size() < kShort) {
    id = InsertAs(SlotKind::kShortOrFree, {}, record);
  } else if (record.size() <= LargestInPage()) {
    id = InsertAs(SlotKind::kRecord, {}, record);
  } else {
    THIMBLE_ASSIGN_OR_RETURN(const RecordId first, InsertChunks(record));
    id = InsertAs(SlotKind::kAway, {reinterpret_cast<const char*>(&first), sizeof first}, {});
    if (!id.ok()) ReleaseChunks(first);
  }
  if (!id.ok()) return id;
  ++count_;
  WriteHeader();
  return id;
}

// --- Updating and erasing

absl::Status RecordHeap::Update(RecordId id, std::string_view record) {
  if (!contains(id)) return absl::NotFoundError("RecordHeap: no such record");
  if (record_bytes_ != 0) {
    if (record.size() != record_bytes_) return absl::InvalidArgumentError("RecordHeap: all records have the same size");
    std::memcpy(MutablePage(PageOf(id)) + records_at_ + SlotOf(id) * record_bytes_, record.data(), record.size());
    return absl::OkStatus();
  }
  const std::uint64_t page = PageOf(id);
  const Span before = *SpanOf(Page(page), SlotOf(id));
  const RecordId chunks = before.kind == SlotKind::kAway ? Load<RecordId>(Page(page) + before.begin) : kNoChunk;
  const auto taken = std::max<std::size_t>(kShort, record.size());
  if (taken <= LargestInPage() && taken <= FreeIn(Page(page)) + (before.end - before.begin)) {
    Resize(page, SlotOf(id), static_cast<unsigned>(taken), record.size() < kShort ? SlotKind::kShortOrFree : SlotKind::kRecord);
    Fill(page, SlotOf(id), {}, record);
  } else {
    THIMBLE_ASSIGN_OR_RETURN(const RecordId first, InsertChunks(record));
    Resize(page, SlotOf(id), kShort, SlotKind::kAway);
    Fill(page, SlotOf(id), {reinterpret_cast<const char*>(&first), sizeof first}, {});
  }
  List(page);
  ReleaseChunks(chunks);
  return absl::OkStatus();
}

void RecordHeap::ReleaseChunks(RecordId first) {
  while (first != kNoChunk) {
    const auto chunk = Locate(first);
    if (!chunk || chunk->second.kind != SlotKind::kChunk) return;
    const auto next = Load<RecordId>(chunk->first + chunk->second.begin);
    Release(first);
    first = next;
  }
}

// Frees a slot, and those that are free at the page's end altogether.
void RecordHeap::Release(RecordId id) {
  const std::uint64_t page = PageOf(id);
  std::byte* at = MutablePage(page);
  Resize(page, SlotOf(id), 0, SlotKind::kShortOrFree);
  unsigned slots = SlotsOf(at), free = Load<std::uint16_t>(at + kFreeSlotsField) + 1u;
  for (std::optional<Span> span = SpanOf(at, slots - 1); span && span->kind == SlotKind::kShortOrFree && span->begin == span->end;) {
    Store(at + page_bytes_ - 2 * slots, std::uint16_t{0});
    Store(at + kSlotsField, static_cast<std::uint16_t>(--slots));
    --free;
    span = slots == 0 ? std::nullopt : SpanOf(at, slots - 1);
  }
  Store(at + kFreeSlotsField, static_cast<std::uint16_t>(free));
  List(page);
}

bool RecordHeap::Erase(RecordId id) {
  if (!contains(id)) return false;
  if (record_bytes_ != 0) {
    std::byte* at = MutablePage(PageOf(id));
    at[kPageHeader + SlotOf(id) / 8] &= ~(std::byte{1} << (SlotOf(id) % 8));
    std::memset(at + records_at_ + SlotOf(id) * record_bytes_, 0, record_bytes_);
    Store(at + kSlotsField, static_cast<std::uint16_t>(Load<std::uint16_t>(at + kSlotsField) - 1));
    List(PageOf(id));
  } else {
    const Span span = *SpanOf(Page(PageOf(id)), SlotOf(id));
    const RecordId chunks = span.kind == SlotKind::kAway ? Load<RecordId>(Page(PageOf(id)) + span.begin) : kNoChunk;
    Release(id);
    ReleaseChunks(chunks);
  }
  --count_;
  WriteHeader();
  return true;
}

Stats RecordHeap::stats() const {
  const std::uint64_t free = FreeBytes();
  return {.live_bytes = image_bytes_ - free, .slack_bytes = free + (buffer().size() - image_bytes_), .peak_bytes = peak_bytes_};
}

}  // namespace thimble
