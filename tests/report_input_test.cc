// What thimble report makes of files of all kinds: formats, headers, types, compression.
#include "testing.h"

#include <zlib.h>
#include <zstd.h>

#include "report_of.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(report_input)

using testing::Json;
using testing::Outcome;
using testing::ReportOf;
using testing::ReportOfBytes;
using Folder = testing::ToolFolder;

std::vector<std::string> TypesOf(const Json& report) {
  std::vector<std::string> types;
  for (const Json& column : report["columns"]) types.push_back(column["type"]);
  return types;
}

std::string TypeOf(const std::string& values) { return TypesOf(ReportOfBytes("values.txt", values)).at(0); }

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(bytes.size()) + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

BOOST_AUTO_TEST_CASE(LinesAreOneColumn) {
  const Json report = ReportOfBytes("a.txt", "one\ntwo\n\ntwo\n");
  BOOST_TEST(report["schema"] == 1);
  BOOST_TEST(report["input"]["format"] == "lines");
  BOOST_TEST(report["input"]["rows"] == 4);
  const Json& column = report["columns"].at(0);
  BOOST_TEST(column["name"] == "line");
  BOOST_TEST(column["elements"] == 4);
  BOOST_TEST(column["distinct"] == 3);
  BOOST_TEST(column["payload_bytes"] == 9);
}

BOOST_AUTO_TEST_CASE(TypesAreTheNarrowestThatKeepTheText) {
  BOOST_TEST(TypeOf("1\n2\n255\n") == "uint8");
  BOOST_TEST(TypeOf("1\n2\n256\n") == "uint16");
  BOOST_TEST(TypeOf("-1\n127\n") == "int8");
  BOOST_TEST(TypeOf("-1\n128\n") == "int16");
  BOOST_TEST(TypeOf("0\n4294967295\n") == "uint32");
  BOOST_TEST(TypeOf("-9223372036854775808\n9223372036854775807\n") == "int64");
  BOOST_TEST(TypeOf("1\n9223372036854775808\n") == "text");  // a double would lose digits
  BOOST_TEST(TypeOf("9007199254740992\n0.5\n") == "float64");
  BOOST_TEST(TypeOf("9007199254740993\n0.5\n") == "text");
  BOOST_TEST(TypeOf("0.5\n9007199254740993\n") == "text");
  BOOST_TEST(TypeOf("-9007199254740993\n0.5\n") == "text");
  BOOST_TEST(TypeOf("00501\n10001\n") == "text");
  BOOST_TEST(TypeOf("+7\n") == "text");
  BOOST_TEST(TypeOf("-0\n") == "float64");
  BOOST_TEST(TypeOf("1\n2.5\n-1e9\n") == "float64");
  BOOST_TEST(TypeOf("0.13436424411240122\n3.238327648331624e-10\n-0.30000000000000004\n") == "float64");  // as languages print doubles
  BOOST_TEST(TypeOf("0.12345678901234567\n") == "text");  // of which a double keeps 0.12345678901234566
  BOOST_TEST(TypeOf("0.123456789012345678\n") == "text");
  BOOST_TEST(TypeOf("000.5\n") == "text");
  BOOST_TEST(TypeOf("nan\ninf\n") == "text");
  BOOST_TEST(TypeOf("true\nfalse\n") == "bool");
  BOOST_TEST(TypeOf("true\nFalse\n") == "text");
  BOOST_TEST(TypeOf("2024-02-29\n1999-12-31\n") == "date");
  BOOST_TEST(TypeOf("2023-02-29\n") == "text");
  BOOST_TEST(TypeOf("2024-02-29 23:59:59\n1999-12-31 00:00:00\n") == "date");
  BOOST_TEST(TypeOf("2024-02-29 23:59:59\n1999-12-31\n") == "text");
  BOOST_TEST(TypeOf("2024-02-29 23:59:59\n1999-12-31T00:00:00\n") == "text");
  BOOST_TEST(TypeOf("\n\n") == "text");
  BOOST_TEST(TypeOf("1\n\n3\n") == "uint8");  // missing values are no text
}

