#include "listd/site/PostStore.h"

#include "core/base/Error.h"
#include "listd/site/ProtectionColumns.h"

#include <charconv>
#include <limits>

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, accepted_id, queue_id, list_id, message_id, out_message_id, mail_from, automatic, received_at, "
      "planned_at, size, class, vault_object, client, verdict, reason, state, reported, tries, retry_at, trouble, "
      "sent_through, recipients, delivered, deferred, failed, withheld, pending, sender_check, floor, kind, tls_ask "
      "FROM posts ";
  return sql.append(rest);
}

const char* stateWord(PostState state) {
  switch (state) {
    case PostState::Planned:
      return "planned";
    case PostState::Sent:
      return "sent";
    case PostState::Done:
      return "done";
  }
  throw Error(ErrorKind::Invariant, "a post has an unknown state");
}

PostState parseState(std::string_view word) {
  for (const auto state : {PostState::Planned, PostState::Sent, PostState::Done})
    if (word == stateWord(state)) return state;
  throw Error(ErrorKind::Store, "a post in site.db has the unknown state " + std::string(word));
}

const char* askWord(app::TlsAsk ask) {
  return ask == app::TlsAsk::Require ? "require" : ask == app::TlsAsk::Waive ? "waive" : "";
}

app::TlsAsk parseAsk(std::string_view word) {
  for (const auto ask : {app::TlsAsk::Usual, app::TlsAsk::Require, app::TlsAsk::Waive})
    if (word == askWord(ask)) return ask;
  throw Error(ErrorKind::Store, "a post in site.db asks unknown things of TLS: " + std::string(word));
}

Post readPost(const store::Statement& row) {
  Post post;
  post.id = row.unsignedInteger(0);
  post.acceptedId = row.unsignedInteger(1);
  post.queueId = row.text(2);
  post.listId = row.unsignedInteger(3);
  post.messageId = row.text(4);
  post.outMessageId = row.text(5);
  post.mailFrom = row.text(6);
  post.automatic = row.boolean(7);
  post.receivedAt = row.time(8);
  post.plannedAt = row.time(9);
  post.size = row.unsignedInteger(10);
  post.sensitivity = row.text(11);
  post.vaultObject = row.unsignedInteger(12);
  post.client = row.text(13);
  post.verdict = row.text(14);
  post.reason = row.text(15);
  post.state = parseState(row.view(16));
  post.reported = row.boolean(17);
  post.tries = static_cast<std::uint32_t>(row.integer(18));
  post.retryAt = row.time(19);
  post.trouble = row.text(20);
  post.sentThrough = row.unsignedInteger(21);
  post.counts = {row.unsignedInteger(22), row.unsignedInteger(23), row.unsignedInteger(24),
                 row.unsignedInteger(25), row.unsignedInteger(26), row.unsignedInteger(27)};
  post.senderCheck = row.text(28);
  post.floor = readFloor(row.view(29));
  post.domainMail = row.view(30) == "domain";
  post.tlsAsk = parseAsk(row.view(31));
  return post;
}

std::vector<Post> readPosts(store::Statement& select) {
  std::vector<Post> posts;
  while (select.step()) posts.push_back(readPost(select));
  return posts;
}

}  // namespace

std::uint64_t PostStore::add(const Post& post) {
  database_
      .prepare(
          "INSERT INTO posts (accepted_id, queue_id, list_id, message_id, out_message_id, mail_from, automatic, "
          "received_at, planned_at, size, class, vault_object, client, verdict, reason, state, recipients, "
          "withheld, pending, sender_check, floor, kind, tls_ask) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
          "?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(post.acceptedId, post.queueId, post.listId, post.messageId, post.outMessageId, post.mailFrom,
            post.automatic, post.receivedAt, post.plannedAt, post.size, post.sensitivity, post.vaultObject, post.client,
            post.verdict, post.reason, stateWord(post.state), post.counts.recipients, post.counts.withheld,
            post.counts.pending, post.senderCheck, floorWord(post.floor), post.domainMail ? "domain" : "list",
            askWord(post.tlsAsk))
      .run();
  const auto id = static_cast<std::uint64_t>(database_.lastInsertId());
  if (!post.journey.empty())
    database_.prepare("INSERT INTO journeys (post_id, hops) VALUES (?, ?)").bind(id, post.journey).run();
  return id;
}

std::string PostStore::journeyOf(std::uint64_t id) const {
  auto select = database_.prepare("SELECT hops FROM journeys WHERE post_id = ?");
  return select.bind(id).step() ? select.text(0) : std::string();
}

std::optional<Post> PostStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("WHERE id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readPost(select);
}

bool PostStore::isKnown(std::uint64_t acceptedId, std::string_view queueId) const {
  auto select = database_.prepare("SELECT 1 FROM posts WHERE accepted_id = ? AND queue_id = ? LIMIT 1");
  return select.bind(acceptedId, queueId).step();
}

bool PostStore::exists(std::uint64_t acceptedId, std::string_view queueId, std::uint64_t listId) const {
  auto select = database_.prepare("SELECT 1 FROM posts WHERE accepted_id = ? AND queue_id = ? AND list_id = ?");
  return select.bind(acceptedId, queueId, listId).step();
}

