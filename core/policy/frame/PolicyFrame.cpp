#include "core/policy/frame/PolicyFrame.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/policy/frame/CompanionFacts.h"

#include <algorithm>

namespace postern::policy::frame {

namespace {

[[noreturn]] void malformed(const char* what) {
  throw Error(ErrorKind::Malformed, std::string("a policy frame is malformed: ") + what);
}

template <class Kind>
Writer begin(Kind kind) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(kind));
  return writer;
}

Writer beginReply(ReplyKind kind, bool retire) {
  auto writer = begin(kind);
  writer.boolean(retire);
  return writer;
}

// A reader behind the kind of a request.
Reader open(std::string_view frame, RequestKind kind) {
  if (requestKind(frame) != kind) malformed("not the request that was expected");
  return Reader(frame.substr(1));
}

Reader open(std::string_view frame, ReplyKind kind) {
  if (replyKind(frame) != kind) malformed("not the reply that was expected");
  return Reader(frame.substr(2));
}

void writeString(Writer& writer, const std::string& text) {
  writer.string(text);
}
std::string readString(Reader& reader) {
  return reader.string();
}

void write(Writer& writer, const RecipientFacts& recipient) {
  writer.string(recipient.address).string(recipient.list).boolean(recipient.secure);
}

RecipientFacts readRecipient(Reader& reader) {
  RecipientFacts recipient;
  recipient.address = reader.string();
  recipient.list = reader.string();
  recipient.secure = reader.boolean();
  return recipient;
}

void write(Writer& writer, const TransactionFacts& facts) {
  writer.string(facts.client.address).string(facts.client.name).boolean(facts.client.tls.has_value());
  if (const auto& tls = facts.client.tls)
    writer.string(tls->version).string(tls->cipher).u32(tls->bits).string(tls->verification);
  writer.boolean(facts.client.reputation.has_value());
  if (const auto& reputation = facts.client.reputation) writeReputation(writer, *reputation);
  writer.string(facts.helo).string(facts.mailFrom);
  writer.list(facts.recipients, [](Writer& w, const RecipientFacts& recipient) { write(w, recipient); });
  writer.u64(facts.size);
}

TransactionFacts readTransaction(Reader& reader) {
  TransactionFacts facts;
  facts.client.address = reader.string();
  facts.client.name = reader.string();
  if (reader.boolean()) {
    auto& tls = facts.client.tls.emplace();
    tls.version = reader.string();
    tls.cipher = reader.string();
    tls.bits = reader.u32();
    tls.verification = reader.string();
  }
  if (reader.boolean()) facts.client.reputation = readReputation(reader);
  facts.helo = reader.string();
  facts.mailFrom = reader.string();
  facts.recipients = reader.list<RecipientFacts>(readRecipient);
  facts.size = reader.u64();
  return facts;
}

void write(Writer& writer, const MessageFacts& message) {
  writer.string(message.subject);
  writer.list(message.headers, [](Writer& w, const HeaderFacts& header) {
    w.string(header.name).string(header.value).string(header.raw);
  });
  writer.string(message.from).u64(message.size).string(message.messageId);
  writer.boolean(message.isEncrypted).boolean(message.isSigned);
  writer.boolean(message.spam.has_value());
  if (message.spam) writeSpam(writer, *message.spam);
  writer.boolean(message.authentication.has_value());
  if (!message.authentication) return;
  const auto& auth = *message.authentication;
  writer.string(auth.spf).string(auth.dkim).string(auth.dmarc).string(auth.arc).string(auth.domain);
  writer.string(auth.policy).boolean(auth.proven).boolean(auth.undecided).boolean(auth.ownDomain);
  writer.string(auth.arcSealer).boolean(auth.arcVouches);
}

AuthenticationFacts readAuthentication(Reader& reader) {
  AuthenticationFacts auth;
  auth.spf = reader.string();
  auth.dkim = reader.string();
  auth.dmarc = reader.string();
  auth.arc = reader.string();
  auth.domain = reader.string();
  auth.policy = reader.string();
  auth.proven = reader.boolean();
  auth.undecided = reader.boolean();
  auth.ownDomain = reader.boolean();
  auth.arcSealer = reader.string();
  auth.arcVouches = reader.boolean();
  return auth;
}

MessageFacts readMessage(Reader& reader) {
  MessageFacts message;
  message.subject = reader.string();
  message.headers = reader.list<HeaderFacts>([](Reader& r) {
    HeaderFacts header;
    header.name = r.string();
    header.value = r.string();
    header.raw = r.string();
    return header;
  });
  message.from = reader.string();
  message.size = reader.u64();
  message.messageId = reader.string();
  message.isEncrypted = reader.boolean();
  message.isSigned = reader.boolean();
  if (reader.boolean()) message.spam = readSpam(reader);
  if (reader.boolean()) message.authentication = readAuthentication(reader);
  return message;
}

