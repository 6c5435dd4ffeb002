#include "testing.h"

#include <hiredis/hiredis.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>

#include "foreign_testing.h"
#include "servers.h"
#include "thimble/redis_hll.h"

namespace thimble {
namespace {

BOOST_AUTO_TEST_SUITE(redis_hll)

using testing::ReadData;

std::string Element(int i) { return std::string("e").append(std::to_string(i)); }

HyperLogLog SketchOf(int begin, int end) {
  HyperLogLog sketch(HyperLogLog::Options::Redis());
  for (int i = begin; i < end; ++i) sketch.Add(Element(i));
  return sketch;
}

BOOST_AUTO_TEST_CASE(EveryFileHoldsWhatTheSameElementsGiveHere) {
  int files = 0;
  for (auto& row : testing::ReadManifest("redis/manifest.csv")) {
    BOOST_TEST_CONTEXT(row["file"]) {
      const std::vector<std::byte> value = ReadData("redis/" + row["file"]);
      const absl::StatusOr<HyperLogLog> sketch = ReadRedisHll(value);
      REQUIRE_OK(sketch);
      // The inputs of a merge overlap by half: a holds [0, n), b holds [n / 2, n + n / 2).
      const int n = std::stoi(row["n"]);
      const bool second = row["file"].find("_b.bin") != std::string::npos;
      const int begin = second ? n / 2 : 0;
      BOOST_TEST(sketch->Registers() == SketchOf(begin, begin + n).Registers(), boost::test_tools::per_element());
      // Redis and thimble share the estimator.
      BOOST_TEST(std::llround(sketch->Estimate()) == std::stoll(row["pfcount"]));
      if (row["encoding"] == "dense" && row["file"].find("forced") == std::string::npos) {
        const absl::StatusOr<std::vector<std::byte>> written = WriteRedisHll(*sketch);
        REQUIRE_OK(written);
        BOOST_REQUIRE(written->size() == value.size());
        BOOST_TEST(std::equal(written->begin() + 16, written->end(), value.begin() + 16));
      }
      ++files;
    }
  }
  BOOST_TEST(files == 24);
}

BOOST_AUTO_TEST_CASE(SparseValuesReadBack) {
  for (int n : {0, 1, 10, 500, 1200}) {
    const HyperLogLog sketch = SketchOf(0, n);
    const absl::StatusOr<std::vector<std::byte>> written = WriteRedisHll(sketch);
    REQUIRE_OK(written);
    BOOST_TEST(written->size() <= 3000u);
    const absl::StatusOr<HyperLogLog> read = ReadRedisHll(*written);
    REQUIRE_OK(read);
    BOOST_TEST(read->Registers() == sketch.Registers());
  }
}

BOOST_AUTO_TEST_CASE(OtherSketchesAreRefused) {
  const HyperLogLog ours({.precision = 14});
  CHECK_CODE(WriteRedisHll(ours), absl::StatusCode::kInvalidArgument);
  CHECK_CODE(ReadRedisHll({}), absl::StatusCode::kFailedPrecondition);
  std::vector<std::byte> value = *WriteRedisHll(SketchOf(0, 10));
  value[4] = std::byte{2};
  CHECK_CODE(ReadRedisHll(value), absl::StatusCode::kUnimplemented);
}

BOOST_AUTO_TEST_CASE(DamageIsRefused) {
  const auto read = [](std::span<const std::byte> bytes) {
    const absl::StatusOr<HyperLogLog> sketch = ReadRedisHll(bytes);
    if (sketch.ok()) BOOST_REQUIRE(sketch->Verify().ok());
    return sketch.ok();
  };
  for (auto& row : testing::ReadManifest("redis/manifest.csv")) {
    BOOST_TEST_CONTEXT(row["file"]) {
      BOOST_TEST(testing::DamageForeign(ReadData("redis/" + row["file"]), testing::Mutations() / 10, read) == 0);
    }
  }
}

class Client {
 public:
  explicit Client(const testing::RedisServer& server) {
    testing::WaitUntil([&] {
      context_.reset(redisConnectUnix(server.socket().c_str()));
      return context_ != nullptr && context_->err == 0;
    });
  }
  // One command with binary arguments; the answer as text or number.
  std::string operator()(const std::vector<std::string>& words) {
    std::vector<const char*> data;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      data.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* reply = static_cast<redisReply*>(redisCommandArgv(context_.get(), static_cast<int>(words.size()), data.data(), sizes.data()));
    BOOST_REQUIRE(reply != nullptr);
    BOOST_REQUIRE_MESSAGE(reply->type != REDIS_REPLY_ERROR, reply->str);
    std::string answer = reply->type == REDIS_REPLY_INTEGER ? std::to_string(reply->integer) : std::string(reply->str, reply->len);
    freeReplyObject(reply);
    return answer;
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
};

std::string Text(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
HyperLogLog Read(const std::string& value) {
  absl::StatusOr<HyperLogLog> sketch = ReadRedisHll(std::as_bytes(std::span<const char>(value)));
  REQUIRE_OK(sketch);
  return *std::move(sketch);
}

BOOST_AUTO_TEST_CASE(AServerCountsAndMergesOurs) {
  if (!std::filesystem::exists("/usr/bin/redis-server")) {
    BOOST_TEST_MESSAGE("redis-server is not installed");
    return;
  }
  const testing::RedisServer server;
  Client redis(server);
  for (int n : {0, 1, 300, 2000, 50000}) {
    const HyperLogLog ours = SketchOf(0, n);
    redis({"SET", "ours", Text(*WriteRedisHll(ours))});
    BOOST_TEST(redis({"PFCOUNT", "ours"}) == std::to_string(std::llround(ours.Estimate())));

    // The same elements, added by the server.
    redis({"DEL", "theirs"});
    redis({"PFADD", "theirs"});
    for (int i = 0; i < n; i += 1000) {
      std::vector<std::string> command = {"PFADD", "theirs"};
      for (int k = i; k < std::min(n, i + 1000); ++k) command.push_back(Element(k));
      redis(command);
    }
    BOOST_TEST(Read(redis({"GET", "theirs"})).Registers() == ours.Registers());

    // A merge of ours and theirs, there and here.
    const HyperLogLog more = SketchOf(n / 2, n / 2 + n + 10);
    redis({"SET", "more", Text(*WriteRedisHll(more))});
    redis({"PFMERGE", "merged", "theirs", "more"});
    HyperLogLog merged = SketchOf(0, n);
    REQUIRE_OK(merged.Merge(more));
    BOOST_TEST(Read(redis({"GET", "merged"})).Registers() == merged.Registers());
    // An element more goes into the value that we wrote.
    redis({"PFADD", "ours", "one more"});
    HyperLogLog added = SketchOf(0, n);
    added.Add("one more");
    BOOST_TEST(Read(redis({"GET", "ours"})).Registers() == added.Registers());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace thimble
