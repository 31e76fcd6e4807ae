#include "core/net/Clamd.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/net/CompanionStream.h"

#include <algorithm>

namespace postern::net {
namespace {

constexpr std::size_t ChunkSize = 256 * 1024;
constexpr std::size_t LongestReply = 4096;
constexpr std::size_t LongestName = 100;

std::string printable(std::string_view text) {
  std::string out(text.substr(0, LongestName));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x21 || c > 0x7e; }, '_');
  return out;
}

std::string replyOf(CompanionStream& stream) {
  std::string reply;
  while (reply.size() < LongestReply && reply.find('\0') == std::string::npos) {
    const auto some = stream.receiveSome(LongestReply);
    if (some.empty()) break;
    reply += some;
  }
  return reply.substr(0, reply.find('\0'));
}

void sendContent(CompanionStream& stream, std::string_view content) {
  stream.send(std::string_view("zINSTREAM\0", 10));
  for (std::size_t from = 0; from < content.size(); from += ChunkSize) {
    const auto chunk = content.substr(from, ChunkSize);
    stream.send(Writer().u32(static_cast<std::uint32_t>(chunk.size())).bytes());
    stream.send(chunk);
  }
  stream.send(Writer().u32(0).bytes());
}

}  // namespace

std::optional<std::string> Clamd::scan(std::string_view content) const {
  CompanionStream stream(address_, timeLimit_, "ClamAV");
  try {
    sendContent(stream, content);
  } catch (const Error&) {
    // It says why it wants no more, and closes. What it has not read whole is not clean.
    if (const auto reply = replyOf(stream); !reply.empty())
      if (auto found = readClamdReply(reply)) return found;
    throw;
  }
  return readClamdReply(replyOf(stream));
}

std::optional<std::string> readClamdReply(std::string_view reply) {
  constexpr std::string_view Begin = "stream: ", Found = " FOUND";
  while (reply.ends_with('\n')) reply.remove_suffix(1);
  if (reply == "stream: OK") return std::nullopt;
  if (reply.starts_with(Begin) && reply.ends_with(Found) && reply.size() > Begin.size() + Found.size())
    return printable(reply.substr(Begin.size(), reply.size() - Begin.size() - Found.size()));
  if (reply.find("size limit") != std::string_view::npos)
    throw Error(ErrorKind::Unavailable,
                "ClamAV takes no message of this size: set StreamMaxLength in clamd.conf to at least [gateway] "
                "max_message_size of postern.toml");
  throw Error(ErrorKind::Unavailable, "ClamAV gave no verdict: " + (reply.empty() ? "nothing" : printable(reply)));
}

}  // namespace postern::net
