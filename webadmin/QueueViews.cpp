#include "webadmin/QueueViews.h"

#include "webadmin/Http.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::views {

using nlohmann::json;

std::string queuePath(std::string_view id) {
  return "/queue/" + percentEncode(id);
}

std::string priorityWord(std::string_view priority) {
  if (priority == "urgent") return "first: a notice or a report";
  if (priority == "single") return "before bulk: a message to few";
  return priority == "bulk" ? "bulk: a message to many" : "";
}

json queuedCopy(const json& copy, TimePoint now) {
  const auto id = text(copy, "id");
  const auto state = text(copy, "state");
  const bool held = state == "held";
  const bool paused = flag(copy, "paused") && !held;
  const auto list = text(copy, "list");
  const auto protection = text(copy, "protection");
  return {{"id", id},
          {"path", queuePath(id)},
          {"dropPath", queuePath(id) + "/drop"},
          {"list", list},
          {"listPath", list.empty() ? std::string() : listPath(list)},
          {"recipient", text(copy, "recipient")},
          {"destination", text(copy, "destination")},
          {"badge", badge(paused ? "paused" : state)},
          {"held", held},
          {"waits", !held},
          {"priority", priorityWord(text(copy, "priority"))},
          {"protection", words::protection(protection)},
          {"hasProtection", !protection.empty() && text(copy, "kind") == "content"},
          {"needsTls", protection == "tls"},
          {"attempts", text(copy, "attempts")},
          {"queuedAt", time(copy, "queuedAt", now)},
          {"expiresAt", time(copy, "expiresAt", now)},
          {"nextAttempt", held || paused ? json(nullptr) : time(copy, "nextAttemptAt", now)},
          {"via", text(copy, "via")},
          {"postPath", number(copy, "post") == 0 ? std::string() : postPath(text(copy, "post"))},
          {"lastReply", text(copy, "lastReply")}};
}

json attemptsOf(const json& copy, TimePoint now) {
  json rows = json::array();
  for (const auto& attempt : part(copy, "attemptList")) {
    const auto code = text(attempt, "replyCode");
    rows.push_back({{"at", time(attempt, "at", now)},
                    {"badge", badge(text(attempt, "outcome"))},
                    {"host", text(attempt, "remoteHost")},
                    {"address", text(attempt, "remoteAddress")},
                    {"reply", (code == "0" ? std::string() : code + " ") + text(attempt, "replyText")},
                    {"tls", text(part(attempt, "tls"), "version")}});
  }
  return rows;
}

}  // namespace postern::webadmin::views
