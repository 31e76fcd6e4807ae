#include "core/app/JsonText.h"
#include "core/crypto/Encoding.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/pickup/PickupFile.h"
#include "listd/pickup/PickupKeys.h"
#include "listd/pickup/PickupOrders.h"
#include "listd/pickup/Visitor.h"

// What signed-in recipients read. Each order proves the session, that the item is theirs, and that it may be read; the
// key leaves the vault for that one answer. Messages are named by their content's number, which is random.
namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::uint32_t PageSize = 50;
constexpr std::size_t PieceSize = 4u << 20;

std::uint64_t recordOf(SiteTables& tables, const PickupItem& item) {
  const auto post = tables.posts.find(item.postId);
  return post ? post->vaultObject : 0;
}

[[noreturn]] void refuseGone() {
  refuse("gone", "this message can no longer be read: it was recalled, or its time is over",
         "ask its sender to send it again");
}

Secret keyOf(OrderTools& tools, const PickupItem& item, std::uint64_t record) {
  auto opened = PickupKeys(tools.context).open(record, item.id);
  if (!opened || opened->contentId != item.contentId) refuseGone();
  return std::move(opened->key);
}

json cardOf(OrderTools& tools, const PickupItem& item, const std::optional<PickupContentRow>& content,
            std::uint64_t record) {
  const auto opened =
      content && !content->card.empty() ? PickupKeys(tools.context).open(record, item.id) : std::nullopt;
  if (!opened || opened->contentId != item.contentId) return json::object();
  return app::parseJson(pickupfile::openCard(opened->key, item.contentId, content->card));
}

json factsOfItem(const PickupItem& item, const char* reading) {
  return {{"id", std::to_string(item.contentId)},
          {"state", item.state == PickupState::Waiting && std::string_view(reading) == "gone"
                        ? "expired"
                        : pickupStateWord(item.state)},
          {"reading", reading},
          {"createdAt", toMicros(item.createdAt)},
          {"expiresAt", toMicros(item.expiresAt)},
          {"firstOpenedAt", toMicros(item.firstOpenedAt)}};
}

const char* readingWord(visitor::Reading reading) {
  switch (reading) {
    case visitor::Reading::Allowed:
      return "allowed";
    case visitor::Reading::Locked:
      return "locked";
    case visitor::Reading::Asks:
      return "asks";
    case visitor::Reading::Gone:
      break;
  }
  return "gone";
}

json inbox(OrderTools& tools, const OrderCall& call) {
  struct Row {
    PickupItem item;
    visitor::Reading reading;
    std::optional<PickupContentRow> content;
    std::uint64_t record;
    std::string list;
  };
  std::vector<Row> rows;
  std::string address;
  std::uint64_t next = 0;
  tools.context.site.write([&](SiteTables& tables) {
    const auto session = visitor::require(tools, tables, call);
    tables.recipients.touch(session.ref, tools.now());
    address = session.address;
    auto items = tables.pickup.ofAddress(address, call.args.number("after", 0, 0, INT64_MAX), PageSize + 1);
    if (items.size() > PageSize) {
      items.pop_back();
      next = items.back().id;
    }
    for (auto& item : items) {
      const auto list = tables.lists.find(item.listId);
      const auto reading = visitor::readingOf(tables, session, item, tools.now());
      rows.push_back({item, reading, tables.pickup.content(item.contentId), recordOf(tables, item),
                      list ? list->address : std::string()});
    }
  });
  json items = json::array();
  for (const auto& row : rows) {
    auto view = factsOfItem(row.item, readingWord(row.reading));
    view["list"] = row.list;
    if (row.reading == visitor::Reading::Allowed) view["card"] = cardOf(tools, row.item, row.content, row.record);
    items.push_back(std::move(view));
  }
  return {{"address", address}, {"items", items}, {"next", next == 0 ? json() : json(std::to_string(next))}};
}

// One own item that may be read now, with what opens it.
struct Opening {
  RecipientSession session;
  PickupItem item;
  std::uint64_t record = 0;
  List list;
  PickupSettings settings;
  std::optional<PickupContentRow> content;
};

Opening requireOpening(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.write([&](SiteTables& tables) {
    Opening opening;
    opening.session = visitor::require(tools, tables, call);
    tables.recipients.touch(opening.session.ref, tools.now());
    opening.item = visitor::requireReadable(tools, tables, opening.session, call.args.id("id"));
    opening.record = recordOf(tables, opening.item);
    opening.content = tables.pickup.content(opening.item.contentId);
    opening.settings = tables.pickup.settings(opening.item.listId);
    if (auto list = tables.lists.find(opening.item.listId)) opening.list = std::move(*list);
    call.note.objectId = std::to_string(opening.item.id);
    call.note.listId = opening.item.listId;
    return opening;
  });
}

json message(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  auto view = factsOfItem(opening.item, "allowed");
  view["address"] = opening.session.address;
  view["list"] = opening.list.address;
  view["card"] = cardOf(tools, opening.item, opening.content, opening.record);
  view["mayReplyToList"] = opening.settings.replyToList && opening.list.open;
  return view;
}

