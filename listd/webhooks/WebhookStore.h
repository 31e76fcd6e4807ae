#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A program that is told what became of the mail that an account sent.
struct Webhook {
  std::uint64_t id = 0;
  std::string account;
  std::string url;
  std::string salt;  // of the signing secret
  std::string addedBy;
  TimePoint addedAt;
  bool on = true;
  TimePoint failingSince;  // 0: it answers
  TimePoint restsUntil;
  TimePoint lastAt;
  std::string lastAnswer;     // "taken", or what went wrong
  std::uint64_t waiting = 0;  // events to tell
};

// One outcome of one recipient that a program is to be told.
struct WebhookEvent {
  std::uint64_t id = 0;
  std::uint64_t webhook = 0;
  std::uint64_t post = 0;
  std::string event;  // a final state of the ledger, or "opened"
  TimePoint at;
  std::uint32_t tries = 0;
  std::string queueId;
  std::string recipient;
  std::string protection;
};

// Webhooks and what they have to be told. Threads: those of the connection. Errors: Error(Store).
class WebhookStore {
public:
  // `clock` must outlive it.
  WebhookStore(store::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // Nothing: this account has one for this address already.
  std::optional<std::uint64_t> add(const Webhook& webhook);
  std::optional<Webhook> find(std::uint64_t id) const;
  std::vector<Webhook> all() const;
  void remove(std::uint64_t id);
  // On again: the next event is told at once.
  void setOn(std::uint64_t id, bool on);

  // What is final in the ledger of this post and was not noted before waits to be told from now on. Nothing for posts
  // of lists, and of accounts without a webhook.
  void noteChanges(std::uint64_t post);

  // Of each webhook that is on and does not rest, the oldest event that waits.
  std::vector<WebhookEvent> due(TimePoint now) const;
  void noteTaken(const WebhookEvent& event, TimePoint now);
  // Its events wait until `restsUntil`; this one is given up where `giveUp` says so.
  void noteFailure(const WebhookEvent& event, std::string_view why, TimePoint now, TimePoint restsUntil, bool giveUp);
  // Forgets what was told or given up before.
  void forgetBefore(TimePoint time);

private:
  store::Database& database_;
  const Clock& clock_;
};

}  // namespace postern::listd
