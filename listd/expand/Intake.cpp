#include "listd/expand/Intake.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/hops/JourneyJson.h"
#include "core/mail/Date.h"
#include "core/mail/MessageId.h"
#include "core/seal/SmimeReader.h"
#include "listd/archive/ObjectId.h"
#include "listd/compose/Bounce.h"
#include "listd/compose/PostComposer.h"
#include "listd/keys/KeyLinks.h"
#include "listd/ledger/BounceNote.h"
#include "listd/plan/PlanWriter.h"
#include "listd/receive/Reception.h"

#include <nlohmann/json.hpp>
#include <set>

namespace postern::listd {
namespace {

constexpr std::string_view BouncesSuffix = "-bounces";
constexpr std::string_view RequestSuffix = "-request";

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
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The list under which mail of a relay is protected; the gateway says so.
std::optional<std::string> outboundScope(const app::Submission& submission) {
  for (const auto& [name, value] : submission.notes)
    if (name == app::OutboundNote) return value;
  return std::nullopt;
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

}  // namespace

struct Intake::Arrival {
  std::uint64_t id = 0;
  app::Submission submission;
  std::optional<mail::Message> message;  // none: its header cannot be read at all
};

// What is to be written for one list.
struct Intake::Planned {
  std::shared_ptr<const Arrival> arrival;
  Post post;
  List list;
  PostingRuling ruling;
  std::optional<mail::Message>
      content;  // of an accepted post, that the vault keeps: opened, where the post was encrypted to the list
  std::vector<KeyFinding> keys = {};    // of the author, proposed only
  std::vector<std::string> recipients;  // of domain mail
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
    : context_(context), planned_(std::move(planned)), reader_(context.keys.vaultKeyPair().privateKey) {}

void Intake::take(std::span<const app::AcceptedItem> items) {
  Plans plans;
  for (const auto& item : items) {
    auto submission = app::Submission::decode(reader_.open(item.sealed, app::SubmissionContext));
    auto parsed = mail::Message::parse(submission.content);
    auto message = parsed ? std::optional(std::move(*parsed)) : std::nullopt;
    const auto arrival = std::make_shared<const Arrival>(Arrival{item.id, std::move(submission), std::move(message)});
    const auto scope = outboundScope(arrival->submission);
    if (scope) {
      judgeOutbound(arrival, *scope, plans);
      continue;
    }
    for (const auto& recipient : arrival->submission.recipients) judgeFor(arrival, recipient, plans);
  }
  if (!plans.empty()) store(plans);
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
        if (arrival->message) takeKeyRequest(context_, *arrival->message, arrival->submission.mailFrom, *list);
        return;
      }
    if (const auto key = listBehind(*address, BouncesSuffix))
      if (const auto list = find(*key)) return noteBounce(*arrival, *address, *list);
  }
  // The gateway takes mail only for addresses of the routing view, and lists are never deleted.
  const auto& queueId = arrival->submission.queueId;
  log::error("intake", "an accepted message is for an address that is no list here",
             {{"accepted", arrival->id}, {"queueId", queueId}});
  throw Error(ErrorKind::Invariant,
              "message " + queueId + " is for an address that is no list here; see the log of postern-listd");
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
    plans.push_back(Planned{arrival, std::move(post), *list, std::move(ruling), {}, {}, {}});
    return;
  }
  post.vaultObject = objectIdOf(submission.receivedAt, arrival->id, ContentKind::AsItCame);
  post.journey = journeyOf(context_, *arrival->message);
  plans.push_back(Planned{
      arrival, std::move(post), *list, std::move(ruling), *arrival->message, {}, outboundRecipients(submission)});
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
    if (ruling.verdict == PostingRuling::Verdict::Accept)
      reception = receive(*arrival->message, submission, list, ruling);
  }

  auto post = postOf(*arrival, list);
  if (ruling.verdict != PostingRuling::Verdict::Accept)
    return Planned{arrival, std::move(post), list, std::move(ruling), {}, {}, {}};
  const bool asItCame = reception->message.bytes() == arrival->message->bytes();
  post.vaultObject =
      objectIdOf(submission.receivedAt, arrival->id, asItCame ? ContentKind::AsItCame : ContentKind::Opened);
  post.senderCheck = reception->check.json();
  post.journey = journeyOf(context_, *arrival->message);
  auto keys = keysOf(*reception, list);
  return Planned{arrival, std::move(post), list, std::move(ruling), std::move(reception->message), std::move(keys), {}};
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
std::optional<Reception> Intake::receive(const mail::Message& message, const app::Submission& submission,
                                         const List& list, PostingRuling& ruling) {
  if (!list.secure) return Reception{message, {}};
  auto reception = receivePost(context_, message, list);
  if (!reception)
    ruling = {PostingRuling::Verdict::Reject, "unreadable", RejectReason::Unreadable, false};
  else if (reception->message.bytes() != message.bytes())
    ruling = judgeMessage(reception->message, submission, list);
  return reception;
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
      written.push_back(writePlan(tables, plan.post, plan.list, plan.ruling, now, plan.recipients));
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
    log::info("intake", "post planned",
              {{"post", *ids[i]},
               {"list", plan.list.address},
               {"queueId", plan.post.queueId},
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
  context_.site.write([&](SiteTables& tables) { recordBounce(tables, list.id, *copyKey, bounce, now); });
}

}  // namespace postern::listd