BOOST_AUTO_TEST_CASE(QuotesFollowTheRfc) {
  const Json report = ReportOfBytes("a.csv", "k,v\r\na,\"x, \"\"y\"\"\r\nz\"\r\nb,\"\"\r\n\"c\",d\"e\r\n");
  BOOST_TEST(report["input"]["rows"] == 3);
  BOOST_TEST(report["input"]["ragged_rows"] == 0);
  BOOST_TEST(report["columns"][1]["payload_bytes"] == std::string("x, \"y\"\r\nz").size() + 3);
  BOOST_TEST(report["columns"][0]["payload_bytes"] == 3);
  // A carriage return is no part of the last field either.
  BOOST_TEST(ReportOfBytes("a.csv", "a,b\r\n1,2\r\n3,4\r")["columns"][1]["type"] == "uint8");
}

BOOST_AUTO_TEST_CASE(HeadersAreFound) {
  BOOST_TEST(ReportOfBytes("a.csv", "id,name\n1,x\n")["columns"][0]["name"] == "id");
  BOOST_TEST(ReportOfBytes("a.csv", "1,x\n2,y\n")["columns"][0]["name"] == "column 1");
  BOOST_TEST(ReportOfBytes("a.csv", "city,state\nParis,TX\nRome,GA\n")["columns"][1]["name"] == "state");
  BOOST_TEST(ReportOfBytes("a.csv", "id,name\n1,x\n", "--header no")["input"]["rows"] == 2);
  BOOST_TEST(ReportOfBytes("a.csv", "1,2\n3,4\n", "--header yes")["input"]["rows"] == 1);
  BOOST_TEST(ReportOfBytes("a.csv", "a,a\n1,2\n", "--header yes")["columns"][1]["name"] == "a 2");
}

BOOST_AUTO_TEST_CASE(HeadersOfDataFramesAreFound) {
  const Json index = ReportOfBytes("a.csv", ",name,score\n0,x,1.5\n1,y,2.5\n");
  BOOST_TEST(index["columns"][0]["name"] == "column 1");
  BOOST_TEST(index["columns"][1]["name"] == "name");
  BOOST_TEST(TypesOf(index) == (std::vector<std::string>{"uint8", "text", "float64"}), boost::test_tools::per_element());
  BOOST_TEST(ReportOfBytes("a.csv", "a,b,\n1,2,\n3,4,\n")["input"]["header"] == true);
  BOOST_TEST(ReportOfBytes("a.csv", "a,,c\n1,2,3\n")["input"]["header"] == false);
  BOOST_TEST(ReportOfBytes("a.csv", ",\n,\n")["input"]["header"] == false);
}

BOOST_AUTO_TEST_CASE(FormatsAreToldApart) {
  BOOST_TEST(ReportOfBytes("a", "x\ty\n1\t2\n")["input"]["format"] == "tsv");
  BOOST_TEST(ReportOfBytes("a", "x,y\n1,2\n")["input"]["format"] == "csv");
  BOOST_TEST(ReportOfBytes("a", "x,y\n1\n")["input"]["format"] == "lines");
  BOOST_TEST(ReportOfBytes("a.txt", "x,y\n1,2\n")["input"]["format"] == "lines");
  const Json semicolons = ReportOfBytes("a.csv", "x;y\n1;2,5\n3;\"4;5\"\n");
  BOOST_TEST(semicolons["input"]["format"] == "csv");
  BOOST_TEST(semicolons["columns"][1]["payload_bytes"] == 6);
  BOOST_TEST(ReportOfBytes("a.csv", "x;z,y\n1;3,2\n")["columns"][0]["name"] == "x;z");
}

BOOST_AUTO_TEST_CASE(RaggedRowsAreReportedWithTheirLines) {
  const Json report = ReportOfBytes("a.csv", "a,b\n1,2\n3\n\"x\ny\",4\n5,6,7\n");
  BOOST_TEST(report["input"]["rows"] == 4);
  BOOST_TEST(report["input"]["ragged_rows"] == 2);
  BOOST_TEST(report["input"]["ragged_lines"] == Json({3, 6}));
}

