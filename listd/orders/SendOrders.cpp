#include "listd/orders/SendOrders.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/compose/OutMessage.h"
#include "listd/compose/PostComposer.h"
#include "listd/expand/Outbox.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/MemberFacts.h"
#include "listd/plan/PostingRule.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MostRecipients = 100, MostFiles = 20;
constexpr std::size_t MostText = 1u << 20, MostContent = 10u << 20;
constexpr std::size_t MostSubject = 500, LongestLine = 998;
constexpr std::uint32_t RowsShown = 1000;
constexpr const char* PreviewKey = "a form that is not sent";

// Who writes, and under which list it is protected.
struct Sender {
  std::string account;
  mail::Address address;
  List list;
};

// The address is the one that an administrator gave the account: nobody can set it for themselves, and where two
// accounts claim it, neither may write by it.
std::string addressOf(SiteTables& tables, const std::string& name) {
  const auto account = tables.accounts.find(name);
  if (!account || account->state != "enabled") refuse("not-found", "there is no account " + name + " that may sign in");
  if (account->mail.empty())
    refuse("refused", "your account has no mail address, so that nobody could tell who writes",
           "ask an administrator to set it: postern user set " + name + " --mail ADDRESS");
  for (const auto& other : tables.accounts.all())
    if (other.name != name && other.state != "disabled" && mail::equalsIgnoreCase(other.mail, account->mail))
      refuse("refused", "another account has the same mail address, so that nobody could tell who writes",
             "ask an administrator to give each account its own");
  return account->mail;
}

bool isPlain(const mail::Address& address) {
  return address.isAscii() && !address.isLiteral() && !address.isQuoted() &&
         address.localPart().find_first_of("%!") == std::string::npos &&
         address.domain().find('.') != std::string::npos;
}

// On the server itself an account is named; everybody else writes as the account that is signed in.
std::string accountOf(const OrderCall& call) {
  const auto named = call.args.textOr("account", {}, 64);
  if (!call.person.machine) {
    if (!named.empty() && named != call.person.account)
      refuse("denied", "you can write as your own account only", "leave \"account\" out");
    return call.person.account;
  }
  if (named.empty()) refuse("usage", "\"account\" is missing", "say whose message it is: --as ACCOUNT");
  return named;
}

Sender requireSender(SiteTables& tables, const OrderCall& call) {
  const auto name = accountOf(call);
  const auto address = mail::Address::parse(addressOf(tables, name));
  if (!address || !isPlain(*address)) refuse("refused", "the mail address of this account cannot send mail from here");
  for (const auto& relay : tables.relays.all()) {
    if (relay.domain != address->domain()) continue;
    auto list = tables.lists.find(relay.list);
    if (!list || !list->secure) continue;
    return {name, *address, std::move(*list)};
  }
  refuse("refused", "mail of " + address->domain() + " is not protected here, so it cannot be sent from here",
         "an administrator names the secure list for it: postern relay add RANGE " + address->domain() + " LIST");
}

using Addresses = std::vector<mail::Address>;

Addresses recipientsIn(SiteTables& tables, const Args& args, std::string_view field) {
  Addresses found;
  for (const auto& text : args.texts(field)) {
    const auto parsed = mail::hasControl(text) || text.size() > 2 * mail::Address::MaxDomain
                            ? std::nullopt
                            : std::optional(mail::Address::parse(mail::trim(text)));
    if (!parsed || !*parsed || !isPlain(**parsed))
      refuse("invalid", "\"" + std::string(mail::cutUtf8(text, 100)) + "\" is no mail address that can be written to",
             "give each as in ann@example.org");
    if (tables.domains.find((*parsed)->domain()))
      refuse("refused", (*parsed)->text() + " is of a domain of lists of this site, which has its own way",
             "write to the list with your mail program");
    found.push_back(**parsed);
  }
  return found;
}

std::vector<std::string> keysOf(const Addresses& to, const Addresses& cc) {
  std::vector<std::string> keys;
  for (const auto* some : {&to, &cc})
    for (const auto& address : *some) keys.push_back(address.key());
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.empty()) refuse("usage", "nobody is named who shall get this message", "give at least one recipient");
  if (keys.size() > MostRecipients)
    refuse("invalid", "these are too many recipients", "name at most " + std::to_string(MostRecipients));
  return keys;
}

json planOf(SiteTables& tables, const Sender& sender, const std::vector<std::string>& recipients,
            std::optional<app::Protection> floor, TimePoint now) {
  const auto rules = strengthened(rulesOf(tables, sender.list), floor);
  const auto own = ownDomainsOf(tables);
  auto items = json::array();
  for (const auto& address : recipients) {
    const auto decision = decideOutbound(tables, rules, address, own, now);
    items.push_back(
        {{"address", address}, {"protection", protectionWord(decision)}, {"reason", reasonWord(decision.reason)}});
  }
  return items;
}

