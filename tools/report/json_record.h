#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace thimble::tools {

// One line of JSON Lines, as text: an object's members in their order, strings without their escapes, numbers and nested
// values as they stand, null as nothing. Any other value is a single member called "value".
class JsonRecord {
 public:
  JsonRecord();
  ~JsonRecord();

  // False if the line is not JSON: then there are no members.
  bool Parse(std::string_view line);

  std::size_t size() const { return members_.size(); }
  std::string_view name(std::size_t i) const { return members_[i].name; }
  std::string_view value(std::size_t i) const { return members_[i].value; }

 private:
  struct Member {
    std::string name, value;
  };
  struct Parser;

  bool AddMembers();
  void Add(std::string_view name, std::string_view value) { members_.push_back({std::string(name), std::string(value)}); }

  std::unique_ptr<Parser> parser_;
  std::string padded_;
  std::vector<Member> members_;
};

}  // namespace thimble::tools
