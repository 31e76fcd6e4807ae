#include "core/crypto/Encoding.h"
#include "core/mail/Address.h"
#include "core/mail/Message.h"
#include "core/mail/Text.h"
#include "listd/orders/Views.h"
#include "listd/policy/PolicyOrders.h"
#include "listd/policy/PolicyReplay.h"
#include "listd/policy/PolicyViews.h"
#include "listd/policy/StoredMail.h"

namespace postern::listd {

using app::Role;
using nlohmann::json;

namespace {

constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor};
constexpr Access Askers{Role::Admin | Role::Officer};
constexpr std::size_t MaxMessage = 64u << 20;
constexpr std::size_t MaxRecipients = 1'000;
constexpr std::chrono::hours LongestShadow{24 * 30};

// As it comes from an editor or a file: lines may end with LF alone.
std::string withCrlf(const std::string& text) {
  std::string lines;
  lines.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) lines += '\r';
    lines += text[i];
  }
  return lines;
}

std::string contentIn(const Args& args) {
  const auto given = args.value("message");
  auto bytes = given.is_string() ? crypto::fromBase64(given.get_ref<const std::string&>()) : std::nullopt;
  if (!bytes || bytes->empty()) refuse("usage", "\"message\" is missing or not base64", "give a message, or \"post\"");
  if (bytes->size() > MaxMessage) refuse("invalid", "this message is too large");
  return withCrlf(*bytes);
}

void addNamed(const mail::MailboxList& list, std::vector<std::string>& recipients) {
  for (const auto& mailbox : list.mailboxes)
    if (mailbox.address && recipients.size() < MaxRecipients) recipients.push_back(mailbox.address->text());
}

// What the envelope does not say is taken from the header, as `postern send` does.
void completeEnvelope(app::Submission& submission) {
  const auto message = mail::Message::parse(submission.content);
  if (!message) return;
  if (submission.mailFrom.empty())
    if (const auto from = message->from(); from.mailboxes.size() == 1 && from.mailboxes[0].address)
      submission.mailFrom = from.mailboxes[0].address->text();
  if (!submission.recipients.empty()) return;
  for (const auto& field : message->header().fields())
    if (mail::equalsIgnoreCase(field.name, "To") || mail::equalsIgnoreCase(field.name, "Cc"))
      addNamed(mail::parseMailboxes(field.value), submission.recipients);
}

app::Submission pastedIn(OrderTools& tools, const Args& args) {
  app::Submission submission;
  submission.content = contentIn(args);
  submission.receivedAt = tools.now();
  submission.clientAddress = args.textOr("clientAddress", "127.0.0.1");
  submission.clientName = args.textOr("clientName", "");
  submission.helo = args.textOr("helo", "client.example");
  submission.mailFrom = args.textOr("mailFrom", "", 320);
  submission.recipients = args.texts("recipients");
  if (args.flag("tls")) submission.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};
  if (submission.recipients.size() > MaxRecipients) refuse("invalid", "these are too many recipients");
  completeEnvelope(submission);
  if (submission.recipients.empty())
    refuse("usage", "nobody is named who shall get it", "give recipients, or a message with To");
  return submission;
}

// A stored message is judged, not shown: of texts and notes, which a policy may make of its words, nothing is told.
void hideWords(json& verdict, const json& files) {
  if (!verdict.is_object()) return;
  const auto reason = verdict.value("reason", "");
  bool stands = reason.empty();
  for (const auto& [path, text] : files.items())
    stands = stands || text.get_ref<const std::string&>().find(reason) != std::string::npos;
  verdict = {{"verdict", verdict.value("verdict", "")},
             {"policy", verdict.value("policy", "")},
             {"reason", stands ? reason : ""},
             {"address", verdict.value("address", "")},
             {"hook", verdict.value("hook", "")}};
}

void hideAllWords(json& view, const json& files) {
  for (auto& result : view["recipients"]) hideWords(result, files);
  for (auto& hook : view["hooks"]) {
    for (auto& verdict : hook["outcome"]) hideWords(verdict, files);
    if (hook["failure"].is_object()) hook["failure"]["detail"] = "";
    for (auto& step : hook["steps"]) {
      step["notes"] = json::array();
      for (auto& verdict : step["verdicts"]) hideWords(verdict, files);
    }
  }
  view["unclear"] = view.value("unclear", "").empty() ? "" : "two readers could understand it differently";
}

PolicyStore::StoredPost requirePost(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.text("post", 300);
  const auto post = tools.context.site.read([&](SiteTables& tables) {
    auto found = tables.posts.findByAnyId(id);
    return !found && !id.starts_with('<') ? tables.posts.findByAnyId("<" + id + ">") : found;
  });
  if (!post) refuse("not-found", "no post has the Message-ID, queue id or number " + id, "see: postern post list");
  call.note.objectType = "post";
  call.note.objectId = std::to_string(post->id);
  call.note.listId = post->listId;
  return {post->id,         post->queueId,     post->listId, post->mailFrom,
          post->receivedAt, post->vaultObject, post->client, post->domainMail};
}

