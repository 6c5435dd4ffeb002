#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/bytes.h"

namespace thimble {

// Gives an untyped map (RawCompactDict, RawCompactMap) keys and values of C++ types: Key is an integer type or std::string,
// Value any trivially copyable type, or void for a set. Each class derives from the untyped one and adds no data.
template <class Key>
concept MapKey = (std::integral<Key> && sizeof(Key) <= 8) || std::same_as<Key, std::string>;
template <class Value>
concept MapValue = std::is_void_v<Value> || std::is_trivially_copyable_v<Value>;

template <class Key>
struct MapKeyTraits {
  using Argument = Key;
  using Raw = std::uint64_t;
  static constexpr std::uint32_t kBytes = sizeof(Key);
  static Raw ToRaw(Key key) { return static_cast<std::uint64_t>(key) & LowBits(8 * sizeof(Key)); }
  template <class Entry>
  static Key FromEntry(const Entry& entry) { return static_cast<Key>(entry.integer); }
};
template <>
struct MapKeyTraits<std::string> {
  using Argument = std::string_view;
  using Raw = std::string_view;
  static constexpr std::uint32_t kBytes = 0;
  static Raw ToRaw(std::string_view key) { return key; }
  template <class Entry>
  static std::string_view FromEntry(const Entry& entry) { return entry.text; }
};

template <class Value>
inline constexpr std::uint32_t kMapValueBytes = sizeof(Value);
template <>
inline constexpr std::uint32_t kMapValueBytes<void> = 0;

// The reading half, over a view or an owner.
template <class Base, MapKey Key, MapValue Value>
class TypedMapReader : public Base {
  using Traits = MapKeyTraits<Key>;
  static constexpr bool kIsSet = std::is_void_v<Value>;

 public:
  using Argument = typename Traits::Argument;  // Key, or std::string_view

  // Visits entries as pairs of key and value, or a set's keys. Valid until the map changes.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = typename std::conditional_t<kIsSet, std::type_identity<Argument>,
                                                   std::type_identity<std::pair<Argument, std::conditional_t<kIsSet, char, Value>>>>::type;
    using reference = value_type;
    using pointer = void;

    Iterator() = default;
    value_type operator*() const {
      if constexpr (kIsSet) return Traits::FromEntry(entry_);
      if constexpr (!kIsSet) return {Traits::FromEntry(entry_), Load<Value>(entry_.value)};
    }
    Iterator& operator++() {
      if (!map_->Next(entry_)) map_ = nullptr;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return map_ == other.map_ && (map_ == nullptr || entry_.next == other.entry_.next); }

   private:
    friend class TypedMapReader;
    explicit Iterator(const Base* map) : map_(map) { ++*this; }

    const Base* map_ = nullptr;
    typename Base::Entry entry_;
  };

  bool contains(Argument key) const { return FindValue(key) != nullptr; }

  auto Find(Argument key) const
    requires(!kIsSet)
  {
    const std::byte* value = FindValue(key);
    return value == nullptr ? std::optional<Value>() : std::optional<Value>(Load<Value>(value));
  }

  // visit(i, value) for each i of keys, in order; value is a std::optional. Faster than Find one by one, as it waits for
  // the memory of many keys at once.
  template <class Visit>
  void FindMany(std::span<const Argument> keys, Visit visit) const
    requires(!kIsSet)
  {
    ForBatches(keys, [&](std::size_t i, const std::byte* value) {
      visit(i, value == nullptr ? std::optional<Value>() : std::optional<Value>(Load<Value>(value)));
    });
  }

  // visit(i, is_there) for each i of keys, in order.
  template <class Visit>
  void ContainsMany(std::span<const Argument> keys, Visit visit) const {
    ForBatches(keys, [&](std::size_t i, const std::byte* value) { visit(i, value != nullptr); });
  }

  Iterator begin() const { return Iterator(this); }
  Iterator end() const { return Iterator(); }

 protected:
  explicit TypedMapReader(Base base) : Base(std::move(base)) {}

 private:
  const std::byte* FindValue(Argument key) const {
    const typename Traits::Raw raw = Traits::ToRaw(key);
    if constexpr (requires { Base::template FindSized<Traits::kBytes, kMapValueBytes<Value>>(raw); }) {
      return Base::template FindSized<Traits::kBytes, kMapValueBytes<Value>>(raw);
    } else {
      return Base::Find(raw);
    }
  }

  template <class Visit>
  void ForBatches(std::span<const Argument> keys, Visit visit) const {
    constexpr std::size_t kBatch = 64;
    std::array<typename Traits::Raw, kBatch> raw;
    std::array<const std::byte*, kBatch> values;
    for (std::size_t from = 0; from < keys.size(); from += kBatch) {
      const std::size_t size = std::min(kBatch, keys.size() - from);
      for (std::size_t i = 0; i < size; ++i) raw[i] = Traits::ToRaw(keys[from + i]);
      Base::FindMany(std::span<const typename Traits::Raw>(raw.data(), size), std::span(values.data(), size));
      for (std::size_t i = 0; i < size; ++i) visit(from + i, values[i]);
    }
  }
};

