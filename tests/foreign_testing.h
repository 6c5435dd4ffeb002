#pragma once

// What the tests of foreign formats share: reading files of tests/data, and damaging bytes in every way that a reader must
// refuse or survive.

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <span>
#include <string>
#include <vector>

namespace thimble::testing {

inline std::vector<std::byte> ReadData(const std::string& name) {
  std::ifstream in(DataPath(name), std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

// The rows of a manifest: each maps a column's name to its value. The files hold no quotes.
inline std::vector<std::map<std::string, std::string>> ReadManifest(const std::string& name) {
  const auto split = [](const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    return fields;
  };
  std::ifstream in(DataPath(name));
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> columns = split(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> fields = split(line);
    std::map<std::string, std::string>& row = rows.emplace_back();
    for (std::size_t i = 0; i < fields.size() && i < columns.size(); ++i) row[columns[i]] = fields[i];
  }
  return rows;
}

// Calls read(bytes) with the bytes cut at every length (at some 200 under a sanitizer), and with `mutations` damaged copies, each in
// a heap block of exactly its size, so that a sanitizer sees the first byte read past it. read() returns whether it accepted.
// Returns how many truncations were accepted.
template <class Reader>
int DamageForeign(std::span<const std::byte> bytes, int mutations, Reader read) {
  int accepted = 0;
  const std::size_t step = THIMBLE_SANITIZED ? 1 + bytes.size() / 200 : 1;
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    accepted += read(std::span<const std::byte>(cut)) ? 1 : 0;
  }
  std::mt19937_64 random(bytes.size());
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int i = 0; i < mutations && !bytes.empty(); ++i) {
    std::vector<std::byte> damaged(bytes.begin(), bytes.end());
    for (std::size_t hits = 1 + below(3); hits > 0; --hits) {
      // Half of the damage goes to the header.
      std::byte& at = damaged[below(below(2) == 0 ? std::min<std::size_t>(damaged.size(), 24) : damaged.size())];
      if (below(2) == 0) at ^= static_cast<std::byte>(1u << below(8));
      else at = static_cast<std::byte>(below(3) == 0 ? 0xff : below(256));
    }
    (void)read(std::span<const std::byte>(damaged));
  }
  return accepted;
}

}  // namespace thimble::testing
