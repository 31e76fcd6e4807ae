#include "core/hops/Journey.h"

#include "core/base/Error.h"
#include "core/hops/Provider.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace postern::hops {
namespace {

bool isHostName(std::string_view word) {
  return word.find('.') != std::string_view::npos &&
         std::all_of(word.begin(), word.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; }) &&
         std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
}

// The words of a clause and of its comments, without the marks around addresses.
std::vector<std::string> tokensOf(const std::string& text) {
  std::vector<std::string> tokens;
  std::string token;
  for (const char c : text + ' ') {
    if (std::string_view(" \t[](),;<>").find(c) == std::string_view::npos) {
      token += c;
    } else if (!token.empty()) {
      if (token.starts_with("IPv6:")) token.erase(0, 5);
      tokens.push_back(std::exchange(token, {}));
    }
  }
  return tokens;
}

// Who handed the message over. What the receiver found out by itself, address and looked-up name, goes before what the
// sender calls itself.
struct Sender {
  std::string helo;
  std::string verified;
  std::string address;

  std::string name() const { return !verified.empty() ? verified : !helo.empty() ? helo : address; }
};

// Reads the forms "helo (name [1.2.3.4])" of Postfix and sendmail, "name (HELO helo) (1.2.3.4)" of qmail,
// "unknown [1.2.3.4] (EHLO helo)" of Proofpoint, "name ([1.2.3.4] helo=helo)" of Exim and "helo (1.2.3.4)" of Exchange.
class SenderReader {
public:
  explicit SenderReader(const Clause& from) {
    for (const auto& comment : from.comments) readComment(tokensOf(comment));
    for (const auto& token : tokensOf(from.words)) {
      if (isIpAddress(token)) {
        if (sender_.address.empty()) sender_.address = token;
      } else if (outside_.empty()) {
        outside_ = token;
      }
    }
  }

  Sender read(bool isExim) {
    const bool receiverNamed = !sender_.helo.empty() || isExim;
    if (receiverNamed && isHostName(outside_)) sender_.verified = outside_;
    if (sender_.helo.empty()) sender_.helo = outside_;
    return std::move(sender_);
  }

private:
  void readComment(const std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto key = mail::lowerAscii(tokens[i]);
      if (key == "ehlo" || key == "helo" || key == "helo=") {
        if (++i < tokens.size()) sender_.helo = tokens[i];
      } else if (key.starts_with("helo=")) {
        sender_.helo = tokens[i].substr(5);
      } else if (isIpAddress(tokens[i])) {
        if (sender_.address.empty()) sender_.address = tokens[i];
      } else if (i == 0 && tokens.size() > 1 && isIpAddress(tokens[1])) {
        const auto name = tokens[0].substr(tokens[0].find('@') + 1);  // ident's user before it
        if (isHostName(name)) sender_.verified = name;
      }
    }
  }

  Sender sender_;
  std::string outside_;  // the word of the clause itself
};

std::string addressIn(const Clause& clause) {
  for (const auto& comment : clause.comments)
    for (const auto& token : tokensOf(comment))
      if (isIpAddress(token)) return token;
  return {};
}

struct Software {
  const char* name;
  const char* mark;
  bool tellsPlain;  // its line of a hop without TLS differs from that of one with TLS, whatever its settings
};
constexpr std::array KnownSoftware{Software{"Postfix", "Postfix", true}, Software{"Postern", "Postern", true},
                                   Software{"Exim", "Exim", true},       Software{"OpenSMTPD", "OpenSMTPD", true},
                                   Software{"qmail", "qmail", false},    Software{"MailEnable", "MailEnable", false}};

const Software* softwareOf(const ReceivedField& field) {
  for (const auto* const clause : {&field.by, &field.with, &field.tls, &field.id})
    for (const auto& comment : clause->comments)
      for (const auto& software : KnownSoftware)
        if (comment.starts_with(software.mark)) return &software;
  return nullptr;
}

Sender senderOf(const ReceivedField& field) {
  const auto* const software = softwareOf(field);
  return SenderReader(field.from).read(software != nullptr && std::string_view(software->name) == "Exim");
}

// Two numbers with dots and a slash, "8.14.4/8.13.8", as only sendmail writes behind its name.
bool isSendmailVersion(std::string_view comment) {
  return comment.find('/') != std::string_view::npos && comment.starts_with("8.") &&
         comment.find(' ') == std::string_view::npos;
}

std::string softwareName(const ReceivedField& field, const std::string& byProvider) {
  if (const auto* const known = softwareOf(field)) return known->name;
  if (field.with.words.starts_with("Microsoft")) return "Exchange";
  if (byProvider == "google.com") return "Gmail";
  for (const auto& comment : field.by.comments)
    if (isSendmailVersion(comment)) return "sendmail";
  if (byProvider == "pphosted.com" || byProvider == "ppe-hosted.com") return "Proofpoint";
  for (const auto& comment : field.leadingComments)
    if (comment.starts_with("qmail")) return "qmail";
  return {};
}

