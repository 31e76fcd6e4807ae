#pragma once
#include "core/base/Result.h"

#include <cstdint>
#include <optional>
#include <string>
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

struct ClientFacts {
  std::string address;          // IP address as text
  std::string name;             // verified reverse name; empty if there is none
  std::optional<TlsFacts> tls;  // nothing on a session in clear
};

struct RecipientFacts {
  std::string address;  // as the gateway has normalised it; unique in a transaction
  std::string list;     // name of the list it belongs to; empty if it is not a list
  bool secure = false;  // the list is secure
};

// In the hook `rcpt`, `recipients` are those accepted so far.
struct TransactionFacts {
  ClientFacts client;
  std::string helo;
  std::string mailFrom;  // empty for the null sender
  std::vector<RecipientFacts> recipients;
  std::uint64_t size = 0;  // bytes: of the content, or as announced by SIZE= in the hook `rcpt` (0 if not)
};

struct HeaderFacts {
  std::string name;   // as written
  std::string value;  // decoded (RFC 2047) and unfolded, UTF-8
  std::string raw;    // the bytes after the colon
};

struct MessageFacts {
  std::string subject;               // of the first Subject field, decoded and unfolded, UTF-8; empty if none
  std::vector<HeaderFacts> headers;  // all, in their order
  std::string from;                  // address of the single author; empty if there is not exactly one
  std::uint64_t size = 0;            // bytes
  std::string messageId;
  bool isEncrypted = false;  // the top is S/MIME enveloped data or PGP/MIME encrypted
  bool isSigned = false;     // the top is an S/MIME or PGP/MIME signature (not verified)
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
};

// Invariants, checked by the host on whatever a worker sends:
// 1. Reject has code 5xx and enhanced 5.x.x, Defer 4xx and 4.x.x; all others have code 0 and no enhanced code.
// 2. `text` is printable ASCII of at most 900 bytes, without line ends: safe to put into a reply.
// 3. `reason` matches [a-z0-9-]{1,40} for all kinds but Pass; `policy` names the policy that decided.
struct Verdict {
  VerdictKind kind = VerdictKind::Pass;
  std::uint16_t code = 0;
  std::string enhanced;
  std::string text;        // for the sender
  std::string reason;      // a stable word for ledger, log and tests: "secure-tag"
  std::string policy;      // empty for Pass
  std::string redirectTo;  // Redirect: an address
  std::string queue;       // Hold: the name of the queue

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

}  // namespace postern::policy