BOOST_AUTO_TEST_CASE(OddFilesAreRead) {
  BOOST_TEST(ReportOfBytes("a.csv", "")["input"]["rows"] == 0);
  BOOST_TEST(ReportOfBytes("a.txt", "\n")["input"]["rows"] == 1);
  BOOST_TEST(ReportOfBytes("a.csv", "only,a,header\n")["input"]["rows"] == 1);
  BOOST_TEST(ReportOfBytes("a.csv", "a,b\n1,2")["input"]["rows"] == 1);
  BOOST_TEST(ReportOfBytes("a.csv", "\xef\xbb\xbf" "a,b\n1,2\n")["columns"][0]["name"] == "a");
  BOOST_TEST(ReportOfBytes("a.csv", "\xef\xbb\xbf")["input"]["rows"] == 0);
  BOOST_TEST(ReportOfBytes("a.csv", "a,b\r\n1,2\r\n\r\n3,4")["input"]["rows"] == 2);
  BOOST_TEST(ReportOfBytes("a.txt", std::string("a\0b\nc\n", 6))["columns"][0]["payload_bytes"] == 4);
  BOOST_TEST(ReportOfBytes("a.csv", "\"\xff\xfe\",b\n1,2\n", "--header yes")["columns"].size() == 2u);
  const std::string long_line(10 << 20, 'x');
  const Json report = ReportOfBytes("a.csv", "a,b\n" + long_line + ",2\n3,4\n");
  BOOST_TEST(report["columns"][0]["payload_bytes"] == (10 << 20) + 1);
  BOOST_TEST(report["columns"][0]["structures"][0]["failure"].is_null());
}

BOOST_AUTO_TEST_CASE(CompressionIsFoundByMagic) {
  std::string lines;
  for (int i = 0; i < 50000; ++i) lines += std::to_string(i) + "\n";
  for (const auto& [name, bytes] : {std::pair("gzip", Gzip(lines)), std::pair("zstd", Zstd(lines)), std::pair("plain", lines)}) {
    const Json report = ReportOfBytes("numbers", bytes);
    BOOST_TEST(report["input"]["compression"] == name);
    BOOST_TEST(report["input"]["rows"] == 50000);
    BOOST_TEST(report["input"]["bytes"] == lines.size());
  }
  // Members one behind the other are one file.
  BOOST_TEST(ReportOfBytes("numbers", Gzip(lines) + Gzip(lines))["input"]["rows"] == 100000);
  BOOST_TEST(ReportOfBytes("numbers", Gzip(lines) + std::string(1000, '\0') + Gzip(lines) + '\0')["input"]["rows"] == 100000);
  BOOST_TEST(ReportOfBytes("numbers", Zstd(lines) + Zstd(lines))["input"]["rows"] == 100000);
  // A frame to be skipped, with which pzstd begins.
  BOOST_TEST(ReportOfBytes("numbers", std::string("\x50\x2a\x4d\x18\4\0\0\0abcd", 12) + Zstd(lines))["input"]["rows"] == 50000);
  const Folder folder;
  for (int i = 0; i < 500000; ++i) lines += std::to_string(i * 4001) + "\n";  // more than is read at once
  BOOST_TEST(folder.Thimble("report " + folder.Write("padded", Gzip(lines) + std::string("\0\0no gzip", 9))).exit_code == 4);
  for (const std::string& bytes : {Gzip(lines), Zstd(lines)}) {
    const Outcome cut = folder.Thimble("report " + folder.Write("cut", bytes.substr(0, bytes.size() / 2)));
    BOOST_TEST(cut.exit_code == 4);
    BOOST_TEST(cut.err.starts_with("thimble: " + folder.File("cut") + ": the "), cut.err);
  }
}

