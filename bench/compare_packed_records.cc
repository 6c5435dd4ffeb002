// PackedRecords beside a vector of structs with std::string members. --data takes zipcodes.csv or flights-3m.csv (vega-datasets);
// without it, rows like those of the second are made up.

#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "compare.h"
#include "integers.h"
#include "thimble/packed_records.h"
#include "thimble/record_table.h"

namespace thimble::bench {
namespace {

struct Flight {
  std::string date;
  std::int64_t delay, distance;
  std::string origin, destination;
  bool operator==(const Flight&) const = default;

  static Flight From(const std::vector<std::string>& f) { return {f[0], std::stoll(f[1]), std::stoll(f[2]), f[3], f[4]}; }
  std::vector<const std::string*> strings() const { return {&date, &origin, &destination}; }
};

struct PackedFlight {
  using Type = Record<TextField<"date", 19>, SignedField<"delay", 13>, Field<"distance", 13>, TextField<"origin", 9>, TextField<"destination", 9>>;
  template <class Builder>
  static void Add(Builder& builder, const Flight& f) { builder.Add(f.date, f.delay, f.distance, f.origin, f.destination); }
  template <class View>
  static Flight Get(const View& v, std::uint64_t i) {
    return {std::string(v.template Get<"date">(i)), v.template Get<"delay">(i), static_cast<std::int64_t>(v.template Get<"distance">(i)),
            std::string(v.template Get<"origin">(i)), std::string(v.template Get<"destination">(i))};
  }
  static double Number(const Flight& f) { return static_cast<double>(f.delay); }
  static constexpr FieldName kNumber{"delay"};
};

struct Zip {
  std::string zip_code;
  double latitude, longitude;
  std::string city, state, county;
  bool operator==(const Zip&) const = default;

  static Zip From(const std::vector<std::string>& f) { return {f[0], std::stod(f[1]), std::stod(f[2]), f[3], f[4], f[5]}; }
  std::vector<const std::string*> strings() const { return {&zip_code, &city, &state, &county}; }
};

struct PackedZip {
  using Type = Record<Field<"zip_code", 17>, DecimalField<"latitude", 28, 6, -90'000'000>, DecimalField<"longitude", 29, 6, -180'000'000>,
                      TextField<"city", 15>, TextField<"state", 6>, TextField<"county", 11>>;
  template <class Builder>
  static void Add(Builder& builder, const Zip& z) {
    builder.Add(std::stoull(z.zip_code), z.latitude, z.longitude, z.city, z.state, z.county);
  }
  template <class View>
  static Zip Get(const View& v, std::uint64_t i) {
    char zip_code[24];
    std::snprintf(zip_code, sizeof zip_code, "%05llu", static_cast<unsigned long long>(v.template Get<"zip_code">(i)));
    return {zip_code, v.template Get<"latitude">(i), v.template Get<"longitude">(i), std::string(v.template Get<"city">(i)),
            std::string(v.template Get<"state">(i)), std::string(v.template Get<"county">(i))};
  }
  static double Number(const Zip& z) { return z.latitude; }
  static constexpr FieldName kNumber{"latitude"};
};

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r' && c != '"') {
      fields.back().push_back(c);
    }
  }
  return fields;
}

