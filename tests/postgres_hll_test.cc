#include "testing.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>

#include "foreign_testing.h"
#include "servers.h"
#include "thimble/postgres_hll.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(postgres_hll)

std::string Element(int i) { return std::string("e").append(std::to_string(i)); }

HyperLogLog SketchOf(int begin, int end, unsigned log2m = 11) {
  HyperLogLog sketch(HyperLogLog::Options::PostgreSql(log2m));
  for (int i = begin; i < end; ++i) sketch.Add(Element(i));
  return sketch;
}

std::string Hex(std::span<const std::byte> bytes) {
  std::string text;
  for (std::byte b : bytes) {
    for (unsigned nibble : {std::to_integer<unsigned>(b) >> 4, std::to_integer<unsigned>(b) & 15}) text += "0123456789abcdef"[nibble];
  }
  return text;
}

std::vector<std::byte> Unhex(std::string_view text) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1])));
  return bytes;
}

// The registers as the server stores them: cut to what the width holds.
std::vector<std::uint8_t> Cut(std::vector<std::uint8_t> registers, unsigned bits) {
  for (std::uint8_t& value : registers) value = std::min(value, static_cast<std::uint8_t>((1u << bits) - 1));
  return registers;
}

BOOST_AUTO_TEST_CASE(HeadersAreTheSpecifications) {
  BOOST_TEST(Hex(*WritePostgresHll(SketchOf(0, 0))) == "118b7f");
  const std::vector<std::byte> full = *WritePostgresHll(SketchOf(0, 5000));
  BOOST_TEST(Hex(std::span(full).first(3)) == "148b7f");
  BOOST_TEST(full.size() == 3u + 2048 * 5 / 8);
  const std::vector<std::byte> sparse = *WritePostgresHll(SketchOf(0, 10));
  BOOST_TEST(Hex(std::span(sparse).first(3)) == "138b7f");
}

BOOST_AUTO_TEST_CASE(WhatIsWrittenReadsBack) {
  for (unsigned log2m : {4u, 11u, 14u, 17u}) {
    for (unsigned bits : {1u, 4u, 5u, 6u, 8u}) {
      for (int n : {0, 1, 30, 3000}) {
        const HyperLogLog sketch = SketchOf(0, n, log2m);
        const absl::StatusOr<std::vector<std::byte>> written = WritePostgresHll(sketch, {.register_bits = bits});
        REQUIRE_OK(written);
        const absl::StatusOr<HyperLogLog> read = ReadPostgresHll(*written);
        REQUIRE_OK(read);
        BOOST_TEST(read->Registers() == Cut(sketch.Registers(), bits));
      }
    }
  }
}

// What a column's type says stands in the header, and forbids SPARSE where it says so.
BOOST_AUTO_TEST_CASE(TypesOfColumnsAreWritten) {
  const auto header = [](const PostgresHllOptions& options) { return Hex(*WritePostgresHll(SketchOf(0, 10), options)).substr(0, 6); };
  BOOST_TEST(header({.explicit_threshold = 0}) == "138b40");
  BOOST_TEST(header({.explicit_threshold = 1}) == "138b41");
  BOOST_TEST(header({.explicit_threshold = 128}) == "138b48");
  BOOST_TEST(header({.sparse = false}) == "148b3f");
  BOOST_TEST(header({.register_bits = 6, .explicit_threshold = 0, .sparse = false}) == "14ab00");
  for (const std::int64_t threshold : {std::int64_t{-2}, std::int64_t{3}, std::int64_t{1} << 62}) {
    CHECK_CODE(WritePostgresHll(SketchOf(0, 10), {.explicit_threshold = threshold}), absl::StatusCode::kInvalidArgument);
  }
}

