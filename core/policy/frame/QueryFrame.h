#pragma once
#include "core/policy/Verdict.h"

#include <cstdint>
#include <string>
#include <string_view>

// What a worker may ask of its host in the middle of a call, and the answers. A query cannot be taken for a reply.
// Errors: as PolicyFrame.h.
namespace postern::policy::frame {

enum class QueryKind : std::uint8_t { Content, Count };

// How often a key was counted.
struct CountQuery {
  std::string policy;
  std::string key;
  std::uint32_t seconds = 0;  // of the window that ends now
};
inline constexpr std::size_t MaxCountKey = 256;
inline constexpr std::uint32_t MaxCountSeconds = 7 * 24 * 3600;

bool isQuery(std::string_view frame);
QueryKind queryKind(std::string_view frame);

std::string encodeContentQuery();
std::string encode(const CountQuery& query);
CountQuery decodeCountQuery(std::string_view frame);

std::string encodeContent(const MessageContent& content);
MessageContent decodeContent(std::string_view frame);
std::string encodeCount(std::uint64_t count);
std::uint64_t decodeCount(std::string_view frame);

}  // namespace postern::policy::frame
