#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What people see of a message in a row, read from its content each time and never stored: valid UTF-8, one line each.
struct MessageCard {
  std::string subject;
  std::string from;
  std::string to;
  std::string cc;
  std::string bcc;
  std::string date;       // as written
  std::string messageId;  // with its angle brackets; empty: none
  std::vector<std::string> attachments;
  std::string text;     // what a reader would see of the body; only when asked for
  bool sealed = false;  // end-to-end encrypted

  static MessageCard read(std::string_view content, bool withText = false);
};

}  // namespace postern::listd
