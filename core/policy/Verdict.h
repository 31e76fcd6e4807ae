#pragma once
#include "core/base/Result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What policies are told about a transaction and what they answer. Plain values, no behaviour.
// Threads: immutable once built.
namespace postern::policy {

// ---- what a policy is told -------------------------------------------------------------------------------------

struct TlsFacts {
  std::string version;       // "TLSv1.3"
  std::string cipher;        // "TLS_AES_256_GCM_SHA384"
  std::uint32_t bits = 0;    // strength of the cipher
  std::string verification;  // of the client's certificate: "none", "ok" or "failed"
};

// What DNS lists of bad addresses say of the client.
struct ReputationFacts {
  int score = 0;                   // the weights of the zones that list it
  std::vector<std::string> zones;  // their names

  bool operator==(const ReputationFacts&) const = default;
};

struct ClientFacts {
  std::string address;                             // IP address as text
  std::string name;                                // verified reverse name; empty if there is none
  std::optional<TlsFacts> tls;                     // nothing on a session in clear
  std::optional<ReputationFacts> reputation = {};  // nothing: no zones are asked, or the client is exempt
};

struct RecipientFacts {
  std::string address;  // as the gateway has normalised it; unique in a transaction
  std::string list;     // name of the list it belongs to; empty if it is not a list
  bool secure = false;  // the list is secure
};

// The moments at which policies are asked; each has its function in a policy's table.
enum class Hook : std::uint8_t { Connect, Ehlo, Auth, Mail, Rcpt, Message, Post, Member, Attempt, Expire, Route };
inline constexpr Hook LastHook = Hook::Route;

// "connect", "ehlo", …: as policies write it.
const char* nameOf(Hook hook);

// A set of hooks in one word.
class HookSet {
public:
  constexpr bool has(Hook hook) const { return (bits_ >> static_cast<unsigned>(hook) & 1) != 0; }
  constexpr void add(Hook hook) { bits_ = static_cast<std::uint16_t>(bits_ | 1u << static_cast<unsigned>(hook)); }

private:
  std::uint16_t bits_ = 0;
};

// Who signs in (AUTH).
struct UserFacts {
  std::string account;
  std::string address;  // the only one that this person may write as
};

// In the hook `rcpt`, `recipients` are those accepted so far. Before MAIL there is no sender, before EHLO no `helo`.
struct TransactionFacts {
  ClientFacts client;
  std::string helo;
  std::string mailFrom;  // empty for the null sender
  std::vector<RecipientFacts> recipients;
  std::uint64_t size = 0;  // bytes: of the content, or as announced by SIZE= before it is there (0 if not)
  bool trial = false;      // for the host: nothing comes of this, so nothing is counted
  std::string trace = {};  // the queue id that the message gets; empty before there is one. Policies are not told
};

struct HeaderFacts {
  std::string name;   // as written
  std::string value;  // decoded (RFC 2047) and unfolded, UTF-8
  std::string raw;    // the bytes after the colon
};

// Whether the message is of whom it says; words as in Authentication-Results (RFC 8601).
struct AuthenticationFacts {
  std::string spf;          // "pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"
  std::string dkim;         // of the best signature: "pass", "fail", "policy", …
  std::string dmarc;        // "pass", "fail", "none", "temperror", "permerror"
  std::string arc;          // "none", "pass", "fail"
  std::string domain;       // of From; empty if it names no single author
  std::string policy;       // what the domain's DMARC record asks for on failure: "none", "quarantine", "reject"
  bool proven = false;      // SPF or DKIM speaks for `domain`
  bool undecided = false;   // not proven, but an answer of the DNS was missing
  bool ownDomain = false;   // `domain` is one of the site's
  std::string arcSealer;    // domain of the last seal of a chain that passes; else empty
  bool arcVouches = false;  // that sealer says that DMARC passed for `domain` when the message came to it
};

// What the spam filter makes of the message.
struct SpamFacts {
  double score = 0;
  double required = 0;  // score from which it is spam
  std::string action;   // in rspamd's words: "no action", "greylist", "add header", "reject", …
  struct Symbol {
    std::string name;
    double score = 0;
  };
  std::vector<Symbol> symbols;  // weightiest first
};

// A part of a message that holds content itself (no multipart).
struct PartFacts {
  std::string type;         // lower case: "application/pdf"
  std::string filename;     // decoded (RFC 2231 and 2047), without any folder; empty if none
  std::uint64_t size = 0;   // bytes of decoded content
  std::string disposition;  // "attachment", "inline" or empty
  bool isEncrypted = false;

  bool operator==(const PartFacts&) const = default;
};

// What lies below the header.
struct MessageContent {
  std::vector<PartFacts> parts;  // in their order
  std::string text;              // of the text parts that are shown, HTML as text; UTF-8, at most MaxContentText bytes
  bool textCut = false;          // there is more text than that