std::vector<PostStore::OfMessage> PostStore::ofMessage(std::string_view queueId) const {
  auto select = database_.prepare("SELECT id, list_id FROM posts WHERE queue_id = ? ORDER BY id LIMIT 1000");
  select.bind(queueId);
  std::vector<OfMessage> found;
  while (select.step()) found.push_back({select.unsignedInteger(0), select.unsignedInteger(1)});
  return found;
}

std::optional<Post> PostStore::findByAnyId(std::string_view id) const {
  for (const char* where :
       {"WHERE message_id = ? ORDER BY id DESC LIMIT 1", "WHERE queue_id = ? ORDER BY id DESC LIMIT 1"}) {
    auto select = database_.prepare(rowsWhere(where));
    if (select.bind(id).step()) return readPost(select);
  }
  std::uint64_t number = 0;
  const auto end = id.data() + id.size();
  if (const auto read = std::from_chars(id.data(), end, number); read.ec == std::errc() && read.ptr == end)
    return find(number);
  return std::nullopt;
}

std::vector<std::uint64_t> PostStore::toSend(TimePoint now, std::uint32_t limit) const {
  auto select =
      database_.prepare("SELECT id FROM posts WHERE state = 'planned' AND retry_at <= ? ORDER BY retry_at, id LIMIT ?");
  select.bind(now, limit);
  std::vector<std::uint64_t> ids;
  while (select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

std::optional<TimePoint> PostStore::nextRetry() const {
  auto select = database_.prepare("SELECT min(retry_at) FROM posts WHERE state = 'planned'");
  if (!select.bind().step() || select.isNull(0)) return std::nullopt;
  return select.time(0);
}

std::vector<Post> PostStore::inTrouble(std::uint32_t limit) const {
  auto select =
      database_.prepare(rowsWhere("WHERE state = 'planned' AND retry_at > 0 AND trouble <> '' ORDER BY +id LIMIT ?"));
  select.bind(limit);
  return readPosts(select);
}

void PostStore::setSentThrough(std::uint64_t id, std::uint64_t copyKey) {
  database_.prepare("UPDATE posts SET sent_through = max(sent_through, ?), tries = 0, trouble = '' WHERE id = ?")
      .bind(copyKey, id)
      .run();
}

void PostStore::finishSending(std::uint64_t id) {
  database_
      .prepare(
          "UPDATE posts SET state = CASE WHEN pending > 0 THEN 'sent' ELSE 'done' END, trouble = '', tries = 0, "
          "retry_at = 0 WHERE id = ?")
      .bind(id)
      .run();
}

void PostStore::setState(std::uint64_t id, PostState state) {
  database_.prepare("UPDATE posts SET state = ? WHERE id = ?").bind(stateWord(state), id).run();
}

void PostStore::setReported(std::uint64_t id) {
  database_.prepare("UPDATE posts SET reported = 1 WHERE id = ?").bind(id).run();
}

void PostStore::setTrouble(std::uint64_t id, std::string_view trouble, std::uint32_t tries, TimePoint retryAt) {
  database_.prepare("UPDATE posts SET trouble = ?, tries = ?, retry_at = ? WHERE id = ?")
      .bind(trouble, tries, retryAt, id)
      .run();
}

void PostStore::addCounts(std::uint64_t id, const PostCounts& change) {
  database_
      .prepare(
          "UPDATE posts SET recipients = recipients + ?, delivered = delivered + ?, deferred = deferred + ?, "
          "failed = failed + ?, withheld = withheld + ?, pending = pending + ? WHERE id = ?")
      .bind(change.recipients, change.delivered, change.deferred, change.failed, change.withheld, change.pending, id)
      .run();
}

std::vector<Post> PostStore::page(std::uint64_t listId, std::uint64_t before, std::uint32_t limit) const {
  constexpr std::int64_t Newest = std::numeric_limits<std::int64_t>::max();
  const auto end = before == 0 ? Newest : static_cast<std::int64_t>(before);
  auto select = database_.prepare(rowsWhere(listId == 0 ? "WHERE id < ? ORDER BY id DESC LIMIT ?"
                                                        : "WHERE list_id = ? AND id < ? ORDER BY id "
                                                          "DESC LIMIT ?"));
  if (listId == 0)
    select.bind(end, limit);
  else
    select.bind(listId, end, limit);
  return readPosts(select);
}

std::vector<Post> PostStore::domainMailOf(std::string_view mailFrom, std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere("WHERE kind = 'domain' AND mail_from = ? ORDER BY id DESC LIMIT ?"));
  select.bind(mailFrom, limit);
  return readPosts(select);
}

std::vector<PostStore::Written> PostStore::writtenBy(std::string_view mailFrom) const {
  auto select = database_.prepare(
      "SELECT r.object_id, r.list_id FROM posts p JOIN object_references r ON r.object_id = p.vault_object AND "
      "r.list_id = p.list_id WHERE lower(p.mail_from) = ? AND r.removed_at = 0 ORDER BY r.object_id, r.list_id");
  select.bind(mailFrom);
  std::vector<Written> all;
  while (select.step()) all.push_back({select.unsignedInteger(0), select.unsignedInteger(1)});
  return all;
}

}  // namespace postern::listd
