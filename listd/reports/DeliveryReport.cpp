#include "listd/reports/DeliveryReport.h"

#include "core/hops/JourneyJson.h"
#include "listd/orders/Csv.h"
#include "listd/orders/Views.h"
#include "listd/retention/RetentionOrders.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint64_t MostRows = 5000;
constexpr std::uint64_t RowsOfAPage = 1000;
constexpr std::uint64_t PostsOfAPage = 500;     // that are told of
constexpr std::uint32_t PostsLookedAt = 10000;  // for one page, when hardly any has the recipient
constexpr std::chrono::hours OneDay{24};

const std::vector<std::string> Columns = {"post",
                                          "list",
                                          "message id",
                                          "queue id",
                                          "received",
                                          "size",
                                          "class",
                                          "sent by",
                                          "handed over by",
                                          "arrival TLS",
                                          "arrival cipher",
                                          "arrival client verified",
                                          "way to us",
                                          "encrypted to the list",
                                          "signature",
                                          "signer",
                                          "recipient",
                                          "protection",
                                          "reason",
                                          "key",
                                          "state",
                                          "attempts",
                                          "next hop",
                                          "next hop address",
                                          "TLS",
                                          "cipher",
                                          "TLS verification",
                                          "verified name",
                                          "reply code",
                                          "reply",
                                          "last attempt",
                                          "delivered",
                                          "pick-up",
                                          "link used",
                                          "picked up",
                                          "read by",
                                          "times read",
                                          "available until"};

// Where a page begins: at the copies behind `copy` of the post, or with a post that came then.
struct Cursor {
  TimePoint receivedAt;
  std::uint64_t post = 0;
  std::uint64_t copy = 0;

  std::string text() const {
    return std::to_string(toMicros(receivedAt)) + "-" + std::to_string(post) + "-" + std::to_string(copy);
  }
  static std::optional<Cursor> parse(const std::string& text) {
    long long at = 0;
    unsigned long long post = 0, copy = 0;
    int used = 0;
    const auto read = std::sscanf(text.c_str(), "%18lld-%18llu-%18llu%n", &at, &post, &copy, &used);
    if (read != 3 || static_cast<std::size_t>(used) != text.size() || at < 0) return std::nullopt;
    return Cursor{fromMicros(at), post, copy};
  }
};

json textOf(const json& object, const char* field) {
  return object.is_object() && object.contains(field) ? object.at(field) : json("");
}

// How the message came: what its Received fields record, the session in which we took it, and whose it is.
// Encryption and signature are looked at for posts that a secure list accepts.
json arrivalOf(SiteTables& tables, const Post& post, const List& list) {
  auto client = json::parse(post.client, nullptr, false);
  auto check = json::parse(post.senderCheck, nullptr, false);
  return {{"client", client.is_object() ? std::move(client) : json()},
          {"checked", list.secure && post.verdict == "accepted"},
          {"senderCheck", check.is_object() ? std::move(check) : json()},
          {"journey", hops::expandJson(tables.posts.journeyOf(post.id))}};
}

json postPart(SiteTables& tables, const Post& post, const List& list) {
  auto part = countsOf(post);
  part.update({{"post", post.id},
               {"list", list.address},
               {"messageId", post.messageId},
               {"outMessageId", post.outMessageId},
               {"queueId", post.queueId},
               {"sentBy", post.mailFrom},
               {"received", timeCell(post.receivedAt)},
               {"planned", timeCell(post.plannedAt)},
               {"size", post.size},
               {"class", post.sensitivity},
               {"state", stateOf(post)},
               {"reason", post.trouble.empty() ? post.reason : post.trouble},
               {"arrival", arrivalOf(tables, post, list)}});
  return part;
}