bool isPlainProtocol(std::string_view protocol) {
  constexpr std::array Names{"SMTP", "ESMTP", "ESMTPA", "ASMTP", "UTF8SMTP", "UTF8SMTPA", "LMTP", "LMTPA"};
  return std::find(Names.begin(), Names.end(), protocol) != Names.end();
}

bool recordsPlain(const ReceivedField& field, const Hop& hop) {
  const auto* const software = softwareOf(field);
  const bool reliable = (software != nullptr && software->tellsPlain) || hop.software == "Gmail";
  return reliable && isPlainProtocol(hop.protocol);
}

bool isLocalNote(const ReceivedField& field) {
  if (!field.from.words.empty()) return false;
  const auto any = [](const std::vector<std::string>& comments, std::string_view mark) {
    return std::any_of(comments.begin(), comments.end(),
                       [&](const auto& comment) { return comment.find(mark) != std::string::npos; });
  };
  const bool byProgram = !field.leadingComments.empty() && (field.leadingComments.front().starts_with("from ") ||
                                                            field.leadingComments.front().starts_with("qmail "));
  return byProgram || any(field.by.comments, "userid ") || isLocalAddress(field.by.words);
}

// Handed over on one machine or inside one network.
const char* localHandOver(const ReceivedField& field, const Sender& sender, const std::string& protocol) {
  if (isLocalNote(field)) return "handed in by a program on the machine itself";
  if (protocol == "LOCAL" || protocol == "MAPI") return "handed over inside the server";
  if (protocol.starts_with("LMTP") && sender.address.empty()) return "handed to a mailbox on the same server";
  if (isLocalAddress(sender.address)) return "it came from an address of a private network";
  return nullptr;
}

std::string tlsPhrase(const TlsRecord& tls, const std::string& protocol) {
  std::string named = tls.version;
  if (!tls.cipher.empty()) named += (named.empty() ? "" : " and ") + tls.cipher;
  if (!named.empty()) return "its line names " + named;
  return protocol.empty() ? "its line names TLS" : "its line says " + protocol + ", which is mail over TLS";
}

// Reads the fields from the author's end, since a hop is also judged by what the next server saw of its receiver.
class JourneyReader {
public:
  JourneyReader(std::vector<ReceivedField> fields, const JourneySettings& settings)
      : fields_(std::move(fields)), settings_(settings) {}

  std::vector<Hop> read() {
    std::vector<Hop> hops;
    for (std::size_t i = 0; i < fields_.size(); ++i) hops.push_back(readHop(i));
    return hops;
  }

private:
  Hop readHop(std::size_t index) const {
    const auto& field = fields_[index];
    const auto sender = senderOf(field);
    Hop hop;
    hop.from = sender.name();
    hop.fromAddress = sender.address;
    hop.by = field.by.words.substr(0, field.by.words.find(' '));
    hop.fromProvider = registrableDomain(hop.from);
    hop.byProvider = registrableDomain(hop.by);
    hop.protocol = protocolOf(field);
    hop.software = softwareName(field, hop.byProvider);
    hop.at = field.at;
    const auto inside = whyInside(index, field, sender, hop);
    hop.inside = !inside.empty();
    judge(hop, field, inside);
    return hop;
  }

  static void judge(Hop& hop, const ReceivedField& field, const std::string& inside) {
    if (auto tls = findTlsRecord(field)) {
      hop.state = HopState::Encrypted;
      hop.tls = std::move(*tls);
      hop.why = tlsPhrase(hop.tls, hop.protocol);
    } else if (hop.inside) {
      hop.state = HopState::Inside;
      hop.why = inside;
    } else if (recordsPlain(field, hop)) {
      hop.state = HopState::Plain;
      hop.why = hop.software + " wrote " + hop.protocol + ", and would have written another name for mail over TLS";
    } else {
      hop.why = "its line says nothing of TLS, and not every server that used it says so";
    }
  }

  // Why both ends are one provider's, or empty. A sender's own word for its name is not enough: it counts only if the
  // server before called itself so, or the addresses agree.
  std::string whyInside(std::size_t index, const ReceivedField& field, const Sender& sender, const Hop& hop) const {
    if (const auto* const local = localHandOver(field, sender, hop.protocol)) return local;
    const auto oneProvider = [&](const std::string& name) {
      return isOneProvider(registrableDomain(name), hop.byProvider, settings_.ownDomains);
    };
    if (!sender.verified.empty())
      return oneProvider(sender.verified) ? "both names are of " + hop.byProvider : std::string();
    if (areNeighbours(sender.address, receiverAddress(index))) return "both addresses are of one network";
    const bool named = index > 0 && mail::equalsIgnoreCase(nameOfReceiver(index - 1), sender.helo);
    if (named && oneProvider(sender.helo)) return "both names are of " + hop.byProvider;
    return {};
  }

