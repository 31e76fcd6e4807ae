#include "listd/orders/Args.h"

#include "core/mail/Text.h"

#include <charconv>

namespace postern::listd {
namespace {

using nlohmann::json;

std::string named(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

std::string checkedLine(std::string_view name, std::string value, std::size_t maxSize) {
  if (value.size() > maxSize)
    refuse("invalid", named(name) + " is too long", "give at most " + std::to_string(maxSize) + " bytes");
  if (!mail::isUtf8(value) || mail::hasControl(value))
    refuse("invalid", named(name) + " holds characters that cannot be used", "give one line of plain text");
  return value;
}

}  // namespace

void refuse(std::string code, std::string message, std::string hint) {
  throw app::OrderRefused({std::move(code), std::move(message), std::move(hint)});
}

Args::Args(const json& args) : args_(args.is_null() ? json::object() : args) {
  if (!args_.is_object()) refuse("usage", "the arguments of an order must be an object");
}

const json* Args::find(std::string_view name) const {
  const auto found = args_.find(std::string(name));
  return found == args_.end() || found->is_null() ? nullptr : &*found;
}

bool Args::has(std::string_view name) const {
  return find(name) != nullptr;
}

std::string Args::text(std::string_view name, std::size_t maxSize) const {
  auto value = textOr(name, {}, maxSize);
  if (value.empty()) refuse("usage", named(name) + " is missing");
  return value;
}

std::string Args::textOr(std::string_view name, std::string fallback, std::size_t maxSize) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_number_integer()) return value->dump();
  if (!value->is_string()) refuse("usage", named(name) + " must be a text");
  return checkedLine(name, value->get<std::string>(), maxSize);
}

std::string Args::bytes(std::string_view name, std::size_t maxSize) const {
  const auto* value = find(name);
  if (value == nullptr || !value->is_string()) refuse("usage", named(name) + " is missing");
  auto bytes = value->get<std::string>();
  if (bytes.size() > maxSize)
    refuse("invalid", named(name) + " is too large", "give at most " + std::to_string(maxSize) + " bytes");
  return bytes;
}

bool Args::flag(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) refuse("usage", named(name) + " must be true or false");
  return value->get<bool>();
}

std::uint64_t Args::number(std::string_view name, std::uint64_t fallback, std::uint64_t least,
                           std::uint64_t most) const {
  const auto value = has(name) ? id(name) : fallback;
  if (value < least || value > most)
    refuse("invalid", named(name) + " must be between " + std::to_string(least) + " and " + std::to_string(most));
  return value;
}

std::uint64_t Args::id(std::string_view name) const {
  const auto digits = text(name, 20);
  std::uint64_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) refuse("invalid", named(name) + " must be a number");
  return value;
}

std::string Args::word(std::string_view name, std::string_view fallback,
                       std::initializer_list<std::string_view> allowed) const {
  const auto value = textOr(name, std::string(fallback));
  std::string choice;
  for (const auto word : allowed) {
    if (value == word) return value;
    choice += (choice.empty() ? "" : ", ") + std::string(word);
  }
  refuse("invalid", named(name) + " cannot be \"" + value + "\"", "give one of: " + choice);
}

std::vector<std::string> Args::texts(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return {};
  if (value->is_string()) return {checkedLine(name, value->get<std::string>(), 4000)};
  if (!value->is_array()) refuse("usage", named(name) + " must be a list of texts");
  std::vector<std::string> texts;
  for (const auto& item : *value) {
    if (!item.is_string()) refuse("usage", named(name) + " must be a list of texts");
    texts.push_back(checkedLine(name, item.get<std::string>(), 400));
  }
  return texts;
}

mail::Address Args::address(std::string_view name) const {
  const auto value = text(name, 400);
  auto address = mail::Address::parse(value);
  if (!address)
    refuse("invalid", "\"" + value + "\" is not a mail address: " + mail::addressErrorText(address.error()),
           "give an address as in ann@example.org");
  return std::move(*address);
}

mail::DomainName Args::domain(std::string_view name) const {
  const auto value = text(name, 300);
  auto domain = mail::DomainName::parse(value);
  if (!domain)
    refuse("invalid", "\"" + value + "\" is not a domain name: " + mail::addressErrorText(domain.error()),
           "give a name as in lists.example.org");
  return std::move(*domain);
}

std::string Args::object() const {
  std::string object;
  for (const auto* name : {"list", "address", "domain", "name", "fingerprint", "id", "client"}) {
    const auto* value = find(name);
    if (value == nullptr || !(value->is_string() || value->is_number())) continue;
    auto part = value->is_string() ? value->get<std::string>() : value->dump();
    part.resize(std::min<std::size_t>(part.size(), 400));
    object += (object.empty() ? "" : " ") + mail::repairUtf8(part);
  }
  return object;
}

}  // namespace postern::listd
