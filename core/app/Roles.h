#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::app {

// What a person may be on a site. Fixed; a person may hold several, with exclusions (docs/roles.md).
enum class Role : std::uint16_t {
  Admin = 1,       // network, TLS, users, backup, queues, policies; never mail, holds, retention
  Officer = 2,     // compliance officer: rules, matters, holds, search, export
  Approver = 4,    // approves or refuses what others ask for
  Auditor = 8,     // reads audit, reports, certificates; changes nothing
  Custodian = 16,  // key custodian: unseal, escrow
  Owner = 32,      // of the lists where the person is owner or moderator
  Helpdesk = 64,   // trace metadata, resend notices, end a session
  Member = 128,    // own messages
};

// A set of roles. Immutable value.
class Roles {
public:
  constexpr Roles() = default;
  constexpr Roles(Role role) : bits_(static_cast<std::uint16_t>(role)) {}  // NOLINT: a role is a set of one
  constexpr Roles operator|(Roles other) const { return Roles(static_cast<std::uint16_t>(bits_ | other.bits_)); }
  constexpr bool has(Role role) const { return (bits_ & static_cast<std::uint16_t>(role)) != 0; }
  constexpr bool meets(Roles other) const { return (bits_ & other.bits_) != 0; }  // have one in common
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint16_t bits() const { return bits_; }
  static constexpr Roles fromBits(std::uint16_t bits) { return Roles(bits); }
  constexpr bool operator==(const Roles&) const = default;

private:
  explicit constexpr Roles(std::uint16_t bits) : bits_(bits) {}
  std::uint16_t bits_ = 0;
};
constexpr Roles operator|(Role left, Role right) {
  return Roles(left) | Roles(right);
}

const char* roleWord(Role role);  // "admin" "officer" "approver" "auditor" "custodian" "owner" "helpdesk" "member"
std::optional<Role> roleFromWord(std::string_view word);

}  // namespace postern::app
