#include "listd/export/ExportFormats.h"

#include "core/mail/Message.h"
#include "core/mail/Text.h"

#include <ctime>

namespace postern::listd {
namespace {

std::string fromLine(TimePoint time) {
  const auto seconds = static_cast<std::time_t>(toMicros(time) / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  constexpr const char* Days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* Months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char line[80];
  std::snprintf(line, sizeof line, "From MAILER-DAEMON %s %s %2d %02d:%02d:%02d %d\n", Days[parts.tm_wday],
                Months[parts.tm_mon], parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_year + 1900);
  return line;
}

constexpr const char* Quote = "\xC3\xBE";  // U+00FE
constexpr const char* Separator = "\x14";
constexpr const char* LineEnd = "\xC2\xAE";  // U+00AE

std::string datField(std::string_view value) {
  std::string out = Quote;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.substr(i).starts_with(Quote)) {
      ++i;  // the mark itself cannot stand in a value
      continue;
    }
    if (value[i] == '\n')
      out += LineEnd;
    else if (static_cast<unsigned char>(value[i]) >= 0x20)
      out += value[i];
  }
  return out + Quote;
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : "; ") + value;
  return out;
}

std::string datRow(const std::vector<std::string>& values) {
  std::string line;
  for (const auto& value : values) line += (line.empty() ? "" : Separator) + datField(value);
  return line + "\r\n";
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(byte) >= 0x20) out += byte;
    }
  }
  return out;
}

std::string tag(const char* name, const char* type, std::string_view value) {
  return std::string("<Tag TagName=\"") + name + "\" TagDataType=\"" + type + "\" TagValue=\"" + xml(value) + "\"/>";
}

std::string fileElement(const char* type, std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string("<File FileType=\"") + type + "\"><ExternalFile FilePath=\"" + xml(path.substr(0, slash)) +
         "\" FileName=\"" + xml(path.substr(slash + 1)) + "\"";
}

}  // namespace

std::string withoutBcc(const std::string& content) {
  const auto message = mail::Message::parse(content);
  if (!message) return content;
  return message->edited({mail::HeaderEdit::remove("Bcc"), mail::HeaderEdit::remove("Resent-Bcc")});
}

std::string mboxEntry(std::string_view content, TimePoint receivedAt) {
  std::string out = fromLine(receivedAt);
  while (!content.empty()) {
    const auto end = content.find('\n');
    auto line = content.substr(0, end);
    content.remove_prefix(end == content.npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.substr(std::min(line.find_first_not_of('>'), line.size())).starts_with("From ")) out += '>';
    out.append(line) += '\n';
  }
  return out += '\n';
}

std::string datHeader() {
  return "\xEF\xBB\xBF" + datRow({"DOCID", "OBJECT", "FROM", "TO", "CC", "BCC", "SUBJECT", "DATE", "DATERECEIVED",
                                  "MESSAGEID", "ATTACHMENTS", "FILESIZE", "SHA256", "NATIVEPATH", "TEXTPATH"});
}

std::string datLine(const LoadRow& row) {
  return datRow({row.id, std::to_string(row.objectId), row.card.from, row.card.to, row.card.cc, row.card.bcc,
                 row.card.subject, row.card.date, formatRfc3339(row.receivedAt), row.card.messageId,
                 joined(row.card.attachments), std::to_string(row.bytes), row.sha256, row.native, row.text});
}

std::string edrmHeader() {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root MajorVersion=\"1\" MinorVersion=\"2\" "
         "DataInterchangeType=\"Update\">\n<Batch>\n<Documents>\n";
}

std::string edrmDocument(const LoadRow& row) {
  return "<Document DocID=\"" + row.id + "\" DocType=\"Message\" MimeType=\"message/rfc822\"><Tags>" +
         tag("#From", "Text", row.card.from) + tag("#To", "Text", row.card.to) + tag("#CC", "Text", row.card.cc) +
         tag("#BCC", "Text", row.card.bcc) + tag("#Subject", "Text", row.card.subject) +
         tag("#DateReceived", "DateTime", formatRfc3339(row.receivedAt)) +
         tag("#MessageID", "Text", row.card.messageId) +
         tag("#HasAttachments", "Boolean", row.card.attachments.empty() ? "false" : "true") + "</Tags><Files>" +
         fileElement("Native", row.native) + " FileSize=\"" + std::to_string(row.bytes) + "\" Hash=\"" + row.sha256 +
         "\" HashType=\"SHA-256\"/></File>" + fileElement("Text", row.text) + "/></File></Files></Document>\n";
}

std::string edrmFooter() {
  return "</Documents>\n</Batch>\n</Root>\n";
}

}  // namespace postern::listd