// Whether an untyped map holds this type's keys and values.
template <MapKey Key, MapValue Value, class Base>
absl::Status CheckMapTypes(const Base& map) {
  if (map.key_bytes() == MapKeyTraits<Key>::kBytes && map.value_bytes() == kMapValueBytes<Value>) return absl::OkStatus();
  return absl::FailedPreconditionError("the map holds keys or values of another type");
}

template <class Base, MapKey Key, MapValue Value>
class TypedMapView : public TypedMapReader<Base, Key, Value> {
 public:
  // Also returns kFailedPrecondition if the image holds keys or values of another width.
  static absl::StatusOr<TypedMapView> Open(std::span<const std::byte> image) {
    absl::StatusOr<Base> base = Base::Open(image);
    if (!base.ok()) return base.status();
    if (absl::Status status = CheckMapTypes<Key, Value>(*base); !status.ok()) return status;
    return TypedMapView(*std::move(base));
  }

 private:
  explicit TypedMapView(Base base) : TypedMapReader<Base, Key, Value>(std::move(base)) {}
};

// The writing half. Base is an owner, View its TypedMapView.
template <class Base, class View, MapKey Key, MapValue Value>
class TypedMap : public TypedMapReader<Base, Key, Value> {
  using Reader = TypedMapReader<Base, Key, Value>;
  using Traits = MapKeyTraits<Key>;
  static constexpr bool kIsSet = std::is_void_v<Value>;

 public:
  using typename Reader::Argument;

  struct Options {
    std::uint64_t seed = 0;
  };
  // Where a value lies, until the map changes.
  class Place {
   public:
    bool inserted() const { return inserted_; }
    auto value() const requires(!kIsSet) { return Load<Value>(at_); }
    template <class V>
      requires(!kIsSet && std::convertible_to<V, Value>)
    void Set(const V& value) const {
      Store<Value>(at_, static_cast<Value>(value));
    }

   private:
    friend class TypedMap;
    Place(std::byte* at, bool inserted) : at_(at), inserted_(inserted) {}
    std::byte* at_;
    bool inserted_;
  };

  explicit TypedMap(const Options& options = {}) : Reader(Base(Raw(options))) {}
  // Builds in place in a buffer of at least ImageBytes() zeroed bytes.
  static absl::StatusOr<TypedMap> Make(const Options& options, Buffer buffer) { return Typed(Base::Make(Raw(options), std::move(buffer))); }
  static std::uint64_t ImageBytes(const Options& options = {}) { return Base::ImageBytes(Raw(options)); }
  // Takes over an image, through Verify.
  static absl::StatusOr<TypedMap> Open(Buffer buffer) { return Typed(Base::Open(std::move(buffer))); }

  View view() const { return *View::Open(this->image()); }
  operator View() const { return view(); }

  // Adds the key unless it is there; its value is zero bytes at first. dict.try_emplace(word)->Set(...)
  absl::StatusOr<Place> try_emplace(Argument key) {
    absl::StatusOr<typename Base::Slot> slot = Base::Insert(Traits::ToRaw(key));
    if (!slot.ok()) return slot.status();
    return Place(slot->value, slot->inserted);
  }
  // Adds the key with this value unless it is there.
  template <class V>
    requires(!kIsSet && std::convertible_to<V, Value>)
  absl::StatusOr<Place> try_emplace(Argument key, const V& value) {
    absl::StatusOr<Place> place = try_emplace(key);
    if (place.ok() && place->inserted()) place->Set(value);
    return place;
  }
  // Adds the key, or gives it a new value.
  template <class V>
    requires(!kIsSet && std::convertible_to<V, Value>)
  absl::Status Set(Argument key, const V& value) {
    absl::StatusOr<Place> place = try_emplace(key);
    if (place.ok()) place->Set(value);
    return place.status();
  }
  absl::Status Add(Argument key)
    requires kIsSet
  {
    return try_emplace(key).status();
  }

  // False if the key is absent.
  bool erase(Argument key) { return Base::Erase(Traits::ToRaw(key)); }

 private:
  explicit TypedMap(Base base) : Reader(std::move(base)) {}

  static typename Base::Options Raw(const Options& options) {
    return {.key_bytes = Traits::kBytes, .value_bytes = kMapValueBytes<Value>, .seed = options.seed};
  }
  static absl::StatusOr<TypedMap> Typed(absl::StatusOr<Base> base) {
    if (!base.ok()) return base.status();
    if (absl::Status status = CheckMapTypes<Key, Value>(*base); !status.ok()) return status;
    return TypedMap(*std::move(base));
  }
};

}  // namespace thimble
