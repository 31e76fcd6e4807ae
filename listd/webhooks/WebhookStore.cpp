#include "listd/webhooks/WebhookStore.h"

namespace postern::listd {
namespace {

constexpr std::string_view Columns =
    "SELECT w.id, w.account, w.url, w.salt, w.added_by, w.added_at, w.state, w.failing_since, w.rests_until, "
    "w.last_at, "
    "w.last_answer, (SELECT count(*) FROM webhook_events e WHERE e.webhook_id = w.id AND e.done_at = 0) FROM webhooks "
    "w ";

Webhook readRow(const store::Statement& row) {
  Webhook hook;
  hook.id = row.unsignedInteger(0);
  hook.account = row.text(1);
  hook.url = row.text(2);
  hook.salt = row.blob(3);
  hook.addedBy = row.text(4);
  hook.addedAt = row.time(5);
  hook.on = row.view(6) == "on";
  hook.failingSince = row.time(7);
  hook.restsUntil = row.time(8);
  hook.lastAt = row.time(9);
  hook.lastAnswer = row.text(10);
  hook.waiting = row.unsignedInteger(11);
  return hook;
}

}  // namespace

std::optional<std::uint64_t> WebhookStore::add(const Webhook& webhook) {
  auto insert = database_.prepare(
      "INSERT INTO webhooks (account, url, salt, added_by, added_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  insert.bind(webhook.account, webhook.url, store::Blob{webhook.salt}, webhook.addedBy, webhook.addedAt).run();
  if (database_.changes() == 0) return std::nullopt;
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<Webhook> WebhookStore::find(std::uint64_t id) const {
  auto select = database_.prepare(std::string(Columns).append("WHERE w.id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readRow(select);
}

std::vector<Webhook> WebhookStore::all() const {
  auto select = database_.prepare(std::string(Columns).append("ORDER BY w.account, w.url"));
  std::vector<Webhook> hooks;
  for (select.bind(); select.step();) hooks.push_back(readRow(select));
  return hooks;
}

void WebhookStore::remove(std::uint64_t id) {
  database_.prepare("DELETE FROM webhooks WHERE id = ?").bind(id).run();
}

void WebhookStore::setOn(std::uint64_t id, bool on) {
  database_.prepare("UPDATE webhooks SET state = ?, failing_since = 0, rests_until = 0 WHERE id = ?")
      .bind(on ? "on" : "off", id)
      .run();
}

void WebhookStore::noteChanges(std::uint64_t post) {
  database_
      .prepare(
          "INSERT INTO webhook_events (webhook_id, post_id, ledger_id, event, at) "
          "SELECT w.id, p.id, g.id, g.state, ?2 FROM posts p "
          "JOIN webhooks w ON w.account = json_extract(p.client, '$.account') AND w.state = 'on' "
          "JOIN ledger g ON g.post_id = p.id AND g.kind = 'content' "
          "WHERE p.id = ?1 AND p.kind = 'domain' AND g.state IN ('delivered', 'withheld', 'failed', 'expired', "
          "'dropped') "
          "UNION ALL SELECT w.id, p.id, g.id, 'opened', ?2 FROM posts p "
          "JOIN webhooks w ON w.account = json_extract(p.client, '$.account') AND w.state = 'on' "
          "JOIN pickup_items i ON i.post_id = p.id AND i.first_opened_at > 0 "
          "JOIN ledger g ON g.id = i.id "
          "WHERE p.id = ?1 AND p.kind = 'domain' ON CONFLICT DO NOTHING")
      .bind(post, clock_.now())
      .run();
}

std::vector<WebhookEvent> WebhookStore::due(TimePoint now) const {
  auto select = database_.prepare(
      "SELECT e.id, e.webhook_id, e.post_id, e.event, e.at, e.tries, p.queue_id, g.recipient, g.protection "
      "FROM webhooks w JOIN webhook_events e ON e.id = "
      "(SELECT min(id) FROM webhook_events WHERE webhook_id = w.id AND done_at = 0) "
      "LEFT JOIN posts p ON p.id = e.post_id LEFT JOIN ledger g ON g.id = e.ledger_id "
      "WHERE w.state = 'on' AND w.rests_until <= ? ORDER BY e.id");
  std::vector<WebhookEvent> events;
  for (select.bind(now); select.step();)
    events.push_back({select.unsignedInteger(0), select.unsignedInteger(1), select.unsignedInteger(2), select.text(3),
                      select.time(4), static_cast<std::uint32_t>(select.integer(5)), select.text(6), select.text(7),
                      select.text(8)});
  return events;
}

void WebhookStore::noteTaken(const WebhookEvent& event, TimePoint now) {
  database_.prepare("UPDATE webhook_events SET tries = tries + 1, done_at = ?, told = 1 WHERE id = ?")
      .bind(now, event.id)
      .run();
  database_
      .prepare(
          "UPDATE webhooks SET failing_since = 0, rests_until = 0, last_at = ?, last_answer = 'taken' WHERE id = ?")
      .bind(now, event.webhook)
      .run();
}

void WebhookStore::noteFailure(const WebhookEvent& event, std::string_view why, TimePoint now, TimePoint restsUntil,
                               bool giveUp) {
  database_.prepare("UPDATE webhook_events SET tries = tries + 1, done_at = ? WHERE id = ?")
      .bind(giveUp ? toMicros(now) : 0, event.id)
      .run();
  database_
      .prepare(
          "UPDATE webhooks SET failing_since = CASE failing_since WHEN 0 THEN ?1 ELSE failing_since END, last_at = ?1, "
          "last_answer = ?2, rests_until = ?3 WHERE id = ?4")
      .bind(now, why, restsUntil, event.webhook)
      .run();
}

void WebhookStore::forgetBefore(TimePoint time) {
  database_.prepare("DELETE FROM webhook_events WHERE done_at > 0 AND done_at < ?").bind(time).run();
}

}  // namespace postern::listd