void write(Writer& writer, const Verdict& verdict) {
  writer.u8(static_cast<std::uint8_t>(verdict.kind)).u16(verdict.code).string(verdict.enhanced).string(verdict.text);
  writer.string(verdict.reason).string(verdict.policy).string(verdict.redirectTo).string(verdict.queue);
  writer.string(verdict.protection).list(verdict.hosts, writeString);
}

Verdict readVerdict(Reader& reader) {
  Verdict verdict;
  verdict.kind = reader.enumeration(LastVerdict);
  verdict.code = reader.u16();
  verdict.enhanced = reader.string();
  verdict.text = reader.string();
  verdict.reason = reader.string();
  verdict.policy = reader.string();
  verdict.redirectTo = reader.string();
  verdict.queue = reader.string();
  verdict.protection = reader.string();
  verdict.hosts = reader.list<std::string>(readString);
  return verdict;
}

Failure readFailure(Reader& reader) {
  Failure failure;
  failure.kind = reader.enumeration(FailureKind::NoSet);
  failure.policy = reader.string();
  failure.detail = reader.string();
  reader.expectEnd();
  return failure;
}

void write(Writer& writer, const Problem& problem) {
  writer.string(problem.file).u32(problem.line).string(problem.text);
}

Problem readProblem(Reader& reader) {
  Problem problem;
  problem.file = reader.string();
  problem.line = reader.u32();
  problem.text = reader.string();
  return problem;
}

bool isWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

// ---- requests --------------------------------------------------------------------------------------------------

std::string encode(const LoadRequest& request) {
  auto writer = begin(RequestKind::Load);
  writer.list(request.files, [](Writer& w, const SetFile& file) { w.string(file.path).string(file.text); });
  writer.list(request.order, writeString);
  writer.u64(request.instructions).u64(request.memory);
  writer.list(request.sets, [](Writer& w, const auto& set) { w.string(set.first).list(set.second, writeString); });
  return std::move(writer).bytes();
}

std::string encodeRcpt(const TransactionFacts& facts, const RecipientFacts& recipient) {
  auto writer = begin(RequestKind::Rcpt);
  write(writer, facts);
  write(writer, recipient);
  return std::move(writer).bytes();
}

std::string encodeMessage(const TransactionFacts& facts, const MessageFacts& message) {
  auto writer = begin(RequestKind::Message);
  write(writer, facts);
  write(writer, message);
  return std::move(writer).bytes();
}

std::string encode(const CaseRequest& request) {
  auto writer = begin(RequestKind::Case);
  writer.u32(request.policy).u32(request.number);
  return std::move(writer).bytes();
}

std::string encode(const SessionRequest& request) {
  auto writer = begin(RequestKind::Session);
  writer.u8(static_cast<std::uint8_t>(request.hook));
  write(writer, request.facts);
  writer.string(request.user.account).string(request.user.address);
  return std::move(writer).bytes();
}

RequestKind requestKind(std::string_view frame) {
  if (frame.empty() || frame[0] < 1 || frame[0] > static_cast<char>(RequestKind::Route)) malformed("unknown request");
  return static_cast<RequestKind>(frame[0]);
}

LoadRequest decodeLoad(std::string_view frame) {
  auto reader = open(frame, RequestKind::Load);
  LoadRequest request;
  request.files = reader.list<SetFile>([](Reader& r) {
    SetFile file;
    file.path = r.string();
    file.text = r.string();
    return file;
  });
  request.order = reader.list<std::string>(readString);
  request.instructions = reader.u64();
  request.memory = reader.u64();
  const auto sets = reader.list<std::pair<std::string, std::vector<std::string>>>([](Reader& r) {
    auto name = r.string();
    return std::pair(std::move(name), r.list<std::string>(readString));
  });
  request.sets = SiteSets(sets.begin(), sets.end());
  reader.expectEnd();
  return request;
}

RcptRequest decodeRcpt(std::string_view frame) {
  auto reader = open(frame, RequestKind::Rcpt);
  RcptRequest request;
  request.facts = readTransaction(reader);
  request.recipient = readRecipient(reader);
  reader.expectEnd();
  return request;
}

MessageRequest decodeMessage(std::string_view frame) {
  auto reader = open(frame, RequestKind::Message);
  MessageRequest request;
  request.facts = readTransaction(reader);
  request.message = readMessage(reader);
  reader.expectEnd();
  return request;
}

