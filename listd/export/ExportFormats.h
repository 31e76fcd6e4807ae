#pragma once
#include "core/base/Clock.h"
#include "listd/search/MessageCard.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How messages look in an export. Pure.
namespace postern::listd {

// The message without Bcc and Resent-Bcc; every other byte as it was.
std::string withoutBcc(const std::string& content);

// One message of an mbox file: From line, LF line ends, "From " within it quoted (mboxrd), an empty line behind.
std::string mboxEntry(std::string_view content, TimePoint receivedAt);

// One line of a load file.
struct LoadRow {
  std::string id;  // "000001"
  std::uint64_t objectId = 0;
  MessageCard card;
  TimePoint receivedAt;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::string native;  // names within the archive
  std::string text;
};
// Concordance DAT: UTF-8 with byte order mark, fields between U+00FE parted by U+0014, line ends within as U+00AE.
std::string datHeader();
std::string datLine(const LoadRow& row);
// EDRM XML 1.2.
std::string edrmHeader();
std::string edrmDocument(const LoadRow& row);
std::string edrmFooter();

}  // namespace postern::listd
