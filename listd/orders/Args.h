#pragma once
#include "core/app/Orders.h"
#include "core/mail/Address.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Refuses an order, with what to do about it.
[[noreturn]] void refuse(std::string code, std::string message, std::string hint = {});

// The arguments of one order, checked as they are read: each reader throws app::OrderRefused with a message that names
// the argument. One-line texts hold no control characters, so that nothing of them can break a header or a log line.
class Args {
public:
  explicit Args(const nlohmann::json& args);

  bool has(std::string_view name) const;
  std::string text(std::string_view name, std::size_t maxSize = 200) const;  // one line, not empty
  std::string textOr(std::string_view name, std::string fallback, std::size_t maxSize = 200) const;  // may be empty
  std::string bytes(std::string_view name, std::size_t maxSize) const;  // any text: a certificate, a CSV file
  bool flag(std::string_view name) const;                               // false if missing
  std::uint64_t number(std::string_view name, std::uint64_t fallback, std::uint64_t least, std::uint64_t most) const;
  std::uint64_t id(std::string_view name) const;  // a number or its digits
  std::string word(std::string_view name, std::string_view fallback,
                   std::initializer_list<std::string_view> allowed) const;
  std::vector<std::string> texts(std::string_view name) const;  // a list of texts, or one; empty if missing
  mail::Address address(std::string_view name) const;
  mail::DomainName domain(std::string_view name) const;

  // What the order is about, for the record of orders: addresses, names and ids, never a secret.
  std::string object() const;

private:
  const nlohmann::json* find(std::string_view name) const;
  nlohmann::json args_;
};

}  // namespace postern::listd
