#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/archive/Archive.h"
#include "listd/reports/OwnerNotice.h"
#include "listd/search/MessageCard.h"
#include "listd/search/SearchOrders.h"

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

json attachmentsOf(const mail::MimeTree& tree) {
  auto items = json::array();
  for (const auto& part : tree.parts())
    if (!part.filename.empty())
      items.push_back({{"name", mail::repairUtf8(part.filename)}, {"type", part.type}, {"size", part.size}});
  return items;
}

// The first part that a reader would see as a page; whoever shows it cleans it.
std::string htmlOf(const mail::MimeTree& tree) {
  for (const auto& part : tree.parts())
    if (part.type == "text/html" && part.disposition != "attachment") return part.text;
  return {};
}

// As every order that looks: what cannot be recorded is not shown.
json readObject(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("object");
  call.note.objectType = "object";
  call.note.objectId = std::to_string(id);
  call.note.reasonText = call.args.text("reason", 500);
  std::vector<std::uint64_t> lists;
  tools.context.site.read([&](SiteTables& tables) {
    call.note.matterId = requireMatter(tables, call.args, false);
    const auto message = tables.archive.message(id);
    if (!message) refuse("not-found", "there is no message " + std::to_string(id));
    for (const auto& reference : message->references) lists.push_back(reference.listId);
    if (!message->references.empty()) call.note.listId = message->references.front().listId;
  });
  const auto content = Archive(tools.context).open(id);
  const auto message = mail::Message::parse(content.value_or(std::string()));
  if (!content || !message)
    refuse("refused", "the content of this message cannot be read", "it may be destroyed or damaged");
  tools.context.site.write(
      [&](SiteTables& tables) { tellOwners(tools.context, tables, lists, call.note.matterId, tools.now()); });
  const auto card = MessageCard::read(*content, true);
  const auto tree = mail::MimeTree::parse(*message);
  return {{"object", std::to_string(id)},
          {"subject", card.subject},
          {"from", card.from},
          {"to", card.to},
          {"date", card.date},
          {"text", card.text},
          {"html", htmlOf(tree)},
          {"attachments", attachmentsOf(tree)},
          {"sealed", card.sealed}};
}

constexpr OrderRow Table[] = {{"object.read", OrderKind::Looks, readObject, {Role::Officer}}};

}  // namespace

std::span<const OrderRow> readOrders() {
  return Table;
}

}  // namespace postern::listd
