#include "json_record.h"

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
  // The document parser checks all of it; it refuses numbers that it cannot hold, which are text to us.
  const std::size_t size = padded_.size() - simdjson::SIMDJSON_PADDING;
  const simdjson::simdjson_result<simdjson::dom::element> parsed = parser_->dom.parse(padded_.data(), size, false);
  if (std::string_view text; parsed.get_string().get(text) == simdjson::SUCCESS) {
    Add("value", text);
    return true;
  }
  const simdjson::error_code error = parsed.error();
  if ((error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR) && AddMembers()) return true;
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