// The cells that all copies of a post share: the first leg.
json arrivalCells(const json& part) {
  const auto& arrival = part.at("arrival");
  const auto& client = arrival.at("client");
  const auto tls = textOf(client, "tls");
  const auto& check = arrival.at("senderCheck");
  const auto word = [&](const char* field) {
    if (!arrival.at("checked").get<bool>()) return json("not checked");
    return check.is_null() ? json("none") : textOf(check, field);
  };
  std::string host = textOf(client, "name").get<std::string>();
  if (const auto address = textOf(client, "address").get<std::string>(); !address.empty())
    host += (host.empty() ? "[" : " [") + address + "]";
  return json::array({part.at("post"), part.at("list"), part.at("messageId"), part.at("queueId"), part.at("received"),
                      part.at("size"), part.at("class"), part.at("sentBy"), host, textOf(tls, "version"),
                      textOf(tls, "cipher"), textOf(tls, "verification"), textOf(arrival.at("journey"), "verdict"),
                      word("encryption"), word("standing"), textOf(check, "signer")});
}

void addCells(json& row, std::initializer_list<json> cells) {
  for (const auto& cell : cells) row.push_back(cell);
}

// The other legs: what was decided for the recipient, and how the copy left.
json copyRow(SiteTables& tables, const Post& post, const LedgerRow& copy, json row) {
  addCells(row, {copy.recipient, copy.protection, copy.reason, copy.keyFingerprint, stateOf(copy, post)});
  const auto attempts =
      copy.attempts > 0 || isFinal(copy.state) ? tables.ledger.attemptsOf(copy.id) : std::vector<Attempt>();
  const auto last = attempts.empty() ? Attempt() : attempts.back();
  addCells(row, {attempts.size(), last.remoteHost, last.remoteAddress, last.tls.version, last.tls.cipher,
                 last.tls.verification, last.tls.peerName, last.replyCode == 0 ? json("") : json(last.replyCode),
                 last.replyText, timeCell(last.at), timeCell(copy.deliveredAt)});
  if (const auto item = copy.protection == "pickup" ? tables.pickup.find(copy.id) : std::nullopt)
    addCells(row, {pickupStateWord(item->state), timeCell(item->linkUsedAt), timeCell(item->firstOpenedAt),
                   item->openedHow, item->opens, timeCell(item->expiresAt)});
  else
    addCells(row, {"", "", "", "", "", ""});
  return row;
}

// Fills one page from the posts of a question, in the order in which they came.
class PageMaker {
public:
  PageMaker(SiteTables& tables, const OrderCall& call, const DeliveryQuestion& question)
      : tables_(tables), call_(call), question_(question) {}

  void make() {
    Cursor at{question_.span.from, 0, 0};
    if (!question_.after.empty()) {
      const auto given = Cursor::parse(question_.after);
      if (!given) refuse("invalid", "\"after\" is not what a page of this report gave as \"next\"");
      at = *given;
    }
    if (question_.post.empty())
      goThroughSpan(at);
    else
      showOne(at);
  }

  json posts = json::array();
  json rows = json::array();
  std::string next;

private:
  void showOne(const Cursor& at) {
    auto post = tables_.posts.findByAnyId(question_.post);
    if (!post && !question_.post.starts_with('<')) post = tables_.posts.findByAnyId("<" + question_.post + ">");
    if (!post)
      refuse("not-found", "no post has the Message-ID, queue id or number " + question_.post, "see: postern post list");
    const auto& list = listOf(post->listId);
    if (!call_.person.mayTouch(list.address) || (!question_.list.empty() && list.address != question_.list))
      refuse("denied", "this is not one of your lists", "ask an administrator to make you its owner");
    show(*post, list, at.copy);
  }

  void goThroughSpan(const Cursor& from) {
    if (!question_.list.empty() && !call_.person.mayTouch(question_.list))
      refuse("denied", "this is not one of your lists", "ask an administrator to make you its owner");
    const auto listId = question_.list.empty() ? 0 : requireList(tables_, call_.args).id;
    const PostPlace first{std::max(from.receivedAt, question_.span.from), from.post};
    const auto found = tables_.reports.postsBetween(first, question_.span.until, listId, PostsLookedAt);
    for (const auto& place : found) {
      if (isFull()) return endAt({place.receivedAt, place.id, 0});
      const auto& list = listOf(place.listId);
      if (!call_.person.mayTouch(list.address)) continue;
      const auto post = tables_.posts.find(place.id);
      if (post && !show(*post, list, place.id == from.post ? from.copy : 0)) return;
    }
    if (found.size() == PostsLookedAt) endAt({found.back().receivedAt, found.back().id + 1, 0});
  }