std::string decoded(const json& value, const char* what) {
  auto bytes = value.is_string() ? crypto::fromBase64(value.get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) refuse("invalid", std::string(what) + " is not base64");
  return std::move(*bytes);
}

std::vector<OutFile> filesOf(const Args& args) {
  const auto given = args.value("files");
  if (given.is_null()) return {};
  if (!given.is_array() || given.size() > MostFiles)
    refuse("invalid", "these are too many files", "attach at most " + std::to_string(MostFiles));
  std::vector<OutFile> files;
  std::size_t bytes = 0;
  for (const auto& item : given) {
    if (!item.is_object() || !item.contains("content")) refuse("invalid", "a file has no content");
    const Args one(item);
    files.push_back({one.textOr("name", {}, 1000), one.textOr("type", {}), decoded(item.at("content"), "a file")});
    bytes += files.back().content.size();
  }
  if (bytes > MostContent)
    refuse("invalid", "the files are too large", "attach at most " + std::to_string(MostContent >> 20) + " MiB");
  return files;
}

// A whole message comes from a file. What a relay's message must be, this must be: one author, the account's own
// address, and nothing that two readers could understand differently.
void requireOwn(const mail::Message& message, const Sender& sender) {
  const auto from = message.from();
  const bool own = message.header().count("From") == 1 && from.wellFormed && from.mailboxes.size() == 1 &&
                   from.mailboxes.front().address && from.mailboxes.front().address->key() == sender.address.key();
  if (!own) refuse("refused", "From must be " + sender.address.text() + " and nothing else", "change it in the file");
  for (const auto& field : message.header().fields()) {
    const auto name = mail::lowerAscii(field.name);
    if (name == "sender" || name.starts_with("resent-") || name == "received" || name == "return-path")
      refuse("refused", "the message says with the field " + std::string(field.name) + " that another has sent it",
             "take that field out of the file");
  }
  if (!mail::MimeTree::parse(message).ambiguities().empty())
    refuse("invalid", "two readers could understand this message differently", "write it anew with a mail program");
}

bool hasLongLine(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find("\r\n", at), text.size());
    if (end - at > LongestLine) return true;
    at = end + 2;
  }
  return false;
}

std::string requireMessage(const Args& args, const Sender& sender, const std::string& id) {
  auto bytes = decoded(args.value("message"), "\"message\"");
  if (bytes.size() > MostContent * 3 / 2 || !mail::isCanonical(bytes) || hasLongLine(bytes))
    refuse("invalid", "this is no message of RFC 5322, or it is too large", "lines end with CR LF and have 998 bytes");
  auto message = mail::Message::parse(bytes);
  if (!message) refuse("invalid", "the header of this message is too large to be read");
  requireOwn(*message, sender);
  // Its own id would not tell one use of this form from another.
  auto renamed = mail::Message::parse(message->edited(
      {mail::HeaderEdit::remove("Message-ID"), mail::HeaderEdit::append("Message-ID: " + id + "\r\n")}));
  if (!renamed) refuse("invalid", "the header of this message is too large to be read");
  return std::string(renamed->bytes());
}

std::string written(const Args& args, const Sender& sender, const Addresses& to, const Addresses& cc,
                    const std::string& id, TimePoint now) {
  if (args.has("message")) return requireMessage(args, sender, id);
  OutMessage out{sender.address, to, cc, args.textOr("subject", {}, MostSubject), {}, id, now, filesOf(args)};
  if (args.has("text") && args.value("text") != "") out.text = args.bytes("text", MostText);
  if (mail::trim(out.text).empty() && out.files.empty())
    refuse("usage", "there is nothing to send", "write a text or attach a file");
  return writeMessage(out);
}

// A message that the maker of copies cannot take would come back as a report only; here its author is still there.
void requireComposable(OrderTools& tools, const Sender& sender, const std::string& message, const std::string& id) {
  if (message.size() > tools.context.config.maxMessageSize)
    refuse("invalid", "the message is larger than this site takes", "attach less");
  const auto parsed = mail::Message::parse(message);
  const PostComposer composer(factsOf(sender.list, tools.context.helpLink()));
  if (!parsed || !composer.composeDomain(*parsed, {id, tools.now()}))
    refuse("invalid", "two readers could understand the header of this message differently", "write it anew");
}