  bool operator==(const MessageContent&) const = default;
};
inline constexpr std::size_t MaxContentText = 256u << 10;

struct MessageFacts {
  std::string subject;               // of the first Subject field, decoded and unfolded, UTF-8; empty if none
  std::vector<HeaderFacts> headers;  // all, in their order
  std::string from;                  // address of the single author; empty if there is not exactly one
  std::uint64_t size = 0;            // bytes
  std::string messageId;
  bool isEncrypted = false;                           // the top is S/MIME enveloped data or PGP/MIME encrypted
  bool isSigned = false;                              // the top is an S/MIME or PGP/MIME signature (not verified)
  std::optional<AuthenticationFacts> authentication;  // nothing: the client is exempt from the checks
  std::optional<SpamFacts> spam = {};                 // nothing: no spam filter was asked
  // Makes the content when a policy looks at it, once in a call at most, on the caller's thread. Nothing: a policy that
  // looks fails.
  std::function<MessageContent()> content = {};
  std::string_view whole = {};  // its bytes, while the call lasts: for who asks again later. Policies are not told
};

// A list, as the hooks `post` and `member` see it.
struct ListFacts {
  std::string address;
  std::string name;  // for people
  bool secure = false;
  std::string sensitivity;  // "low", "moderate", "high"
  bool anyonePosts = false;
  std::uint64_t members = 0;  // enabled ones
};

// A post for one list. Of what was encrypted to the list only the outside is known here.
struct PostFacts {
  std::string author;  // address of From; empty if it names no single author
  std::string mailFrom;
  std::string subject;
  std::string messageId;
  std::uint64_t size = 0;
  bool isEncrypted = false;
  bool isSigned = false;
  bool authorIsMember = false;
  bool released = false;  // a person has let it go: only what strengthens its protection counts
  std::string proven;     // SPF or DKIM speak for the author: "yes", "no", "unknown"
  std::vector<std::pair<std::string, std::string>> notes;  // of the policies that saw it come
  ListFacts list;
};

struct MemberFacts {
  std::string address;
};

// ---- what it answers -------------------------------------------------------------------------------------------

enum class VerdictKind : std::uint8_t {
  Pass,      // no opinion: the caller's default applies
  Accept,    // let it through; later policies are not asked
  Reject,    // refuse for good: code 5xx
  Defer,     // refuse for now: code 4xx
  Discard,   // answer 250 and drop (message only)
  Hold,      // answer 250 and keep for a person to decide (message only)
  Redirect,  // deliver to `redirectTo` instead (message only)
  Protect,   // protect by `protection` at least: the copy of a member, or all copies of a post
  Route,     // try these of the next hops, in this order (route only)
};
inline constexpr VerdictKind LastVerdict = VerdictKind::Route;

// Which verdicts a hook may give.
bool isAllowed(Hook hook, VerdictKind kind);

inline constexpr std::size_t MaxHosts = 20;

// Invariants, checked by the host on whatever a worker sends:
// 1. Reject has code 5xx and enhanced 5.x.x, Defer 4xx and 4.x.x; all others have code 0 and no enhanced code.
// 2. `text` is printable ASCII of at most 900 bytes, without line ends: safe to put into a reply.
// 3. `reason` matches [a-z0-9-]{1,40} for all kinds but Pass; `policy` names the policy that decided.
struct Verdict {
  VerdictKind kind = VerdictKind::Pass;
  std::uint16_t code = 0;
  std::string enhanced;
  std::string text;                     // for the sender
  std::string reason;                   // a stable word for ledger, log and tests: "secure-tag"
  std::string policy;                   // empty for Pass
  std::string redirectTo;               // Redirect: an address
  std::string queue;                    // Hold: the name of the queue
  std::string protection = {};          // Protect: "tls", "pickup", "openpgp" or "smime"
  std::vector<std::string> hosts = {};  // Route: names or addresses

  bool operator==(const Verdict&) const = default;
};

// What a policy left for the trace of the message (`msg:note(key, value)`): key [a-z0-9_-], value printable, short.
struct Note {
  std::string policy;
  std::string key;
  std::string value;

  bool operator==(const Note&) const = default;
};

// ---- when it could not answer ----------------------------------------------------------------------------------

enum class FailureKind : std::uint8_t {
  Script,        // the Lua code failed or returned something that is no verdict
  Instructions,  // used up its instructions
  Memory,        // used up its memory
  Timeout,       // used up its wall-clock time; the worker was killed
  Worker,        // the worker died or spoke nonsense
  Busy,          // no worker became free in time
  NoSet,         // no policy set could be loaded yet
};

// Policy is broken: the caller answers 451 4.7.0 and never accepts. The host has logged and counted it.
struct Failure {
  FailureKind kind = FailureKind::Script;
  std::string policy;  // empty if no single policy is to blame
  std::string detail;  // for the administrator; holds no message content; never for a mail peer
};

// "script", "instructions", …: the word for log and metrics.
std::string wordFor(FailureKind kind);
// "pass", "accept", …: as policies and cases write it.
std::string wordFor(VerdictKind kind);

// One verdict per recipient, in the order of TransactionFacts::recipients, and the notes of all policies.
struct MessageVerdicts {
  std::vector<Verdict> recipients;
  std::vector<Note> notes;
};

using PolicyOutcome = Result<Verdict, Failure>;
using MessageOutcome = Result<MessageVerdicts, Failure>;

// ---- how it came to its answer -----------------------------------------------------------------------------------

// What one policy did in one call of a hook.
struct PolicyStep {
  std::string policy;
  std::uint64_t micros = 0;                      // wall clock, in the worker
  std::vector<std::optional<Verdict>> verdicts;  // by recipient; nothing: decided before, so its answer does not count
  std::vector<Note> notes;
};

// The outcome of a call, and each policy that was asked, in order. A failure ends the steps.
struct Explanation {
  MessageOutcome outcome = MessageVerdicts{};
  std::vector<PolicyStep> steps;
};

}  // namespace postern::policy