// Two pairs of 4 + 1 bits leave six bits, in which a third would have room.
BOOST_AUTO_TEST_CASE(PaddingIsNoPair) {
  const absl::StatusOr<HyperLogLog> sketch = ReadPostgresHll(Unhex("130440" "1a40"));
  REQUIRE_OK(sketch);
  std::vector<std::uint8_t> expected(16);
  expected[1] = expected[4] = 1;
  BOOST_TEST(sketch->Registers() == expected);
  BOOST_TEST(Hex(*WritePostgresHll(*sketch, {.register_bits = 1, .explicit_threshold = 0})) == "1304401a40");
}

BOOST_AUTO_TEST_CASE(ExplicitHashesAreAdded) {
  // Two hashes, ascending as signed numbers.
  const absl::StatusOr<HyperLogLog> sketch = ReadPostgresHll(Unhex("128b7f" "8000000000000001" "0000000000000802"));
  REQUIRE_OK(sketch);
  HyperLogLog expected(HyperLogLog::Options::PostgreSql());
  expected.AddHash(0x8000000000000001);
  expected.AddHash(0x0000000000000802);
  BOOST_TEST(sketch->Registers() == expected.Registers());
  CHECK_CODE(ReadPostgresHll(Unhex("128b7f" "0000000000000802" "8000000000000001")), absl::StatusCode::kDataLoss);
}