json explain(OrderTools& tools, const OrderCall& call) {
  const auto& care = requirePolicies(tools);
  const bool stored = call.args.has("post");
  json request = json::object();
  std::optional<PolicyRevision> revision;
  if (call.args.has("files"))
    request["files"] = requireFiles(call.args);
  else if (call.args.has("revision"))
    request = filesOf(*(revision = requireRevision(tools, call.args)));
  if (!stored) return askPolicies(care.ask, "explain", request, pastedIn(tools, call.args).encode());
  request["lookUp"] = false;
  const auto submission = submissionOf(tools.context, requirePost(tools, call));
  if (!submission) refuse("refused", "the content of this message is not there any more");
  auto view = askPolicies(care.ask, "explain", request, submission->encode());
  if (!view.contains("hooks")) return view;
  const auto files =
      request.contains("files") ? request["files"] : json::parse(requireRevision(tools, call.args).files);
  hideAllWords(view, files);
  view["stored"] = true;
  return view;
}

// The revision that is tried: a stored one, or files that come along and are stored.
PolicyRevision candidateOf(OrderTools& tools, const OrderCall& call) {
  const auto& care = requirePolicies(tools);
  const bool named = call.args.has("revision");
  if (!named && !call.args.has("files")) refuse("usage", "which policy set? give \"revision\" or \"files\"");
  auto files = named ? json::parse(requireRevision(tools, call.args).files) : requireFiles(call.args);
  const auto report = askPolicies(care.ask, "test", {{"files", files}});
  if (!report.value("ok", false))
    refuse("refused", "this policy set does not load, or one of its cases fails", firstProblem(report).substr(0, 900));
  if (named) return requireRevision(tools, call.args);
  const OrderCall storing{"policy.store", call.actor, call.args, {}, call.person};
  return storeFiles(tools, storing, files, report.value("digest", ""));
}

json startShadow(OrderTools& tools, const OrderCall& call) {
  const auto hours = call.args.number("hours", 24, 1, static_cast<std::uint64_t>(LongestShadow.count()));
  const auto revision = candidateOf(tools, call);
  auto& care = requirePolicies(tools);
  const MutexLock alone(care.changing);
  PolicyStore::ShadowRun run{revision.id, tools.now(), call.actor.name, tools.now() + std::chrono::hours(hours)};
  call.note.objectType = "policy set";
  call.note.objectId = std::to_string(revision.id);
  call.note.afterDigest = revision.sha256;
  call.note.number("hours", hours);
  auto request = filesOf(revision);
  request["until"] = toMicros(run.until);
  change(tools, call, [&](SiteTables& tables) {
    tables.policies.setShadow(run);
    return 0;
  });
  askPolicies(care.ask, "shadow-start", request);
  return {{"revision", revision.id}, {"until", toMicros(run.until)}};
}

json stopShadow(OrderTools& tools, const OrderCall& call) {
  auto& care = requirePolicies(tools);
  const MutexLock alone(care.changing);
  call.note.objectType = "policy set";
  change(tools, call, [&](SiteTables& tables) {
    const auto run = tables.policies.shadow();
    if (!run) refuse("not-found", "no policy set runs beside the one in force");
    call.note.objectId = std::to_string(run->revision);
    tables.policies.endShadow();
    return 0;
  });
  askPolicies(care.ask, "shadow-stop", json::object());
  return json::object();
}

json showShadow(OrderTools& tools, const OrderCall&) {
  auto view = askPolicies(requirePolicies(tools).ask, "shadow-report", json::object());
  view["revision"] = 0;
  view["startedBy"] = "";
  tools.context.site.read([&](SiteTables& tables) {
    if (const auto run = tables.policies.shadow()) {
      view["revision"] = run->revision;
      view["startedBy"] = run->startedBy;
    }
  });
  return view;
}

json replay(OrderTools& tools, const OrderCall& call) {
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  const auto days = call.args.number("days", 30, 1, 36'500);
  const auto ending = call.args.number("endDays", 0, 0, 36'500);
  const auto revision = candidateOf(tools, call);
  const auto until = tools.now() - std::chrono::days(ending);
  const auto from = until - std::chrono::days(days);
  call.note.objectType = "policy set";
  call.note.objectId = std::to_string(revision.id);
  call.note.number("days", days);
  const auto job = change(tools, call, [&](SiteTables& tables) {
    return tools.jobs->start(tables, ReplayJob,
                             {{"revision", revision.id}, {"from", toMicros(from)}, {"until", toMicros(until)}},
                             call.actor.name);
  });
  tools.jobs->wake();
  return {{"job", job}, {"revision", revision.id}};
}

constexpr OrderRow Table[] = {
    {"policy.explain", OrderKind::Looks, explain, Askers},  {"policy.shadow-start", OrderKind::Changes, startShadow},
    {"policy.shadow-stop", OrderKind::Changes, stopShadow}, {"policy.shadow", OrderKind::Reads, showShadow, Watchers},
    {"policy.replay", OrderKind::Changes, replay},
};

}  // namespace

std::span<const OrderRow> policyTrialOrders() {
  return Table;
}

}  // namespace postern::listd