// Everything that the form says; its key tells the form, this whether it says the same.
std::string contentOf(const Args& args) {
  json all = json::object();
  for (const auto* name : {"to", "cc", "subject", "text", "files", "message"})
    if (args.has(name)) all[name] = args.value(name);
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

// What the form says so far, as it would be sent.
Outbox::Letter letterOf(OrderTools& tools, const OrderCall& call, const Sender& sender, const Addresses& to,
                        const Addresses& cc, const std::string& key) {
  const auto id = Outbox::idFor(sender.account, key, contentOf(call.args), sender.address.domain());
  auto message = written(call.args, sender, to, cc, id, tools.now());
  requireComposable(tools, sender, message, id);
  return {sender.account,      call.actor.client, call.actor.https, key,
          sender.list.address, sender.address,    keysOf(to, cc),   id,
          std::move(message)};
}

bool saysSomething(const Args& args) {
  const auto files = args.value("files");
  return args.has("message") || (args.has("text") && args.value("text") != "") || (files.is_array() && !files.empty());
}

json verdictView(const app::Judgement& judgement) {
  return {{"passed", judgement.passed}, {"later", judgement.later}, {"text", judgement.text}};
}

// Of a form without words the plan alone; with them also what the policies would say to it, who may ask for more
// protection than the list does.
json previewMail(OrderTools& tools, const OrderCall& call) {
  Addresses to, cc;
  const auto sender = tools.context.site.read([&](SiteTables& tables) {
    to = recipientsIn(tables, call.args, "to");
    cc = recipientsIn(tables, call.args, "cc");
    return requireSender(tables, call);
  });
  json view{{"account", sender.account}, {"from", sender.address.text()}, {"list", sender.list.address}};
  view["class"] = sender.list.sensitivity;
  view["limits"] = {{"recipients", MostRecipients}, {"files", MostFiles}, {"bytes", MostContent}};
  view["items"] = json::array();
  view["verdict"] = nullptr;
  if (to.empty() && cc.empty()) return view;
  app::Submission noted;
  if (tools.outbox != nullptr && saysSomething(call.args)) {
    const auto judgement = tools.outbox->consult(letterOf(tools, call, sender, to, cc, PreviewKey));
    if (judgement) view["verdict"] = verdictView(*judgement);
    if (judgement) noted.notes = judgement->notes;
  }
  view["items"] = tools.context.site.read(
      [&](SiteTables& tables) { return planOf(tables, sender, keysOf(to, cc), requestedFloor(noted), tools.now()); });
  return view;
}

json sendMail(OrderTools& tools, const OrderCall& call) {
  if (tools.outbox == nullptr) refuse("unavailable", "no mail is sent from here");
  const auto key = call.args.text("key", 100);
  if (key.size() < 16)
    refuse("invalid", "\"key\" is too short", "give 16 random characters or more, new for each form");
  Addresses to, cc;
  const auto sender = tools.context.site.read([&](SiteTables& tables) {
    to = recipientsIn(tables, call.args, "to");
    cc = recipientsIn(tables, call.args, "cc");
    return requireSender(tables, call);
  });
  const auto letter = letterOf(tools, call, sender, to, cc, key);
  const auto sent = tools.outbox->send(letter);
  call.note.objectType = "post";
  call.note.objectId = std::to_string(sent.post);
  call.note.person("author", sender.account);
  return change(tools, call, [&](SiteTables&) {
    return json{{"id", sent.post},
                {"from", sender.address.text()},
                {"list", sender.list.address},
                {"recipients", letter.recipients.size()},
                {"again", sent.again}};
  });
}

bool isOf(const Post& post, const std::string& account) {
  if (!post.domainMail) return false;
  const auto client = json::parse(post.client, nullptr, false);
  return client.is_object() && client.value("account", std::string()) == account;
}

// What became of one's own: of one message, or of the newest.
json sentMail(OrderTools& tools, const OrderCall& call) {
  const auto account = accountOf(call);
  const bool one = call.args.has("id");
  const auto id = one ? call.args.id("id") : 0;
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 20, 1, 100));
  return tools.context.site.read([&](SiteTables& tables) {
    if (one) {
      const auto post = tables.posts.find(id);
      if (!post || !isOf(*post, account)) refuse("not-found", "you have sent no message " + std::to_string(id));
      return traceOf(tables, *post, 0, RowsShown);
    }
    auto items = json::array();
    for (const auto& post : tables.posts.domainMailOf(mail::lowerAscii(addressOf(tables, account)), limit))
      if (isOf(post, account)) items.push_back(postView(tables, post));
    return pageOf(std::move(items), {});
  });
}

constexpr OrderRow Table[] = {
    {"mail.preview", OrderKind::Reads, previewMail, AnySignedIn},
    {"mail.send", OrderKind::Changes, sendMail, AnySignedIn},
    {"mail.sent", OrderKind::Reads, sentMail, AnySignedIn},
};

}  // namespace

std::span<const OrderRow> sendOrders() {
  return Table;
}

}  // namespace postern::listd
