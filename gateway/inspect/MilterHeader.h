#pragma once
#include "core/mail/Message.h"
#include "gateway/inspect/MilterWire.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::gateway::milter {

// A message whose header a milter edits. Invariant: what comes out is the same body, byte for byte, below whole header
// fields. Threads: one.
class EditedHeader {
public:
  explicit EditedHeader(const mail::Message& message);

  // False: the value cannot stand in a header (a line that is too long, a NUL, a bare CR), or there are too many edits.
  bool apply(const Reply& edit);
  bool changed() const { return edits_ > 0; }
  std::string text() const;

private:
  struct Field {
    std::string name;
    std::string raw;
  };
  void change(const Reply& edit, std::string raw);

  std::vector<Field> fields_;
  std::string body_;
  std::size_t edits_ = 0;
  std::size_t added_ = 0;  // bytes
};

}  // namespace postern::gateway::milter
