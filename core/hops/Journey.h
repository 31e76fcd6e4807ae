#pragma once
#include "core/hops/TlsRecord.h"
#include "core/mail/Header.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::hops {

// What the receiving server's own line says of one hop. A missing record is neither proof of plain text nor of
// encryption, so it is a state of its own.
enum class HopState : std::uint8_t { Encrypted, Plain, NotRecorded, Inside };
const char* hopStateWord(HopState state);  // "recorded-encrypted" "recorded-plain" "not-recorded" "inside-one-provider"

// One Received field: who handed the message to whom.
struct Hop {
  std::string from;          // the sender's name: what the receiver found out by DNS, else what it called itself
  std::string fromAddress;   // IP address, or empty
  std::string by;            // the receiver's name
  std::string fromProvider;  // registrable domain of `from`, or `from`
  std::string byProvider;
  std::string protocol;  // "ESMTPS", or empty
  std::string software;  // "Postfix", "Exim", …; empty: not known
  HopState state = HopState::NotRecorded;
  bool inside = false;  // both ends at one provider, whatever else is known
  TlsRecord tls;        // of an encrypted hop, as far as it was written down
  std::string why;      // a phrase: "its line names TLSv1.3"
  std::optional<TimePoint> at;
};

// What can be said of the whole way. The worst of the hops between providers.
enum class Verdict : std::uint8_t { Encrypted, Plain, NotRecorded, Inside, NoHops };
const char* verdictWord(Verdict verdict);  // "encrypted" "plain" "not-recorded" "inside-one-provider" "no-hops"

struct Journey {
  std::vector<Hop> hops;  // in the order of travel: the author's end first
  Verdict verdict = Verdict::NoHops;
  std::string sentence;  // one plain sentence for a person
};

// What the reader knows besides: domains that are one provider to him, as his own organisation's.
struct JourneySettings {
  std::vector<std::string> ownDomains;  // lower case; with their subdomains
};

constexpr std::size_t MaxHops = 200;  // further ones are not looked at, and the sentence says so

// Answers "was it encrypted?" from the Received fields of a message. They are the word of the servers that wrote them:
// those below the first one that the reader trusts may be invented. Pure; linear in the header.
Journey readJourney(const mail::HeaderBlock& header, const JourneySettings& settings = {});

}  // namespace postern::hops