BOOST_AUTO_TEST_CASE(WhatIsNoTextIsRefused) {
  const Folder folder;
  for (const std::string& bytes : {std::string("\xfd" "7zXZ\0\0", 7), std::string("BZh91AY&SY"), std::string("BZh61AY&SY"), std::string("PK\x03\x04"), std::string("\xff\xfe" "a\0\n\0", 6),
                                   std::string("\xfe\xff\0a\0\n", 6)}) {
    for (const char* command : {"report ", "count "}) {
      const Outcome outcome = folder.Thimble(command + folder.Write("a", bytes));
      BOOST_TEST(outcome.exit_code == 2);
      BOOST_TEST(outcome.err.find("/a: this is ") != std::string::npos, outcome.err);
    }
  }
}

BOOST_AUTO_TEST_CASE(StandardInputIsRead) {
  const Folder folder;
  folder.Write("a", "x,y\n1,2\n");
  const Json report = ReportOf(folder, "- <" + folder.File("a"));
  BOOST_TEST(report["input"]["path"] == "-");
  BOOST_TEST(report["columns"][1]["name"] == "y");
}

BOOST_AUTO_TEST_CASE(JsonLinesAreATable) {
  const Json report = ReportOfBytes("a.jsonl", R"({"a":1,"b":"x\ny\u00e9"}
{"a":2.50,"b":null,"c":[1, {"d":2}]}

{"c":{"e":"f"},"a":123456789012345678901234567890}
)");
  BOOST_TEST(report["input"]["format"] == "jsonl");
  BOOST_TEST(report["input"]["rows"] == 3);
  BOOST_TEST(report["input"]["ragged_lines"] == Json({2, 4}));  // brings c; lacks b
  BOOST_TEST(report["columns"].size() == 3u);
  BOOST_TEST(report["columns"][1]["name"] == "b");
  BOOST_TEST(report["columns"][1]["payload_bytes"] == 5);
  BOOST_TEST(report["columns"][2]["payload_bytes"] == std::string(R"([1, {"d":2}]{"e":"f"})").size());
  BOOST_TEST(report["columns"][0]["payload_bytes"] == std::string("12.50123456789012345678901234567890").size());  // too long for a number
}

BOOST_AUTO_TEST_CASE(LinesThatAreNoJsonAreNamed) {
  const Json report = ReportOfBytes("a.ndjson", "{\"a\":1}\nnot json\n{\"a\":1\n{\"a\":01}\n{\"a\":[1,,2]}\n{\"a\":\"\xff\"}\n7\n\"t\"\n[1]\n{\"a\":2}");
  BOOST_TEST(report["input"]["rows"] == 5);
  BOOST_TEST(report["input"]["invalid_rows"] == 5);
  BOOST_TEST(report["input"]["invalid_lines"] == Json({2, 3, 4, 5, 6}));
  BOOST_TEST(report["columns"][1]["name"] == "value");
  // Also behind a number that no type holds.
  const Json large = ReportOfBytes("a.jsonl", "{\"a\":1e999,\"b\":[tru]}\n{\"a\":1e999,\"b\":tru}\n{\"a\":1e999,\"b\":[01]}\n{\"a\":[1e999,\"\\\"1,\",-2.5]}\n");
  BOOST_TEST(large["input"]["rows"] == 1);
  BOOST_TEST(large["input"]["invalid_lines"] == Json({1, 2, 3}));
  BOOST_TEST(ReportOfBytes("a.jsonl", "\"a\\n\\u00e9\"\n")["columns"][0]["payload_bytes"] == 4);  // without its escapes
  BOOST_TEST(report["columns"][0]["elements"] == 2);
  BOOST_TEST(ReportOfBytes("a", "{\"x\":1}\n{\"x\":2}\n")["input"]["format"] == "jsonl");
  BOOST_TEST(ReportOfBytes("a", "{x}\n{y}\n")["input"]["format"] == "lines");
  BOOST_TEST(ReportOfBytes("a.jsonl", "")["input"]["rows"] == 0);
  std::string names = "{";
  for (int i = 0; i < 5000; ++i) names.append("\"").append(std::to_string(i)).append("\":1,");
  names.back() = '}';
  const Folder folder;
  BOOST_TEST(folder.Thimble("report " + folder.Write("a.jsonl", names)).exit_code == 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
