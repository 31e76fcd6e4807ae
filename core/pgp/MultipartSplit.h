#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The little of MIME that RFC 3156 needs, read strictly: what two programs could read in two ways gives nothing.
namespace postern::pgp {

struct MimeType {
  std::string name;  // lower case; "text/plain" where nothing is said
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string parameter(std::string_view name) const;  // in lower case for all but "boundary"; empty if not there
};

struct Entity {
  MimeType type;
  std::string encoding;  // lower case; "7bit" where nothing is said
  std::string_view body;
};

// Nothing for a header that is ambiguous. Views into `message`.
std::optional<Entity> readEntity(std::string_view message);

// The parts between the boundary lines, each without the line end before the next. Nothing if the end is missing, or
// anything but blanks stands before the first or after the last.
std::optional<std::vector<std::string_view>> splitMultipart(const Entity& entity);

}  // namespace postern::pgp
