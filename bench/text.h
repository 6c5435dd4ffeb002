#pragma once

// Text to measure with where --data names none: words, host names and URLs, made from a seed. Syllables, labels and path
// segments repeat as in real ones: a few are everywhere, most are rare.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace thimble::bench {

class TextMaker {
 public:
  explicit TextMaker(std::uint64_t seed) : random_(seed) {
    static constexpr const char* kStarts[] = {"b", "br", "c", "ch", "d", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p",
                                              "pr", "r", "s", "st", "sh", "t", "tr", "v", "w", "z", "", "qu", "bl", "th", "kr"};
    static constexpr const char* kMiddles[] = {"a", "e", "i", "o", "u", "ea", "ou", "ai", "y", "io"};
    static constexpr const char* kEnds[] = {"", "", "n", "r", "s", "t", "l", "m", "ck", "ng", "st", "x"};
    for (int i = 0; i < 30'000; ++i) {
      std::string word;
      for (std::uint64_t syllables = 1 + Below(3); syllables > 0; --syllables) {
        word += kStarts[Rare(std::size(kStarts))];
        word += kMiddles[Rare(std::size(kMiddles))];
        word += kEnds[Below(std::size(kEnds))];
      }
      words_.push_back(word);
    }
  }

  std::string Word() { return words_[Rare(words_.size())]; }

  // www.example.com, and the machines of large sites.
  std::string Host() {
    static constexpr const char* kTops[] = {"com", "org", "net", "de", "co.uk", "ru", "fr", "info", "it", "nl", "com.br", "pl",
                                            "edu", "ca", "co.jp", "com.au", "gov", "io", "es", "ch", "se", "eu", "cz", "us"};
    std::string host;
    const std::uint64_t form = Below(10);
    if (form < 4) host = "www.";
    if (form == 4) Put({Word(), "."}, &host);
    if (form == 5) Put({Word(), std::to_string(Below(40)), "."}, &host);
    host += Word();
    if (Below(2) == 0) Put({Below(3) == 0 ? "-" : "", Word()}, &host);
    if (Below(12) == 0) host += std::to_string(Below(1000));
    Put({".", kTops[Rare(std::size(kTops))]}, &host);
    return host;
  }

  std::string Url() {
    static constexpr const char* kLast[] = {"", "/", ".html", ".php", ".htm", "/index.html", ".aspx", ".jpg", ".pdf", "/feed"};
    if (hosts_.empty()) {
      for (int i = 0; i < 20'000; ++i) hosts_.push_back(Host());
    }
    std::string url = Below(2) == 0 ? "http://" : "https://";
    url += hosts_[Rare(hosts_.size())];
    for (std::uint64_t depth = Below(4); depth > 0; --depth) {
      Put({"/", Word()}, &url);
      if (Below(3) == 0) Put({"-", Word()}, &url);
      if (Below(6) == 0) Put({"/", std::to_string(Below(2020))}, &url);
    }
    url += kLast[Rare(std::size(kLast))];
    if (Below(8) == 0) Put({"?id=", std::to_string(Below(1'000'000))}, &url);
    return url;
  }

  // `n` different ones, sorted.
  template <class Make>
  static std::vector<std::string> Distinct(std::size_t n, Make make) {
    std::vector<std::string> texts;
    while (texts.size() < n) {
      for (std::size_t missing = n + n / 8 - texts.size(); missing > 0; --missing) texts.push_back(make());
      std::sort(texts.begin(), texts.end());
      texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    }
    while (texts.size() > n) texts.pop_back();
    return texts;
  }

 private:
  static void Put(std::initializer_list<std::string_view> parts, std::string* to) {
    for (const std::string_view part : parts) *to += part;
  }
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  // A number below n, small ones far more often.
  std::size_t Rare(std::size_t n) {
    const double u = static_cast<double>(random_() >> 11) * 0x1p-53;
    return std::min(n - 1, static_cast<std::size_t>(std::pow(static_cast<double>(n) + 1, u) - 1));
  }

  std::mt19937_64 random_;
  std::vector<std::string> words_, hosts_;
};

}  // namespace thimble::bench
