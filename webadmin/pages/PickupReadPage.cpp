#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "webadmin/HtmlSanitizer.h"
#include "webadmin/pages/PickupPages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// Nothing of the message's HTML may run, load or lead anywhere; only our own page may frame it.
constexpr const char* MessagePolicy =
    "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

std::string pathOf(const std::string& id) {
  return "/pickup/messages/" + percentEncode(id);
}

json attachmentViews(const json& card, const std::string& path) {
  json rows = json::array();
  for (const auto& one : views::part(card, "attachments"))
    rows.push_back({{"name", views::text(one, "name")},
                    {"type", views::text(one, "type")},
                    {"size", words::size(views::number(one, "size"))},
                    {"path", path + "/parts/" + std::to_string(views::number(one, "part"))}});
  return rows;
}

Response drawMessage(const Visit& visit, int status, const json& body, const json& refusal) {
  const auto id = visit.param("id");
  const auto shown = pickupOrder(visit, "pickup.message", {{"id", id}});
  const auto& card = views::part(shown, "card");
  const auto attachments = attachmentViews(card, pathOf(id));
  return pickupPage(visit, "pickup-message",
                    views::text(card, "subject").empty() ? "Message" : views::text(card, "subject"), status,
                    {{"refusal", refusal},
                     {"path", pathOf(id)},
                     {"id", id},
                     {"address", views::text(shown, "address")},
                     {"list", views::text(shown, "list")},
                     {"subject", views::text(card, "subject")},
                     {"from", views::text(card, "from")},
                     {"to", views::text(card, "to")},
                     {"date", views::text(card, "date")},
                     {"expiresAt", views::time(shown, "expiresAt", visit.now())},
                     {"attachments", attachments},
                     {"anyAttachments", !attachments.empty()},
                     {"closed", body.is_null()},
                     {"opened", !body.is_null()},
                     {"text", views::text(body, "text")},
                     {"html", !views::text(body, "html").empty()},
                     {"mayReplyToList", views::flag(shown, "mayReplyToList")},
                     {"reply", visit.request.form.get("text")},
                     {"sent", visit.request.query.get("done") == "sent"},
                     {"reported", visit.request.query.get("done") == "reported"}});
}

std::string bytesOf(const json& answer) {
  auto bytes = crypto::fromBase64(views::text(answer, "bytes"));
  if (!bytes) throw Error(ErrorKind::Invariant, "listd answered with bytes that are no base64");
  return std::move(*bytes);
}

// All pieces of what an order gives; `first` keeps the answer that names it.
std::string wholeOf(const Visit& visit, std::string_view order, json args, json& first) {
  std::string bytes;
  do {
    args["offset"] = bytes.size();
    auto answer = pickupOrder(visit, order, args);
    const auto piece = bytesOf(answer);
    if (bytes.empty()) first = std::move(answer);
    if (piece.empty()) break;
    bytes += piece;
  } while (bytes.size() < views::number(first, "total"));
  return bytes;
}

// Always as a file to be kept, never shown by the browser, whatever the message calls it.
Response download(std::string name, std::string bytes) {
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '/') c = '_';
  std::string plain;
  for (const char c : name) plain += static_cast<unsigned char>(c) < 0x7f ? c : '_';
  Response response;
  response.contentType = "application/octet-stream";
  response.body = std::move(bytes);
  response.headers.emplace_back("Content-Disposition",
                                "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + percentEncode(name));
  return response;
}

}  // namespace

Response pickupInbox(Visit& visit) {
  try {
    json args = json::object();
    if (const auto after = visit.request.query.get("after"); !after.empty()) args["after"] = after;
    const auto inbox = pickupOrder(visit, "pickup.inbox", args);
    json rows = json::array();
    for (const auto& item : views::part(inbox, "items")) {
      const auto reading = views::text(item, "reading");
      const auto state = views::text(item, "state");
      const auto& card = views::part(item, "card");
      const auto subject = views::text(card, "subject");
      rows.push_back({{"path", pathOf(views::text(item, "id"))},
                      {"readable", reading == "allowed"},
                      {"locked", reading == "locked"},
                      {"asks", reading == "asks"},
                      {"recalled", state == "recalled"},
                      {"expired", state != "recalled" && reading == "gone"},
                      {"unread", views::number(item, "firstOpenedAt") == 0 && reading == "allowed"},
                      {"subject", subject.empty() ? "(no subject)" : subject},
                      {"from", views::text(card, "from")},
                      {"list", views::text(item, "list")},
                      {"createdAt", views::time(item, "createdAt", visit.now())},
                      {"expiresAt", views::time(item, "expiresAt", visit.now())}});
    }
    return pickupPage(visit, "pickup-inbox", "Your secure mail", 200,
                      {{"address", views::text(inbox, "address")},
                       {"items", rows},
                       {"any", !rows.empty()},
                       {"next", views::text(inbox, "next")}});
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

// From SecureMessageATT.html: the number of a content, of which the person has an item or not.
Response pickupAttached(Visit& visit) {
  const auto content = visit.request.query.get("content");
  if (content.empty() || content.find_first_not_of("0123456789") != content.npos)
    return Response::redirect("/pickup/messages");
  return Response::redirect(pathOf(content));
}

Response pickupMessage(Visit& visit) {
  try {
    return drawMessage(visit, 200, nullptr, nullptr);
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

// The answer to the form itself: opening is an act of the person, and a reload asks again.
Response pickupRead(Visit& visit) {
  try {
    const auto body = pickupOrder(visit, "pickup.read", {{"id", visit.param("id")}});
    return drawMessage(visit, 200, body, nullptr);
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupHtml(Visit& visit) {
  try {
    const auto body = pickupOrder(visit, "pickup.read", {{"id", visit.param("id")}});
    Response response;
    response.body = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Message</title>" +
                    sanitizeHtml(views::text(body, "html"));
    response.policy = MessagePolicy;
    return response;
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupKey(Visit& visit) {
  return jsonResponse(200, pickupOrder(visit, "pickup.key", {{"id", visit.param("id")}}));
}

Response pickupContent(Visit& visit) {
  json first;
  Response response;
  response.contentType = "application/octet-stream";
  response.body = wholeOf(visit, "pickup.content", {{"id", visit.param("id")}}, first);
  return response;
}

Response pickupPart(Visit& visit) {
  try {
    json first;
    auto bytes = wholeOf(visit, "pickup.part", {{"id", visit.param("id")}, {"part", visit.param("part")}}, first);
    return download(views::text(first, "name"), std::move(bytes));
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupWhole(Visit& visit) {
  try {
    json first;
    auto bytes = wholeOf(visit, "pickup.whole", {{"id", visit.param("id")}}, first);
    return download("message.eml", std::move(bytes));
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

Response pickupReply(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    pickupOrder(visit, "pickup.reply",
                {{"id", visit.param("id")}, {"text", form.get("text")}, {"to", form.get("to", "sender")}});
    return Response::redirect(pathOf(visit.param("id")) + "?done=sent");
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "invalid") return pickupRefused(visit, refused);
    return drawMessage(visit, 422, nullptr, views::refusal(refused));
  }
}

Response pickupReport(Visit& visit) {
  try {
    pickupOrder(visit, "pickup.report", {{"id", visit.param("id")}, {"words", visit.request.form.get("words")}});
    return Response::redirect(pathOf(visit.param("id")) + "?done=reported");
  } catch (const app::OrderRefused& refused) {
    return pickupRefused(visit, refused);
  }
}

}  // namespace postern::webadmin::pages
