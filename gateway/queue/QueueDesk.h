#pragma once
#include "gateway/deliver/Deliverer.h"
#include "gateway/queue/QueueStore.h"

#include <string>
#include <string_view>

namespace postern::gateway {

// Answers what listd asks of the queue for people, and does what they want done, in JSON. Nothing in an answer says
// whom or what: a copy is its number, its domain and its state.
//
//   list          {destination trace state before after limit} -> {items[] next}; state: waiting held active
//   show          {id} -> one item, or {}
//   destinations  {limit} -> {items[] total}, those with most copies first
//   act           {action ids | destination | trace | all, reason via} -> {changed ids[] onTheWay needTls}
//                 action: retry hold release drop reroute. ids: the first thousand of those it changed. onTheWay: how
//                 many a server was being given at that moment, which may arrive all the same. needTls: of a reroute,
//                 how many go there only if the host proves a name of their domain by verified TLS.
//
// Times are microseconds since 1970. Threads: safe for all. Ownership: queue and deliverer must outlive it.
// Errors: Error(Malformed) for what it does not understand, and those of QueueStore.
class QueueDesk {
public:
  QueueDesk(QueueStore& queue, const Deliverer& deliverer) : queue_(queue), deliverer_(deliverer) {}

  std::string answer(std::string_view action, std::string_view request);

private:
  QueueStore& queue_;
  const Deliverer& deliverer_;
};

}  // namespace postern::gateway