BOOST_AUTO_TEST_CASE(DamageIsRefused) {
  CHECK_CODE(ReadPostgresHll(Unhex("248b7f")), absl::StatusCode::kUnimplemented);
  CHECK_CODE(ReadPostgresHll(Unhex("10")), absl::StatusCode::kDataLoss);
  CHECK_CODE(ReadPostgresHll(Unhex("108b7f")), absl::StatusCode::kDataLoss);
  CHECK_CODE(WritePostgresHll(HyperLogLog({.precision = 11})), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(WritePostgresHll(SketchOf(0, 1), {.register_bits = 9}), absl::StatusCode::kInvalidArgument);
  const auto read = [](std::span<const std::byte> bytes) {
    const absl::StatusOr<HyperLogLog> sketch = ReadPostgresHll(bytes);
    if (sketch.ok()) BOOST_REQUIRE(sketch->Verify().ok());
    return sketch.ok();
  };
  const int mutations = testing::Mutations() / 10;
  for (int n : {0, 1, 20, 3000}) {
    const std::vector<std::byte> value = *WritePostgresHll(SketchOf(0, n));
    // A sparse value that ends between two pairs is a shorter sparse value.
    const int accepted = testing::DamageForeign(value, mutations, read);
    if (n == 3000 || n == 0) BOOST_TEST(accepted == 0);
  }
  testing::DamageForeign(Unhex("128b7f" "8000000000000001" "0000000000000802"), mutations, read);
}

class Client {
 public:
  explicit Client(const testing::PostgresServer& server) {
    testing::WaitUntil([&] {
      connection_.reset(PQconnectdb(server.connection().c_str()));
      return PQstatus(connection_.get()) == CONNECTION_OK;
    });
  }
  // The first field of the answer.
  std::string operator()(const std::string& query) {
    const std::unique_ptr<PGresult, Free> result(PQexec(connection_.get(), query.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    BOOST_REQUIRE_MESSAGE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, PQerrorMessage(connection_.get()));
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }
  HyperLogLog Hll(const std::string& query) {
    absl::StatusOr<HyperLogLog> sketch = ReadPostgresHll(Unhex((*this)(query).substr(2)));
    REQUIRE_OK(sketch);
    return *std::move(sketch);
  }

 private:
  struct Free {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGconn, Free> connection_;
};

BOOST_AUTO_TEST_CASE(AServerCountsAndMergesOurs) {
  if (!std::filesystem::exists(testing::PostgresServer::Binaries() + "postgres") ||
      !std::filesystem::exists("/usr/share/postgresql/15/extension/hll.control")) {
    BOOST_TEST_MESSAGE("PostgreSQL 15 with hll is not installed");
    return;
  }
  const testing::PostgresServer server;
  Client sql(server);
  sql("CREATE EXTENSION hll");
  const auto theirs = [](int begin, int end) {
    return "(SELECT hll_add_agg(hll_hash_text('e' || i)) FROM generate_series(" + std::to_string(begin) + ", " + std::to_string(end - 1) + ") i)";
  };
  const auto ours = [](const HyperLogLog& sketch) { return std::string("'\\x").append(Hex(*WritePostgresHll(sketch))).append("'::hll"); };
  // EXPLICIT up to 160 hashes (the server's automatic cutoff), SPARSE, FULL.
  for (int n : {1, 100, 180, 400, 3000, 100000}) {
    const HyperLogLog sketch = SketchOf(0, n);
    const std::vector<std::uint8_t> registers = Cut(sketch.Registers(), 5);
    BOOST_TEST(Cut(sql.Hll("SELECT " + theirs(0, n)).Registers(), 5) == registers);
    BOOST_TEST(sql.Hll("SELECT " + ours(sketch)).Registers() == registers);

    const std::string answer = sql("SELECT hll_cardinality(" + ours(sketch) + ")");
    BOOST_TEST(std::abs(std::stod(answer) / n - 1) < 4 * 1.04 / std::sqrt(2048.0));

    const std::string merged = sql("SELECT hll_union_agg(x) FROM (VALUES (" + ours(sketch) + "), (" + theirs(n / 2, n + 50) + ")) AS t(x)");
    BOOST_TEST(Cut(ReadPostgresHll(Unhex(merged.substr(2)))->Registers(), 5) == Cut(SketchOf(0, n + 50).Registers(), 5));
    if (n >= 400) {
      BOOST_TEST(Hex(*WritePostgresHll(sketch)) == sql("SELECT " + theirs(0, n)).substr(2));
    }
  }
  // Columns of other types: hll(log2m, regwidth, expthresh, sparseon).
  const std::tuple<unsigned, unsigned, int, bool> types[] = {{4, 1, 0, true},    {4, 5, -1, true},  {6, 3, 16, true}, {9, 7, 0, false},
                                                             {12, 6, 128, true}, {14, 5, 0, false}, {14, 6, -1, true}, {17, 5, 1, true}};
  for (const auto& [log2m, regwidth, expthresh, sparseon] : types) {
    std::string modifiers;
    for (const int modifier : {static_cast<int>(log2m), static_cast<int>(regwidth), expthresh, sparseon ? 1 : 0}) {
      modifiers.append(", ").append(std::to_string(modifier));
    }
    for (int n : {1, 2, 3, 10, 100, 700, 20000}) {
      BOOST_TEST_CONTEXT("hll" << modifiers << " n=" << n) {
        const HyperLogLog sketch = SketchOf(0, n, log2m);
        const std::vector<std::uint8_t> registers = Cut(sketch.Registers(), regwidth);
        const std::string aggregate = "(SELECT hll_add_agg(hll_hash_text('e' || i)" + modifiers + ") FROM generate_series(0, " +
                                      std::to_string(n - 1) + ") i)";
        const std::string written = Hex(*WritePostgresHll(
            sketch, {.register_bits = regwidth, .explicit_threshold = expthresh, .sparse = sparseon}));
        const std::string theirs_hex = sql("SELECT " + aggregate).substr(2);
        BOOST_TEST(Cut(ReadPostgresHll(Unhex(theirs_hex))->Registers(), regwidth) == registers);
        if (theirs_hex[1] != '2') BOOST_TEST(written == theirs_hex);
        // The server would refuse another type.
        const std::string united = sql("SELECT hll_union('\\x" + written + "'::hll, " + aggregate + ")");
        BOOST_TEST(Cut(ReadPostgresHll(Unhex(united.substr(2)))->Registers(), regwidth) == registers);
      }
    }
  }
  // Integers, as bigint.
  HyperLogLog integers(HyperLogLog::Options::PostgreSql());
  for (std::int64_t i = -2000; i < 2000; ++i) integers.Add(i);
  BOOST_TEST(Hex(*WritePostgresHll(integers)) ==
             sql("SELECT hll_add_agg(hll_hash_bigint(i)) FROM generate_series(-2000, 1999) i").substr(2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
