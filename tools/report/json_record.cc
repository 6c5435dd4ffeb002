#include "json_record.h"

#include <algorithm>
#include <string>

#include <simdjson.h>

namespace thimble::tools {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// The grammar of RFC 8259, which says nothing of how large a number may be.
bool IsNumber(std::string_view text) {
  std::size_t at = 0;
  const auto skip = [&](std::string_view any) { return at < text.size() && any.find(text[at]) != std::string_view::npos && ++at; };
  const auto digits = [&] {
    const std::size_t from = at;
    while (skip("0123456789")) {
    }
    return at > from;
  };
  skip("-");
  if (!skip("0") && !digits()) return false;
  if (skip(".") && !digits()) return false;
  if (skip("eE")) {
    skip("+-");
    if (!digits()) return false;
  }
  return at == text.size();
}

// The text with a zero and blanks for each number, so that none is too large.
std::string WithoutNumbers(std::string text) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[at] == '-' || (text[at] >= '0' && text[at] <= '9'))) {
      const std::size_t size = std::min(text.find_first_not_of("+-.eE0123456789", at), text.size()) - at;
      if (IsNumber({&text[at], size})) text.replace(at, size, size, ' '), text[at] = '0';
      at += size - 1;
    }
  }
  return text;
}

}  // namespace

struct JsonRecord::Parser {
  simdjson::dom::parser dom;
  ondemand::parser ondemand;
};

JsonRecord::JsonRecord() : parser_(std::make_unique<Parser>()) {}
JsonRecord::~JsonRecord() = default;

bool JsonRecord::Parse(std::string_view line) {
  members_.clear();
  padded_.assign(Trimmed(line));
  padded_.append(simdjson::SIMDJSON_PADDING, '\0');
  // The document parser checks all of it, up to a number that it cannot hold, which is text to us.
  const std::size_t size = padded_.size() - simdjson::SIMDJSON_PADDING;
  const simdjson::simdjson_result<simdjson::dom::element> parsed = parser_->dom.parse(padded_.data(), size, false);
  if (std::string_view text; parsed.get_string().get(text) == simdjson::SUCCESS) {
    Add("value", text);
    return true;
  }
  simdjson::error_code error = parsed.error();
  if (error == simdjson::NUMBER_ERROR) error = parser_->dom.parse(WithoutNumbers(padded_).data(), size, true).error();
  if (error == simdjson::SUCCESS && AddMembers()) return true;
  members_.clear();
  return false;
}

bool JsonRecord::AddMembers() {
  const std::size_t size = padded_.size() - simdjson::SIMDJSON_PADDING;
  const std::string_view all(padded_.data(), size);
  if (!all.starts_with('{')) {
    if (all.front() == '-' || (all.front() >= '0' && all.front() <= '9')) return IsNumber(all) && (Add("value", all), true);
    Add("value", all == "null" ? std::string_view() : all);
    return true;
  }
  ondemand::document document;
  if (parser_->ondemand.iterate(padded_.data(), size, padded_.size()).get(document) != simdjson::SUCCESS) return false;
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto field : object) {
    std::string_view name, text;
    ondemand::value value;
    ondemand::json_type type;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) return false;
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    switch (type) {
      case ondemand::json_type::string: {
        if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        break;
      }
      case ondemand::json_type::array: {
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS || array.raw_json().get(text) != simdjson::SUCCESS) return false;
        text = Trimmed(text);
        break;
      }
      case ondemand::json_type::object: {
        ondemand::object nested;
        if (value.get_object().get(nested) != simdjson::SUCCESS || nested.raw_json().get(text) != simdjson::SUCCESS) return false;
        text = Trimmed(text);
        break;
      }
      case ondemand::json_type::number: {
        text = Trimmed(value.raw_json_token());
        if (!IsNumber(text)) return false;
        break;
      }
      case ondemand::json_type::boolean: text = Trimmed(value.raw_json_token()); break;
      case ondemand::json_type::null: break;
    }
    Add(name, text);
  }
  return true;
}

}  // namespace thimble::tools