// The receipt: who opened it first, when, from what network, and how. Before anything is shown.
void recordOpen(OrderTools& tools, const OrderCall& call, const Opening& opening, const char* how) {
  const auto network = visitor::networkOf(call.args.textOr("client", {}, 64));
  call.note.text("how", how).text("network", network);
  change(tools, call, [&](SiteTables& tables) {
    visitor::requireReadable(tools, tables, opening.session, opening.item.contentId);
    tables.pickup.recordOpen(opening.item.id, tools.now(), opening.session.ref, network, how);
    tables.webhooks.noteChanges(opening.item.postId);
    return 0;
  });
}

pickupfile::Inside open(OrderTools& tools, const Opening& opening) {
  const auto key = keyOf(tools, opening.item, opening.record);
  const auto file = tools.context.vault.get(opening.item.contentId);
  if (!file) refuseGone();
  return pickupfile::open(key, opening.item.contentId, *file);
}

json readMessage(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  auto view = app::parseJson(open(tools, opening).card);
  recordOpen(tools, call, opening, "page");
  view["id"] = std::to_string(opening.item.contentId);
  return view;
}

// The key for the browser, which opens the ciphertext itself.
json releaseKey(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  const auto key = keyOf(tools, opening.item, opening.record);
  recordOpen(tools, call, opening, "browser");
  return {{"key", crypto::base64(key.view())},
          {"id", std::to_string(opening.item.contentId)},
          {"size", opening.content ? opening.content->sealedSize : 0}};
}

json pieceOf(std::string_view bytes, const Args& args) {
  const auto offset = args.number("offset", 0, 0, bytes.size());
  const auto length = args.number("length", PieceSize, 1, PieceSize);
  return {{"bytes", crypto::base64(bytes.substr(offset, length))}, {"total", bytes.size()}};
}

// Ciphertext only.
json content(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  const auto file = tools.context.vault.get(opening.item.contentId);
  if (!file) refuseGone();
  return pieceOf(*file, call.args);
}

json part(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  const auto inside = open(tools, opening);
  mail::MimeLimits limits;
  limits.keepContent = true;
  const auto parsed = mail::Message::parse(inside.message);
  const auto number = call.args.number("part", 0, 0, 100'000);
  if (!parsed) refuseGone();
  const auto tree = mail::MimeTree::parse(*parsed, limits);
  if (number >= tree.parts().size() || tree.parts()[number].filename.empty())
    refuse("not-found", "there is no such attachment");
  const auto& part = tree.parts()[number];
  if (call.args.number("offset", 0, 0, INT64_MAX) == 0) recordOpen(tools, call, opening, "page");
  auto view = pieceOf(part.content, call.args);
  view["name"] = mail::repairUtf8(part.filename);
  view["type"] = mail::repairUtf8(part.type);
  return view;
}

json wholeMessage(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  const auto inside = open(tools, opening);
  if (call.args.number("offset", 0, 0, INT64_MAX) == 0) recordOpen(tools, call, opening, "download");
  return pieceOf(inside.message, call.args);
}

json reply(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  const bool toList = call.args.word("to", "sender", {"sender", "list"}) == "list";
  const auto text = call.args.bytes("text", 200'000);
  if (!mail::isUtf8(text) || text.find_first_not_of(" \t\r\n") == text.npos)
    refuse("invalid", "there is nothing to send", "write something first");
  if (toList && (!opening.settings.replyToList || !opening.list.open))
    refuse("denied", "replies to this list are not allowed here", "reply to the sender instead");
  const auto post = sendPickupReply(tools, opening.item, text, toList);
  call.note.text("to", toList ? "list" : "sender");
  if (post != 0) call.note.number("post", post);
  return change(tools, call, [](SiteTables&) { return json{{"sent", true}}; });
}

json reportProblem(OrderTools& tools, const OrderCall& call) {
  const auto opening = requireOpening(tools, call);
  const auto words = call.args.text("words", 500);
  call.note.reasonText = words;
  return change(tools, call, [&](SiteTables& tables) {
    tables.pickup.recordReport(opening.item.id, tools.now(), words);
    tellOfProblem(tools, tables, opening.item, opening.list.address);
    return json{{"noted", true}};
  });
}

constexpr OrderRow Rows[] = {
    {"pickup.inbox", OrderKind::Reads, inbox, Anybody},
    {"pickup.message", OrderKind::Reads, message, Anybody},
    {"pickup.read", OrderKind::Changes, readMessage, Anybody},
    {"pickup.key", OrderKind::Changes, releaseKey, Anybody},
    {"pickup.content", OrderKind::Reads, content, Anybody},
    {"pickup.part", OrderKind::Changes, part, Anybody},
    {"pickup.whole", OrderKind::Changes, wholeMessage, Anybody},
    {"pickup.reply", OrderKind::Changes, reply, Anybody},
    {"pickup.report", OrderKind::Changes, reportProblem, Anybody},
};

}  // namespace

std::span<const OrderRow> pickupReadOrders() {
  return Rows;
}

}  // namespace postern::listd