CaseRequest decodeCase(std::string_view frame) {
  auto reader = open(frame, RequestKind::Case);
  CaseRequest request;
  request.policy = reader.u32();
  request.number = reader.u32();
  reader.expectEnd();
  return request;
}

SessionRequest decodeSession(std::string_view frame) {
  auto reader = open(frame, RequestKind::Session);
  SessionRequest request;
  request.hook = reader.enumeration(Hook::Mail);
  request.facts = readTransaction(reader);
  request.user.account = reader.string();
  request.user.address = reader.string();
  reader.expectEnd();
  return request;
}

// ---- replies ---------------------------------------------------------------------------------------------------

std::string encodeReady(bool retire) {
  return beginReply(ReplyKind::Ready, retire).bytes();
}

std::string encodeLoaded(const CheckReport& report, bool retire) {
  auto writer = beginReply(ReplyKind::Loaded, retire);
  writer.boolean(report.ok);
  writer.list(report.policies, [](Writer& w, const PolicyInfo& info) {
    w.string(info.name).string(info.doc).list(info.hooks, writeString).list(info.cases, writeString);
    w.list(info.sets, [](Writer& inner, const DeclaredSet& set) { inner.string(set.name).string(set.doc); });
    w.boolean(info.asleep);
  });
  const auto writeProblem = [](Writer& w, const Problem& problem) { write(w, problem); };
  writer.list(report.problems, writeProblem).list(report.warnings, writeProblem);
  return std::move(writer).bytes();
}

std::string encodeOutcome(const MessageOutcome& outcome, bool retire) {
  if (!outcome) {
    auto writer = beginReply(ReplyKind::Failed, retire);
    writer.u8(static_cast<std::uint8_t>(outcome.error().kind));
    writer.string(outcome.error().policy).string(outcome.error().detail);
    return std::move(writer).bytes();
  }
  auto writer = beginReply(ReplyKind::Verdicts, retire);
  writer.list(outcome->recipients, [](Writer& w, const Verdict& verdict) { write(w, verdict); });
  writer.list(outcome->notes,
              [](Writer& w, const Note& note) { w.string(note.policy).string(note.key).string(note.value); });
  return std::move(writer).bytes();
}

std::string encodeCaseDone(const CaseResult& result, bool retire) {
  auto writer = beginReply(ReplyKind::CaseDone, retire);
  writer.string(result.policy).string(result.title).boolean(result.ok).string(result.text);
  writer.list(result.covered, [](Writer& w, const CoveredFile& file) {
    w.string(file.file).list(file.lines, [](Writer& each, std::uint32_t line) { each.u32(line); });
  });
  return std::move(writer).bytes();
}

ReplyKind replyKind(std::string_view frame) {
  if (frame.size() < 2 || frame[0] < 1 || frame[0] > static_cast<char>(ReplyKind::Explained))
    malformed("unknown reply");
  return static_cast<ReplyKind>(frame[0]);
}

bool wantsToRetire(std::string_view frame) {
  return frame.size() < 2 || frame[1] != 0;
}

CheckReport decodeLoaded(std::string_view frame) {
  auto reader = open(frame, ReplyKind::Loaded);
  CheckReport report;
  report.ok = reader.boolean();
  report.policies = reader.list<PolicyInfo>([](Reader& r) {
    PolicyInfo info;
    info.name = r.string();
    info.doc = r.string();
    info.hooks = r.list<std::string>(readString);
    info.cases = r.list<std::string>(readString);
    info.sets = r.list<DeclaredSet>([](Reader& inner) {
      DeclaredSet set;
      set.name = inner.string();
      set.doc = inner.string();
      return set;
    });
    info.asleep = r.boolean();
    return info;
  });
  report.problems = reader.list<Problem>(readProblem);
  report.warnings = reader.list<Problem>(readProblem);
  reader.expectEnd();
  if (report.ok && (!report.problems.empty() || report.policies.empty())) malformed("a good set with problems");
  return report;
}

MessageOutcome decodeOutcome(std::string_view frame, std::size_t recipients, Hook hook) {
  if (replyKind(frame) == ReplyKind::Failed) {
    Reader reader(frame.substr(2));
    return Unexpected(readFailure(reader));
  }
  auto reader = open(frame, ReplyKind::Verdicts);
  MessageVerdicts verdicts;
  verdicts.recipients = reader.list<Verdict>(readVerdict);
  verdicts.notes = reader.list<Note>([](Reader& r) {
    Note note;
    note.policy = r.string();
    note.key = r.string();
    note.value = r.string();
    return note;
  });
  reader.expectEnd();
  if (verdicts.recipients.size() != recipients) malformed("not one verdict per recipient");
  for (const auto& verdict : verdicts.recipients)
    if (!isWellFormed(verdict, hook)) malformed("a verdict that breaks its promises");
  for (const auto& note : verdicts.notes)
    if (!isWellFormed(note)) malformed("a note that breaks its promises");
  return verdicts;
}