  bool isFull() const { return rows.size() >= question_.limit || posts.size() >= PostsOfAPage; }
  void endAt(const Cursor& cursor) { next = cursor.text(); }

  // False when the page ended within the post.
  bool show(const Post& post, const List& list, std::uint64_t after) {
    const auto room = static_cast<std::uint32_t>(question_.limit - rows.size());
    const auto copies = tables_.ledger.contentOf(post.id, question_.recipient, after, room);
    if (copies.empty() && (!question_.recipient.empty() || after > 0)) return true;
    auto part = postPart(tables_, post, list);
    const auto shared = arrivalCells(part);
    posts.push_back(std::move(part));
    for (const auto& copy : copies) rows.push_back(copyRow(tables_, post, copy, shared));
    if (copies.size() < room) return true;
    endAt({post.receivedAt, post.id, copies.back().id});
    return false;
  }

  const List& listOf(std::uint64_t id) {
    const auto [place, isNew] = lists_.try_emplace(id);
    if (isNew)
      if (auto list = tables_.lists.find(id)) place->second = std::move(*list);
    return place->second;
  }

  SiteTables& tables_;
  const OrderCall& call_;
  const DeliveryQuestion& question_;
  std::map<std::uint64_t, List> lists_;
};

DeliveryQuestion questionOf(const Args& args) {
  DeliveryQuestion question;
  question.post = args.textOr("post", {}, 300);
  if (!args.textOr("recipient", {}, 400).empty()) question.recipient = args.address("recipient").key();
  if (!args.textOr("list", {}, 400).empty()) question.list = args.address("list").key();
  question.span.from = timeOr(args, "from", TimePoint());
  question.span.until = timeOr(args, "until", fromMicros(INT64_MAX));
  const auto until = args.value("until");
  if (until.is_string() && until.get<std::string>().size() == 10) question.span.until += OneDay;
  question.after = args.textOr("after", {}, 60);
  question.limit = args.number("limit", RowsOfAPage, 1, MostRows);
  if (question.post.empty() && question.recipient.empty() && question.list.empty())
    refuse("usage", "say which post, recipient or list the report is about",
           "as in: postern report delivery --post ID");
  return question;
}

json documentOf(OrderTools& tools, const OrderCall& call, const DeliveryQuestion& question, PageMaker& page) {
  const auto open = question.span.until == fromMicros(INT64_MAX);
  json document{{"form", "postern-report-v1"},
                {"site", tools.context.config.hostName},
                {"tool", "postern-listd " POSTERN_VERSION},
                {"name", "delivery"},
                {"title", "Delivery report"},
                {"asked", {{"post", question.post}, {"recipient", question.recipient}, {"list", question.list}}},
                {"columns", Columns},
                {"rows", std::move(page.rows)},
                {"posts", std::move(page.posts)},
                {"from", toMicros(question.span.from)},
                {"until", open ? 0 : toMicros(question.span.until)},
                {"after", question.after},
                {"next", page.next},
                {"madeAt", toMicros(tools.now())},
                {"madeBy", call.actor.name}};
  signDocument(tools.context, document);
  return document;
}

}  // namespace

json deliveryReport(OrderTools& tools, const OrderCall& call) {
  const auto format = call.args.word("format", "json", {"json", "csv", "html"});
  const auto question = questionOf(call.args);
  call.note.objectType = "report";
  call.note.objectId = "delivery";
  auto document = tools.context.site.read([&](SiteTables& tables) {
    PageMaker page(tables, call, question);
    page.make();
    return documentOf(tools, call, question, page);
  });
  if (format == "json") return document;
  const bool first = question.after.empty();
  return {{"name", "delivery"},
          {format, format == "csv" ? deliveryCsv(document, first) : deliveryHtml(document, first)},
          {"next", document.at("next")}};
}

std::string deliveryCsv(const json& document, bool first) {
  auto text = first ? csvLine(document.at("columns").get<std::vector<std::string>>()) : std::string();
  for (const auto& row : document.at("rows")) {
    std::vector<std::string> cells;
    for (const auto& cell : row) cells.push_back(cell.is_string() ? cell.get<std::string>() : cell.dump());
    text += csvLine(cells);
  }
  return text;
}

}  // namespace postern::listd
