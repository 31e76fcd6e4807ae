#pragma once
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// NIST SP 800-63B-4: 8 characters where every sign-in also asks for a second factor, as ours does (15 without one).
inline constexpr std::size_t ShortestPassword = 8;

// Why a password is not taken, with what to do about it.
struct PasswordFault {
  std::string message;
  std::string hint;
};

// Judges a new password as NIST SP 800-63B-4 asks: a length in characters and no rule of composition; not one of the
// common passwords (orders/common-passwords.txt) and not a name that anybody knows, which is one of `names` or a part
// of it between dots, with or without digits and signs around it. Case does not make a difference. Threads: safe for
// all.
std::optional<PasswordFault> passwordFault(std::string_view password, std::initializer_list<std::string_view> names);

}  // namespace postern::listd