  std::string nameOfReceiver(std::size_t index) const {
    const auto& words = fields_[index].by.words;
    return words.substr(0, words.find(' '));
  }

  // The address of the receiver of a hop: what it says itself, or what the next server saw of it.
  std::string receiverAddress(std::size_t index) const {
    if (auto own = addressIn(fields_[index].by); !own.empty()) return own;
    if (index + 1 >= fields_.size()) return {};
    const auto next = senderOf(fields_[index + 1]);
    const auto name = nameOfReceiver(index);
    return mail::equalsIgnoreCase(next.helo, name) || mail::equalsIgnoreCase(next.verified, name) ? next.address
                                                                                                  : std::string();
  }

  const std::vector<ReceivedField> fields_;
  const JourneySettings& settings_;
};

Verdict verdictOn(const std::vector<Hop>& hops) {
  if (hops.empty()) return Verdict::NoHops;
  auto verdict = Verdict::Inside;
  for (const auto& hop : hops) {
    if (hop.state == HopState::Plain) return Verdict::Plain;
    if (hop.state == HopState::NotRecorded)
      verdict = Verdict::NotRecorded;
    else if (hop.state == HopState::Encrypted && verdict == Verdict::Inside)
      verdict = Verdict::Encrypted;
  }
  return verdict;
}

std::string namesOf(const Hop& hop) {
  const auto& from = hop.fromProvider.empty() ? hop.fromAddress : hop.fromProvider;
  return (from.empty() ? "an unnamed sender" : from) + " to " +
         (hop.byProvider.empty() ? "an unnamed server" : hop.byProvider);
}

// "hop 2 (a.example to b.example)" for all hops of a state, at most three by name.
std::string listOf(const std::vector<Hop>& hops, HopState state) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < hops.size(); ++i)
    if (hops[i].state == state) found.push_back(std::to_string(i + 1) + " (" + namesOf(hops[i]) + ")");
  std::string text = found.size() == 1 ? "hop " : "hops ";
  for (std::size_t i = 0; i < found.size() && i < 3; ++i) {
    if (i > 0) text += i + 1 == found.size() ? " and " : ", ";
    text += found[i];
  }
  if (found.size() > 3) text += " and " + std::to_string(found.size() - 3) + " more";
  return text;
}

std::string sentenceOn(const std::vector<Hop>& hops, Verdict verdict) {
  switch (verdict) {
    case Verdict::NoHops:
      return "The message holds no Received line, so nothing can be said about its way.";
    case Verdict::Inside:
      return "The message never left one provider, as its Received lines tell, so no hop between providers was there "
             "to "
             "be encrypted.";
    case Verdict::Encrypted:
      return "Every hop between providers was recorded as encrypted.";
    case Verdict::Plain:
      return "The message went in clear on " + listOf(hops, HopState::Plain) + ".";
    case Verdict::NotRecorded:
      return "It is not known whether the message was encrypted on " + listOf(hops, HopState::NotRecorded) +
             ": the receiving server left no record, which proves neither.";
  }
  throw Error(ErrorKind::Invariant, "unknown verdict on a journey");
}

}  // namespace

const char* hopStateWord(HopState state) {
  switch (state) {
    case HopState::Encrypted:
      return "recorded-encrypted";
    case HopState::Plain:
      return "recorded-plain";
    case HopState::NotRecorded:
      return "not-recorded";
    case HopState::Inside:
      return "inside-one-provider";
  }
  throw Error(ErrorKind::Invariant, "unknown state of a hop");
}

const char* verdictWord(Verdict verdict) {
  switch (verdict) {
    case Verdict::Encrypted:
      return "encrypted";
    case Verdict::Plain:
      return "plain";
    case Verdict::NotRecorded:
      return "not-recorded";
    case Verdict::Inside:
      return "inside-one-provider";
    case Verdict::NoHops:
      return "no-hops";
  }
  throw Error(ErrorKind::Invariant, "unknown verdict on a journey");
}

Journey readJourney(const mail::HeaderBlock& header, const JourneySettings& settings) {
  std::vector<ReceivedField> fields;
  std::size_t total = 0;
  for (const auto& field : header.fields()) {
    if (!mail::equalsIgnoreCase(field.name, "Received")) continue;
    if (++total <= MaxHops) fields.push_back(ReceivedField::parse(field.value));
  }
  std::reverse(fields.begin(), fields.end());
  Journey journey;
  journey.hops = JourneyReader(std::move(fields), settings).read();
  journey.verdict = verdictOn(journey.hops);
  journey.sentence = sentenceOn(journey.hops, journey.verdict);
  if (total > MaxHops) {
    if (journey.verdict != Verdict::Plain) journey.verdict = Verdict::NotRecorded;
    journey.sentence += " Only the last " + std::to_string(MaxHops) + " of " + std::to_string(total) +
                        " Received lines were looked at.";
  }
  return journey;
}

}  // namespace postern::hops
