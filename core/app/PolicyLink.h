#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Codec.h"

#include <cstdint>
#include <string>
#include <vector>

// What listd asks of the gateway's policies, and what they say. Plain values.
namespace postern::app {

// Hooks that listd has to ask about, where a policy has them: bits of GatewayService::activeHooks().
struct ListHook {
  static constexpr std::uint16_t Post = 1;
  static constexpr std::uint16_t Member = 2;
  static constexpr std::uint16_t All = 0xffff;
};

// A post for one list, before anything of it is planned. Of what was encrypted to the list only the outside: the
// gateway never sees the rest.
struct PostQuestion {
  std::string author;  // address of From; empty if it names no single author
  std::string mailFrom;
  std::string subject;
  std::string messageId;
  std::uint64_t size = 0;
  bool encrypted = false;       // as it came
  bool isSigned = false;        // as it came
  bool authorIsMember = false;  // an enabled one
  bool released = false;        // from the quarantine, by a person: only a floor counts
  std::string proven;           // SPF or DKIM speak for the author's domain: "yes", "no", "unknown"
  std::vector<std::pair<std::string, std::string>> notes;  // of the policies that saw it come

  std::string list;  // address
  std::string listName;
  bool secure = false;
  std::string sensitivity;  // "low", "moderate", "high"
  bool anyonePosts = false;
  std::uint64_t members = 0;  // enabled ones

  void encode(Writer& writer) const;
  static PostQuestion decode(Reader& reader);
};

struct PostAnswer {
  enum class Kind : std::uint8_t { Pass, Reject, Hold, Discard, Failed };  // Failed: ask again later; never passes

  Kind kind = Kind::Failed;
  std::string reason;  // stable word
  std::string policy;
  std::string text;  // of Failed: what went wrong, for administrators
  // Of Pass: the least protection that policies ask for all copies of the post; it strengthens what the list says.
  Protection floor = Protection::None;

  void encode(Writer& writer) const;
  static PostAnswer decode(Reader& reader);
};

// Members of a list, and the least protection that policies ask for each of them; None: what the list says.
struct MembersQuestion {
  static constexpr std::size_t MaxMembers = 500;

  PostQuestion post;
  std::vector<std::string> members;  // addresses
  void encode(Writer& writer) const;
  static MembersQuestion decode(Reader& reader);
};

struct MembersAnswer {
  bool failed = true;
  std::string problem;
  std::vector<Protection> floors;  // one for each member

  void encode(Writer& writer) const;
  static MembersAnswer decode(Reader& reader);
};

}  // namespace postern::app
