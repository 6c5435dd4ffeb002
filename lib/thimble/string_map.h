#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "thimble/bits.h"
#include "thimble/string_dictionary.h"

namespace thimble {

namespace internal {

// What can be kept by its bytes; a Record has none of its own.
template <class T>
concept MapValue = std::is_trivially_copyable_v<T> && !std::is_empty_v<T>;

// The parts of a map's image: a dictionary, and a run of values of one width.
struct StringMapParts {
  std::span<const std::byte> image;
  StringDictionaryView keys;
  const std::byte* values = nullptr;
  std::uint64_t value_bytes = 0;  // sizeof(T)
  bool packed = false;            // T is an integer
  std::uint64_t base = 0;         // added to each packed value
  unsigned width = 0;             // bits of a packed value, or 8 * sizeof(T)

  static absl::StatusOr<StringMapParts> Open(std::span<const std::byte> image);
  static absl::StatusOr<StringMapParts> Open(std::span<const std::byte> image, std::uint64_t value_bytes, bool packed);
  static absl::StatusOr<Buffer> Write(const StringDictionaryView& keys, std::span<const std::byte> values, std::uint64_t value_bytes,
                                      bool packed, std::uint64_t base, unsigned width, Buffer buffer);
};

}  // namespace internal

// A StringMap whose type of values is not known: its keys.
class RawStringMapView {
 public:
  static constexpr Kind kKind = Kind::kStringMap;

  static absl::StatusOr<RawStringMapView> Open(std::span<const std::byte> image);
  absl::Status Verify() const { return parts_.keys.Verify(); }
  std::span<const std::byte> image() const { return parts_.image; }

  std::uint64_t size() const { return parts_.keys.size(); }
  const StringDictionaryView& keys() const { return parts_.keys; }
  // Bits of a value.
  unsigned width() const { return parts_.width; }

 private:
  internal::StringMapParts parts_;
};

// The read side of a StringMap.
template <class T>
  requires internal::MapValue<T>
class StringMapView {
 public:
  static constexpr Kind kKind = Kind::kStringMap;
  static constexpr bool kPacked = std::integral<T> && sizeof(T) <= 8;

  // Holds nothing: to be assigned to.
  StringMapView() = default;
  // Returns kFailedPrecondition if the values are of another size.
  static absl::StatusOr<StringMapView> Open(std::span<const std::byte> image) {
    absl::StatusOr<internal::StringMapParts> parts = internal::StringMapParts::Open(image, sizeof(T), kPacked);
    if (!parts.ok()) return parts.status();
    return StringMapView(*parts);
  }
  absl::Status Verify() const { return parts_.keys.Verify(); }
  std::span<const std::byte> image() const { return parts_.image; }

  std::uint64_t size() const { return parts_.keys.size(); }
  bool empty() const { return size() == 0; }
  // Everything about the keys; an id of a key is the index of its value.
  const StringDictionaryView& keys() const { return parts_.keys; }

  // The value of a key.
  std::optional<T> Find(std::string_view key) const {
    const std::optional<std::uint64_t> id = parts_.keys.Find(key);
    if (!id) return std::nullopt;
    return Value(*id);
  }
  bool Contains(std::string_view key) const { return parts_.keys.Contains(key); }
  // The value of the key with this id. Requires: id < size().
  T Value(std::uint64_t id) const {
    if (id >= size()) id = 0;
    if constexpr (kPacked) {
      return size() == 0 ? T() : static_cast<T>(ReadBits(parts_.values, id * parts_.width, parts_.width) + parts_.base);
    } else {
      T value{};
      if (size() > 0) std::memcpy(&value, parts_.values + id * sizeof(T), sizeof(T));
      return value;
    }
  }

 protected:
  explicit StringMapView(const internal::StringMapParts& parts) : parts_(parts) {}

 private:
  internal::StringMapParts parts_;
};

// A StringDictionary with a value for each key: any type that can be copied by its bytes; integers in as many bits as they
// need above the smallest. Values that are a Record stand in PackedRecords in the order of the keys: the id of a key is the
// number of its record.
//
//   StringMap<std::uint32_t>::Builder builder;
//   if (absl::Status added = builder.Add("apple", 3); !added.ok()) return added;   // keys ascend
//   const auto map = *std::move(builder).Finish();
//   map.Find("apple");                             // optional 3
//
// Space    the dictionary + log2(largest - smallest + 1) bits a value, or sizeof(T)
// Time     StringDictionary's + one cache miss
// Threads  const methods are safe together
// Errors   Builder::Add returns kInvalidArgument if a key is not above the one before
template <class T>
  requires internal::MapValue<T>
class StringMap : public Owner<StringMapView<T>> {
 public:
  class Builder;

  static absl::StatusOr<StringMap> Open(Buffer buffer) {
    const absl::StatusOr<StringMapView<T>> view = Owner<StringMapView<T>>::ViewOf(buffer);
    if (!view.ok()) return view.status();
    if (absl::Status status = view->Verify(); !status.ok()) return status;
    return StringMap(*view, std::move(buffer));
  }

  Stats stats() const { return {.live_bytes = this->image().size(), .peak_bytes = this->buffer().size()}; }

 private:
  StringMap(StringMapView<T> view, Buffer buffer) : Owner<StringMapView<T>>(view, std::move(buffer)) {}
};

template <class T>
  requires internal::MapValue<T>
class StringMap<T>::Builder {
 public:
  Builder() = default;
  explicit Builder(StringDictionary::Options options) : keys_(std::move(options)) {}

  absl::Status Add(std::string_view key, const T& value) {
    const std::uint64_t before = keys_.size();
    if (absl::Status status = keys_.Add(key); !status.ok()) return status;
    if (keys_.size() == before) return absl::InvalidArgumentError("StringMap: a key comes twice");
    values_.push_back(value);
    return absl::OkStatus();
  }

  absl::StatusOr<StringMap> Finish() && { return std::move(*this).Finish(Buffer::Heap(0)); }

  absl::StatusOr<StringMap> Finish(Buffer buffer) && {
    absl::StatusOr<StringDictionary> keys = std::move(keys_).Finish();
    if (!keys.ok()) return keys.status();
    std::uint64_t base = 0;
    unsigned width = 8 * sizeof(T);
    std::vector<std::byte> packed;
    std::span<const std::byte> values;
    if constexpr (StringMapView<T>::kPacked) {
      T least = values_.empty() ? T() : values_[0], most = least;
      for (const T value : values_) {
        least = value < least ? value : least;
        most = most < value ? value : most;
      }
      base = static_cast<std::uint64_t>(least);
      width = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(most) - base));
      packed.resize(values_.size() * width / 8 + 1 + 2 * kImageSlack);
      for (std::size_t i = 0; i < values_.size(); ++i) {
        WriteBits(packed.data(), i * width, width, static_cast<std::uint64_t>(values_[i]) - base);
      }
      values = std::span(packed).first((values_.size() * width + 7) / 8);
    } else {
      values = std::as_bytes(std::span(values_));
    }
    absl::StatusOr<Buffer> image =
        internal::StringMapParts::Write(*keys, values, sizeof(T), StringMapView<T>::kPacked, base, width, std::move(buffer));
    if (!image.ok()) return image.status();
    const absl::StatusOr<StringMapView<T>> view = Owner<StringMapView<T>>::ViewOf(*image);
    if (!view.ok()) return view.status();
    return StringMap(*view, *std::move(image));
  }

 private:
  StringDictionary::Builder keys_;
  std::vector<T> values_;
};

}  // namespace thimble
