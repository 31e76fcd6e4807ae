#include "listd/expand/Intake.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/LogEvents.h"
#include "core/crypto/Digest.h"
#include "core/hops/JourneyJson.h"
#include "core/mail/Date.h"
#include "core/mail/MessageId.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "core/seal/SmimeReader.h"
#include "listd/archive/ObjectId.h"
#include "listd/compose/Bounce.h"
#include "listd/compose/PostComposer.h"
#include "listd/keys/KeyLinks.h"
#include "listd/keys/ListKeyMail.h"
#include "listd/ledger/BounceNote.h"
#include "listd/plan/PlanWriter.h"
#include "listd/probe/TlsReports.h"
#include "listd/quarantine/Quarantine.h"
#include "listd/receive/Reception.h"
#include "listd/subscribe/SubscriptionMail.h"

#include <nlohmann/json.hpp>
#include <set>

namespace postern::listd {
namespace {

constexpr std::string_view BouncesSuffix = "-bounces";
constexpr std::string_view RequestSuffix = "-request";
constexpr std::pair<std::string_view, std::string_view> SubscribeSuffixes[] = {
    {"-join", "join"}, {"-subscribe", "join"}, {"-leave", "leave"}, {"-unsubscribe", "leave"}, {"-confirm", "confirm"}};

std::string clientJson(const app::Submission& submission, bool writtenHere) {
  const auto& tls = submission.tls;
  nlohmann::json json{{"address", submission.clientAddress}, {"name", submission.clientName}};
  json["tls"] = {{"version", tls.version},
                 {"cipher", tls.cipher},
                 {"bits", tls.bits},
                 {"verification", tls.verification},
                 {"peerName", tls.peerName}};
  // Of what somebody wrote here: whose it is, also when the address is another's one day.
  for (const auto& [name, value] : submission.notes)
    if (writtenHere && name == AccountNote) json["account"] = value;
  for (const auto& [name, value] : submission.notes) {
    if (name == app::SenderCheckNote) json["senderCheck"] = value;
    if (name == app::SenderProvenNote) json["senderProven"] = value;
    if (name == app::SpamNote) json["spam"] = value;
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The list under which mail of a relay is protected; the gateway says so.
std::optional<std::string> outboundScope(const app::Submission& submission) {
  for (const auto& [name, value] : submission.notes)
    if (name == app::OutboundNote) return value;
  return std::nullopt;
}

// What the sender asked of TLS (RFC 8689). The parameter of MAIL goes before the field; the field never weakens what a
// secure list is for.
app::TlsAsk tlsAskOf(const app::Submission& submission, const mail::Message* message, const List& list) {
  for (const auto& [name, value] : submission.notes)
    if (name == app::RequireTlsNote) return app::TlsAsk::Require;
  if (list.secure || message == nullptr) return app::TlsAsk::Usual;
  std::size_t fields = 0, waiving = 0;
  for (const auto& field : message->header().fields()) {
    if (!mail::equalsIgnoreCase(field.name, "TLS-Required")) continue;
    ++fields;
    if (mail::equalsIgnoreCase(mail::trim(field.value), "No")) ++waiving;
  }
  return fields == 1 && waiving == 1 ? app::TlsAsk::Waive : app::TlsAsk::Usual;
}

// By address, each once, in the form that keys are looked up by.
std::vector<std::string> outboundRecipients(const app::Submission& submission) {
  std::set<std::string> known;
  for (const auto& recipient : submission.recipients) {
    const auto address = mail::Address::parse(recipient);
    if (!address) throw Error(ErrorKind::Invariant, "a recipient of message " + submission.queueId + " is no address");
    known.insert(address->key());
  }
  return {known.begin(), known.end()};
}

// The way that the message took to us, by its Received fields; the newest is the gateway's own.
std::string journeyOf(SiteContext& context, const mail::Message& message) {
  const hops::JourneySettings settings{context.site.read([](SiteTables& tables) { return tables.domains.names(); })};
  return hops::compactJson(hops::readJourney(message.header(), settings));
}

// "board@x" for "board-bounces@x" and "board-bounces+TAG@x".
std::optional<std::string> listBehind(const mail::Address& address, std::string_view suffix) {
  const auto key = address.key();
  const auto at = key.rfind('@');
  auto local = key.substr(0, std::min(at, key.find('+')));
  if (!local.ends_with(suffix)) return std::nullopt;
  local.resize(local.size() - suffix.size());
  return local + key.substr(at);
}

// "TAG" of "board-confirm+TAG@x".
std::string tagOf(const mail::Address& address) {
  const auto key = address.key();
  const auto at = key.rfind('@'), plus = key.find('+');
  return plus < at ? key.substr(plus + 1, at - plus - 1) : std::string();
}

}  // namespace

// A message that a person has to look at: it holds a virus, or a policy wants it. Ends the judging of it.
struct HeldBack {
  std::string cause;
  std::string detail;
};

struct Intake::Arrival {
  std::uint64_t id = 0;
  app::Submission submission;
  std::optional<mail::Message> message;  // none: its header cannot be read at all
  bool released = false;                 // a person has looked at it
};

// What is to be written for one list.
struct Intake::Planned {
  std::shared_ptr<const Arrival> arrival;
  Post post;
  List list;
  PostingRuling ruling;
  std::optional<mail::Message>
      content;  // of an accepted post, that the vault keeps: opened, where the post was encrypted to the list
  std::vector<KeyFinding> keys = {};                        // of the author, proposed only
  std::vector<std::string> recipients;                      // of domain mail
  std::optional<MemberFloors> memberFloors = std::nullopt;  // nothing: no policy was asked about members
};

Post Intake::postOf(const Arrival& arrival, const List& list) {
  const auto& submission = arrival.submission;
  Post post;
  post.acceptedId = arrival.id;
  post.queueId = submission.queueId;
  if (arrival.message) post.messageId = arrival.message->messageId().value_or("");
  post.outMessageId = mail::makeMessageId(mail::DomainName::parse(list.domain).value());
  post.mailFrom = submission.mailFrom;
  post.receivedAt = submission.receivedAt;
  post.size = submission.content.size();
  post.sensitivity = list.sensitivity;
  post.tlsAsk = tlsAskOf(submission, arrival.message ? &*arrival.message : nullptr, list);
  post.client = clientJson(submission, (arrival.id & WrittenHere) != 0);
  return post;
}

// How the archive keeps the message for one list.
StoredObject Intake::objectOf(const Planned& plan) {
  const auto& post = plan.post;
  StoredObject object;
  object.id = post.vaultObject;
  object.receivedAt = post.receivedAt;
  object.size = post.size;
  object.sensitivity = post.sensitivity;
  object.digest = crypto::sha256(plan.content->bytes());
  if (const auto* date = plan.content->header().find("Date")) object.headerDate = mail::parseDate(date->value);
  return object;
}

Intake::Intake(SiteContext& context, std::function<void()> planned)
    : context_(context), planned_(std::move(planned)), reader_(context.keys.vaultKeyPair().privateKey) {
  const auto scanner = CompanionAddress::parse(context.config.clamavAddress);
  if (scanner) scanner_.emplace(*scanner, context.config.clamavTime);
}

void Intake::take(std::span<const app::AcceptedItem> items) {
  Plans plans;
  for (const auto& item : items) {
    auto submission = app::Submission::decode(reader_.open(item.sealed, app::SubmissionContext));
    auto parsed = mail::Message::parse(submission.content);
    auto message = parsed ? std::optional(std::move(*parsed)) : std::nullopt;
    const auto arrival = std::make_shared<const Arrival>(Arrival{item.id, std::move(submission), std::move(message)});
    const auto lists = listsOf(*arrival);
    const auto* const known = arrival->message ? &*arrival->message : nullptr;
    if (const auto reason = holdReasonOf(context_, arrival->submission, known, lists)) {
      holdMessage(context_, item.id, arrival->submission, known, lists, *reason);
      continue;
    }
    Plans own;
    try {
      judgeAll(arrival, own);
    } catch (const HeldBack& held) {
      holdMessage(context_, item.id, arrival->submission, known, lists, {held.cause, held.detail});
      continue;
    }
    std::move(own.begin(), own.end(), std::back_inserter(plans));
  }
  if (!plans.empty()) store(plans);
}

void Intake::release(std::uint64_t acceptedId, app::Submission submission) {
  auto parsed = mail::Message::parse(submission.content);
  auto message = parsed ? std::optional(std::move(*parsed)) : std::nullopt;
  Plans plans;
  judgeAll(std::make_shared<const Arrival>(Arrival{acceptedId, std::move(submission), std::move(message), true}),
           plans);
  if (!plans.empty()) store(plans);
}

void Intake::judgeAll(const std::shared_ptr<const Arrival>& arrival, Plans& plans) {
  if (const auto scope = outboundScope(arrival->submission)) return judgeOutbound(arrival, *scope, plans);
  for (const auto& recipient : arrival->submission.recipients) judgeFor(arrival, recipient, plans);
}

// The lists under which the message would be kept, each once.
std::vector<std::uint64_t> Intake::listsOf(const Arrival& arrival) const {
  std::vector<std::string> addresses;
  if (const auto scope = outboundScope(arrival.submission))
    addresses.push_back(*scope);
  else
    addresses = arrival.submission.recipients;
  return context_.site.read([&](SiteTables& tables) {
    std::set<std::uint64_t> lists;
    for (const auto& text : addresses)
      if (const auto address = mail::Address::parse(text))
        if (const auto list = tables.lists.find(address->key())) lists.insert(list->id);
    return std::vector<std::uint64_t>(lists.begin(), lists.end());
  });
}

void Intake::judgeFor(const std::shared_ptr<const Arrival>& arrival, const std::string& recipient, Plans& plans) {
  const auto address = mail::Address::parse(recipient);
  if (address) {
    const auto find = [&](const std::string& key) {
      return context_.site.read([&](SiteTables& tables) { return tables.lists.find(key); });
    };
    if (const auto list = find(address->key())) {
      if (auto planned = judge(arrival, *list)) plans.push_back(std::move(*planned));
      return;
    }
    if (const auto key = listBehind(*address, RequestSuffix))
      if (const auto list = find(*key)) {
        if (arrival->message) takeRequest(*arrival, *list);
        return;
      }
    for (const auto& [suffix, action] : SubscribeSuffixes)
      if (const auto key = listBehind(*address, suffix))
        if (const auto list = find(*key)) {
          if (arrival->message)
            takeSubscriptionMail(context_, arrival->submission, *arrival->message, *list, action, tagOf(*address));
          return;
        }
    if (const auto key = listBehind(*address, BouncesSuffix))
      if (const auto list = find(*key)) return noteBounce(*arrival, *address, *list);
    if (isTlsReportAddress(context_, *address)) return takeTlsReport(context_, arrival->submission);
  }
  // The gateway takes mail only for addresses of the routing view, and lists are never deleted.
  const auto& queueId = arrival->submission.queueId;
  log::error("intake", "an accepted message is for an address that is no list here",
             {{"accepted", arrival->id}, {"trace", queueId}});
  throw Error(ErrorKind::Invariant,
              "message " + queueId + " is for an address that is no list here; see the log of postern-listd");
}

// Commands, or else a key, or the wish for the list's.
void Intake::takeRequest(const Arrival& arrival, const List& list) {
  const auto& message = *arrival.message;
  if (!asksForListKeys(message) && !commandsOf(message).empty())
    return takeSubscriptionMail(context_, arrival.submission, message, list, "request");
  takeKeyRequest(context_, message, arrival.submission.mailFrom, list);
}

// All recipients are elsewhere: one post under the rules of the relay's list. That the list is secure is what keeps
// this mail from ever going out plain.
void Intake::judgeOutbound(const std::shared_ptr<const Arrival>& arrival, const std::string& listAddress,
                           Plans& plans) {
  const auto& submission = arrival->submission;
  const auto list = context_.site.read([&](SiteTables& tables) { return tables.lists.find(listAddress); });
  if (!list || !list->secure)
    throw Error(ErrorKind::Invariant,
                "message " + submission.queueId + " of a relay has no secure list; see: postern relay list");
  const bool known = context_.site.read(
      [&](SiteTables& tables) { return tables.posts.exists(arrival->id, submission.queueId, list->id); });
  if (known) return;
  auto post = postOf(*arrival, *list);
  post.domainMail = true;
  PostingRuling ruling{PostingRuling::Verdict::Reject, "malformed", RejectReason::Malformed, false};
  if (arrival->message) {
    const PostStamp stamp{post.outMessageId, submission.receivedAt};
    const PostComposer composer(factsOf(*list, context_.helpLink()));
    if (composer.composeDomain(*arrival->message, stamp))
      ruling = {PostingRuling::Verdict::Accept, {}, std::nullopt, false, requestedFloor(submission)};
  }
  if (ruling.verdict != PostingRuling::Verdict::Accept) {
    plans.push_back(Planned{arrival, std::move(post), *list, std::move(ruling), {}, {}, {}, {}});
    return;
  }
  post.vaultObject = objectIdOf(submission.receivedAt, arrival->id, ContentKind::AsItCame);
  post.journey = journeyOf(context_, *arrival->message);
  plans.push_back(Planned{
      arrival, std::move(post), *list, std::move(ruling), *arrival->message, {}, outboundRecipients(submission), {}});
}

// What the list does with the message; nothing when that is in the store already.
std::optional<Intake::Planned> Intake::judge(const std::shared_ptr<const Arrival>& arrival, const List& list) {
  const auto& submission = arrival->submission;
  const bool known = context_.site.read(
      [&](SiteTables& tables) { return tables.posts.exists(arrival->id, submission.queueId, list.id); });
  if (known) return std::nullopt;

  PostingRuling ruling{PostingRuling::Verdict::Reject, "malformed", RejectReason::Malformed, false};
  std::optional<Reception> reception;
  if (arrival->message) {
    ruling = judgeMessage(*arrival->message, submission, list);
    if (ruling.verdict == PostingRuling::Verdict::Accept) reception = receive(*arrival, list, ruling);
  }
  if (ruling.verdict == PostingRuling::Verdict::Accept) askAboutPost(*arrival, list, ruling);

  auto post = postOf(*arrival, list);
  if (ruling.verdict != PostingRuling::Verdict::Accept)
    return Planned{arrival, std::move(post), list, std::move(ruling), {}, {}, {}, {}};
  const bool asItCame = reception->message.bytes() == arrival->message->bytes();
  post.vaultObject =
      objectIdOf(submission.receivedAt, arrival->id, asItCame ? ContentKind::AsItCame : ContentKind::Opened);
  post.senderCheck = reception->check.json();
  post.journey = journeyOf(context_, *arrival->message);
  auto keys = keysOf(*reception, list);
  auto floors = askAboutMembers(*arrival, list);
  return Planned{arrival, std::move(post),  list, std::move(ruling), std::move(reception->message), std::move(keys),
                 {},      std::move(floors)};
}

// Of a message that was encrypted to the list the gateway is shown what it saw come, and nothing else.
app::PostQuestion Intake::questionOf(const Arrival& arrival, const List& list) const {
  const auto& submission = arrival.submission;
  const auto& message = *arrival.message;
  app::PostQuestion question;
  if (const auto from = message.from(); from.wellFormed && from.mailboxes.size() == 1 && from.mailboxes[0].address)
    question.author = from.mailboxes[0].address->key();
  question.mailFrom = submission.mailFrom;
  question.subject = message.subject();
  question.messageId = message.messageId().value_or("");
  question.size = submission.content.size();
  const auto tree = mail::MimeTree::parse(message);
  question.encrypted = tree.isEncrypted();
  question.isSigned = tree.isSigned();
  question.released = arrival.released;
  question.proven = "unknown";
  for (const auto& [name, value] : submission.notes)
    if (name == app::SenderProvenNote) question.proven = value;
  question.notes = submission.notes;
  question.list = list.address;
  question.listName = list.displayName;
  question.secure = list.secure;
  question.sensitivity = list.sensitivity;
  question.anyonePosts = list.anyonePosts;
  context_.site.read([&](SiteTables& tables) {
    question.authorIsMember = tables.members.isEnabled(list.id, question.author);
    question.members = tables.members.count(list.id, {});
  });
  return question;
}

// What a person has let go no policy stops once more; what a policy asks of its protection counts all the same.
void Intake::askAboutPost(const Arrival& arrival, const List& list, PostingRuling& ruling) const {
  using Kind = app::PostAnswer::Kind;
  if (context_.listPolicies == nullptr || !context_.listPolicies->asks(app::ListHook::Post)) return;
  auto answer = context_.listPolicies->post(questionOf(arrival, list));
  if (arrival.released) answer.kind = Kind::Pass;
  if (answer.kind == Kind::Pass && answer.floor != app::Protection::None && !list.secure)
    answer.kind = Kind::Reject;  // an open list protects nothing
  switch (answer.kind) {
    case Kind::Pass:
      if (answer.floor != app::Protection::None)
        ruling.floor = std::max(ruling.floor.value_or(app::Protection::None), answer.floor);
      return;
    case Kind::Hold:
      throw HeldBack{"policy", answer.policy + ": " + answer.reason + " (" + list.address + ")"};
    case Kind::Discard:
      ruling = {PostingRuling::Verdict::Ignore, "policy-discarded", std::nullopt, ruling.automatic};
      break;
    case Kind::Reject:
    case Kind::Failed:
      ruling = {PostingRuling::Verdict::Reject, std::string(PolicyRefused), RejectReason::Policy, ruling.automatic};
      break;
  }
  log::info("intake", "a policy does not let a post through to a list",
            {{"trace", arrival.submission.queueId},
             {"list", list.address},
             {"policy", answer.policy},
             {"reason", answer.reason}});
}

// The members of open lists get plain copies, so policies are asked about those of secure lists alone.
std::optional<MemberFloors> Intake::askAboutMembers(const Arrival& arrival, const List& list) const {
  if (!list.secure || context_.listPolicies == nullptr || !context_.listPolicies->asks(app::ListHook::Member))
    return std::nullopt;
  std::vector<std::string> members;
  context_.site.read([&](SiteTables& tables) {
    tables.members.forEachEnabled(list.id, [&](const MemberWithKeys& member) { members.emplace_back(member.address); });
  });
  return context_.listPolicies->members(questionOf(arrival, list), members);
}

// Keys that the author's mail carries: of members only, so that strangers cannot fill the site with them.
std::vector<KeyFinding> Intake::keysOf(const Reception& reception, const List& list) {
  const auto& message = reception.message;
  const auto from = message.from();
  if (from.mailboxes.size() != 1 || !from.mailboxes.front().address) return {};
  const auto author = from.mailboxes.front().address->key();
  if (!context_.site.read([&](SiteTables& tables) { return tables.members.isEnabled(list.id, author); })) return {};
  auto signer = reception.signerCertificate;
  if (!list.secure)
    if (const auto verified = seal::verifySmime(message.bytes())) signer = verified->signer.der();
  return findKeys(context_, message, signer);
}

PostingRuling Intake::judgeMessage(const mail::Message& message, const app::Submission& submission, const List& list) {
  const PostingSettings settings{list.open, list.anyonePosts, context_.config.maxHops};
  return judgePost(message, submission, factsOf(list, context_.helpLink()), settings, [&](const std::string& author) {
    return context_.site.read([&](SiteTables& tables) { return tables.members.isEnabled(list.id, author); });
  });
}

// The post as the list goes on with it. What was encrypted is judged once more when it is open.
std::optional<Reception> Intake::receive(const Arrival& arrival, const List& list, PostingRuling& ruling) {
  const auto& message = *arrival.message;
  if (!list.secure) return Reception{message, {}};
  auto reception = receivePost(context_, message, list);
  if (!reception)
    ruling = {PostingRuling::Verdict::Reject, "unreadable", RejectReason::Unreadable, false};
  else if (reception->message.bytes() != message.bytes()) {
    ruling = judgeMessage(reception->message, arrival.submission, list);
    scanOpened(arrival, reception->message);
  }
  return reception;
}

// The gateway could not look into it. Without a verdict the message stays with the gateway and is tried again.
void Intake::scanOpened(const Arrival& arrival, const mail::Message& message) const {
  if (!scanner_ || arrival.released) return;
  const auto found = scanner_->scan(message.bytes());
  if (!found) return;
  log::warning("intake", "what was encrypted to a list is infected; it is held",
               {{"queueId", arrival.submission.queueId}, {"virus", *found}});
  throw HeldBack{"virus", *found};
}

// Contents before plans: a plan without its content could never be sent.
void Intake::store(const Plans& plans) {
  std::vector<vault::Vault::NewObject> objects;
  std::set<std::uint64_t> known;  // a message for several lists is one object
  for (const auto& plan : plans)
    if (plan.post.vaultObject != 0 && known.insert(plan.post.vaultObject).second)
      objects.push_back({plan.post.vaultObject, plan.list.id, plan.content->bytes()});
  context_.vault.putAll(objects);

  const auto now = context_.clock.now();
  const auto ids = context_.site.write([&](SiteTables& tables) {
    std::vector<std::optional<std::uint64_t>> written;
    for (const auto& plan : plans) {
      written.push_back(writePlan(tables, plan.post, plan.list, plan.ruling, now, plan.recipients,
                                  plan.memberFloors ? &*plan.memberFloors : nullptr));
      if (written.back())
        for (const auto& key : plan.keys) propose(tables, key, now);
      if (written.back() && plan.post.vaultObject != 0)
        tables.archive.add(objectOf(plan), plan.list.id, *written.back());
    }
    return written;
  });
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!ids[i]) continue;
    const auto& plan = plans[i];
    log::event(log::events::MessagePlanned, {{"trace", plan.post.queueId},
                                             {"post", *ids[i]},
                                             {"list", plan.list.address},
                                             {"verdict", verdictWord(plan.ruling.verdict)},
                                             {"reason", plan.ruling.reason}});
  }
  planned_();
}

void Intake::noteBounce(const Arrival& arrival, const mail::Address& recipient, const List& list) {
  const auto listAddress = mail::Address::parse(list.address);
  const auto copyKey = context_.verp.verify(listAddress.value(), recipient);
  if (!copyKey || !arrival.message) {
    log::info("intake", "a bounce without a valid tag was dropped", {{"list", list.address}});
    return;
  }
  const auto bounce = readBounce(*arrival.message);
  const auto now = context_.clock.now();
  const bool toSend =
      context_.site.write([&](SiteTables& tables) { return recordBounce(tables, list.id, *copyKey, bounce, now); });
  if (toSend) planned_();
}

}  // namespace postern::listd