std::vector<std::string> MadeUpFlights(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<std::string> lines = {"date,delay,distance,origin,destination"};
  const auto airport = [&] { return std::string{'A', static_cast<char>('A' + random() % 26), static_cast<char>('A' + random() % 9)}; };
  for (std::size_t i = 0; i < n; ++i) {
    char date[40];
    const auto minute = static_cast<unsigned>(i * 40'000 / n);
    std::snprintf(date, sizeof date, "2001-01-%02u %02u:%02u:00", minute / 1440 + 1, minute / 60 % 24, minute % 60);
    lines.push_back(std::string(date) + "," + std::to_string(static_cast<int>(random() % 200) - 20) + "," + std::to_string(100 + random() % 2500) +
                    "," + airport() + "," + airport());
  }
  return lines;
}

// As a heap counts them: the vector's block and those of the strings that do not fit into themselves, 8 bytes each for malloc.
template <class Row>
double HeapOf(const std::vector<Row>& rows) {
  std::size_t bytes = rows.size() * sizeof(Row) + 8;
  for (const Row& row : rows) {
    for (const std::string* s : row.strings()) {
      if (s->capacity() > 15) bytes += malloc_usable_size(const_cast<char*>(s->data())) + 8;
    }
  }
  return static_cast<double>(bytes);
}

template <class Row, class Packed, RecordLayout kLayout>
void Measure(Comparison& c, const std::string& name, const std::vector<Row>& rows) {
  using Records = PackedRecords<typename Packed::Type, kLayout>;
  typename Records::Builder builder(rows.size());
  for (const Row& row : rows) Packed::Add(builder, row);
  absl::StatusOr<Records> finished = std::move(builder).Finish();
  if (!finished.ok()) throw std::runtime_error(std::string(finished.status().message()));
  const Records packed = *std::move(finished);
  std::size_t different = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) different += !(Packed::Get(packed, i) == rows[i]);
  const auto n = static_cast<double>(rows.size());
  c.Exact(name, "bytes/row", static_cast<double>(packed.image().size()) / n, "vector<struct>", HeapOf(rows) / n);
  c.Exact(name, "rows that differ", static_cast<double>(different), "vector<struct>", 0);

  constexpr std::size_t kInCache = 100;
  const std::vector<std::uint32_t> few = RandomIndices(std::min(kInCache, rows.size()), 100'000);
  c.Time(name, "get in cache ns", few.size(), [&] {
    double sum = 0;
    for (const std::uint32_t i : few) sum += static_cast<double>(packed.template Get<Packed::kNumber>(i));
    Keep(sum);
  }, {{"struct member", [&] {
         double sum = 0;
         for (const std::uint32_t i : few) sum += Packed::Number(rows[i]);
         Keep(sum);
       }}});
  c.Time(name, "scan a column ns", rows.size(), [&] {
    double sum = 0;
    packed.template Column<Packed::kNumber>().ForEach([&](auto value) { sum += static_cast<double>(value); });
    Keep(sum);
  }, {{"structs", [&] {
         double sum = 0;
         for (const Row& row : rows) sum += Packed::Number(row);
         Keep(sum);
       }}});
}

// The same rows by a schema that was measured, not declared.
template <class Row>
void MeasureTable(Comparison& c, const std::string& name, const std::vector<std::vector<std::string>>& fields,
                  const std::vector<std::string>& names, const std::vector<Row>& rows) {
  std::vector<FieldSpec> specs;
  for (std::size_t f = 0; f < names.size(); ++f) {
    specs.push_back(MeasureField(names[f], fields.size(), [&](std::uint64_t i) { return std::string_view(fields[i][f]); }));
  }
  RecordTable::Builder builder(specs, fields.size());
  for (const auto& row : fields) builder.Add(std::vector<std::string_view>(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(names.size())));
  const RecordTable table = std::move(builder).Finish().value();
  std::size_t different = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (std::size_t f = 0; f < names.size(); ++f) different += table.Format(f, i) != fields[i][f];
  }
  const auto n = static_cast<double>(rows.size());
  c.Exact(name, "bytes/row", static_cast<double>(table.image().size()) / n, "vector<struct>", HeapOf(rows) / n);
  c.Exact(name, "fields that differ", static_cast<double>(different), "vector<struct>", 0);
}

template <class Row, class Packed>
void MeasureAll(Comparison& c, const std::string& name, const std::vector<std::string>& lines) {
  const std::vector<std::string> names = Split(lines.front());
  std::vector<Row> rows;
  std::vector<std::vector<std::string>> fields;
  rows.reserve(lines.size() - 1);
  for (std::size_t i = 1; i < lines.size(); ++i) rows.push_back(Row::From(Split(lines[i])));
  Measure<Row, Packed, RecordLayout::kRows>(c, name + ", rows", rows);
  Measure<Row, Packed, RecordLayout::kColumns>(c, name + ", columns", rows);
  for (std::size_t i = 1; i < std::min<std::size_t>(lines.size(), 300'001); ++i) fields.push_back(Split(lines[i]));
  rows.resize(fields.size());
  MeasureTable(c, name + ", measured, " + std::to_string(fields.size()) + " rows", fields, names, rows);
}

void RunPackedRecords(Comparison& c) {
  const std::vector<std::string> lines = c.Lines([&c] { return MadeUpFlights(c.Size(1'000'000, 10'000)); });
  if (lines.front().starts_with("zip_code,")) {
    MeasureAll<Zip, PackedZip>(c, "zipcodes", lines);
  } else if (lines.front().starts_with("date,")) {
    MeasureAll<Flight, PackedFlight>(c, "flights", lines);
  } else {
    throw std::runtime_error("the file is neither zipcodes.csv nor flights-3m.csv");
  }
}

const Family packed_records_family{"packed_records", "records with fields of some bits, beside structs", RunPackedRecords};

}  // namespace
}  // namespace thimble::bench