CaseResult decodeCaseDone(std::string_view frame) {
  auto reader = open(frame, ReplyKind::CaseDone);
  CaseResult result;
  result.policy = reader.string();
  result.title = reader.string();
  result.ok = reader.boolean();
  result.text = reader.string();
  result.covered = reader.list<CoveredFile>([](Reader& r) {
    CoveredFile file;
    file.file = r.string();
    file.lines = r.list<std::uint32_t>([](Reader& each) { return each.u32(); });
    return file;
  });
  reader.expectEnd();
  return result;
}

// ---- promises --------------------------------------------------------------------------------------------------

bool isReason(std::string_view word) {
  return !word.empty() && word.size() <= 40 &&
         std::all_of(word.begin(), word.end(), [](char c) { return isWordCharacter(c) && c != '_'; });
}

// RFC 3463 §2: class "." subject "." detail, the last two with one to three digits.
bool isEnhanced(std::string_view code, char firstDigit) {
  if (code.size() < 5 || code[0] != firstDigit || code[1] != '.') return false;
  const auto isNumber = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 3 &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto dot = code.find('.', 2);
  return dot != std::string_view::npos && isNumber(code.substr(2, dot - 2)) && isNumber(code.substr(dot + 1));
}

bool isReplyText(std::string_view text) {
  return text.size() <= 900 && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool isAddress(std::string_view text) {
  const auto at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() && text.size() <= 254 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '<' && c != '>'; });
}

bool isHost(std::string_view text) {
  return !text.empty() && text.size() <= 253 &&
         std::all_of(text.begin(), text.end(), [](char c) { return isWordCharacter(c) || c == '.' || c == ':'; });
}

bool isProtection(std::string_view word) {
  return word == "tls" || word == "pickup" || word == "openpgp" || word == "smime";
}

bool isWellFormed(const Verdict& verdict, Hook hook) {
  if (verdict.kind == VerdictKind::Pass) return verdict == Verdict{};
  if (!isAllowed(hook, verdict.kind)) return false;
  if (verdict.kind == VerdictKind::Protect ? !isProtection(verdict.protection) : !verdict.protection.empty())
    return false;
  if ((verdict.kind == VerdictKind::Route) != !verdict.hosts.empty() || verdict.hosts.size() > MaxHosts) return false;
  if (!std::all_of(verdict.hosts.begin(), verdict.hosts.end(), isHost)) return false;
  if (!isReplyText(verdict.text) || !isReason(verdict.reason) || verdict.policy.empty()) return false;
  if (!std::all_of(verdict.policy.begin(), verdict.policy.end(), isWordCharacter)) return false;
  const bool rejects = verdict.kind == VerdictKind::Reject;
  if (rejects || verdict.kind == VerdictKind::Defer) {
    const auto lowest = rejects ? 500 : 400;
    if (verdict.code < lowest || verdict.code > lowest + 99) return false;
    if (!isEnhanced(verdict.enhanced, rejects ? '5' : '4')) return false;
  } else if (verdict.code != 0 || !verdict.enhanced.empty()) {
    return false;
  }
  if ((verdict.kind == VerdictKind::Redirect) != !verdict.redirectTo.empty()) return false;
  if (!verdict.redirectTo.empty() && !isAddress(verdict.redirectTo)) return false;
  if (verdict.kind == VerdictKind::Hold) return isReason(verdict.queue);
  return verdict.queue.empty();
}

bool isWellFormed(const Note& note) {
  return !note.key.empty() && note.key.size() <= 40 && std::all_of(note.key.begin(), note.key.end(), isWordCharacter) &&
         isReplyText(note.value);
}

std::string toReplyText(std::string_view text) {
  std::string clean;
  clean.reserve(std::min<std::size_t>(text.size(), 900));
  for (const char c : text) {
    if (clean.size() == 900) break;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      clean.push_back(' ');
    else if (byte < 0x7f)
      clean.push_back(c);
    else if (byte >= 0xc0)  // one mark for each character; continuation bytes vanish
      clean.push_back('?');
  }
  return clean;
}

}  // namespace postern::policy::frame
