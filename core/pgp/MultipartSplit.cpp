#include "core/pgp/MultipartSplit.h"

#include "core/mail/Header.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"

namespace postern::pgp {

namespace {

constexpr std::size_t MaxParts = 16;

bool isAmbiguous(const mail::HeaderBlock& header) {
  using Defect = mail::HeaderDefect;
  for (const auto defect : {Defect::BareCr, Defect::BareLf, Defect::Nul, Defect::MissingColon, Defect::BadName,
                            Defect::SpaceBeforeColon, Defect::StrayFold, Defect::NoEnd})
    if (header.has(defect)) return true;
  return header.count("content-type") > 1 || header.count("content-transfer-encoding") > 1;
}

// Whether a line, without its line end, is this boundary; and whether it is the last.
bool isDelimiter(std::string_view line, std::string_view boundary, bool& last) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  if (!line.starts_with("--") || line.substr(2, boundary.size()) != boundary) return false;
  const auto rest = line.substr(2 + boundary.size());
  last = rest == "--";
  return rest.empty() || last;
}

}  // namespace

std::string MimeType::parameter(std::string_view wanted) const {
  for (const auto& [key, value] : parameters)
    if (key == wanted) return wanted == "boundary" ? value : mail::lowerAscii(value);
  return "";
}

std::optional<Entity> readEntity(std::string_view message) {
  const auto header = mail::HeaderBlock::scan(message);
  if (!header || isAmbiguous(*header)) return std::nullopt;
  Entity entity;
  entity.type.name = "text/plain";
  if (const auto value = header->value("content-type")) {
    const auto parsed = mail::parseParameterized(*value);
    if (!parsed.wellFormed) return std::nullopt;
    entity.type.name = parsed.value;
    for (const auto& parameter : parsed.parameters) {
      if (!entity.type.parameter(parameter.name).empty()) return std::nullopt;
      entity.type.parameters.emplace_back(parameter.name, parameter.value);
    }
  }
  entity.encoding = mail::lowerAscii(header->value("content-transfer-encoding").value_or("7bit"));
  entity.body = message.substr(header->bodyOffset());
  return entity;
}

std::optional<std::vector<std::string_view>> splitMultipart(const Entity& entity) {
  const auto boundary = entity.type.parameter("boundary");
  const auto& text = entity.body;
  if (boundary.empty() || boundary.size() > 70) return std::nullopt;
  std::vector<std::string_view> parts;
  std::size_t start = std::string_view::npos;  // of the part at hand
  for (std::size_t at = 0; at < text.size();) {
    const auto found = text.find('\n', at);
    const auto next = found == std::string_view::npos ? text.size() : found + 1;
    auto line = text.substr(at, next - at);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    bool last = false;
    if (isDelimiter(line, boundary, last)) {
      if (start != std::string_view::npos) {
        if (at < start + 2 || text.substr(at - 2, 2) != "\r\n" || parts.size() == MaxParts) return std::nullopt;
        parts.push_back(text.substr(start, at - 2 - start));
      } else if (last) {
        return std::nullopt;
      }
      if (last) {
        if (!mail::trim(text.substr(next)).empty()) return std::nullopt;
        return parts;
      }
      start = next;
    } else if (start == std::string_view::npos && !mail::trim(line).empty()) {
      return std::nullopt;
    }
    at = next;
  }
  return std::nullopt;
}

}  // namespace postern::pgp
