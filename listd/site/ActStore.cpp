#include "listd/site/ActStore.h"

namespace postern::listd {

void ActStore::add(const Act& act) {
  database_.prepare("INSERT INTO acts (at, actor_kind, actor_name, act, object, outcome) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(act.at, act.actorKind, act.actorName, act.order, act.object, act.outcome)
      .run();
}

std::vector<Act> ActStore::newest(std::uint32_t limit) const {
  auto select =
      database_.prepare("SELECT at, actor_kind, actor_name, act, object, outcome FROM acts ORDER BY id DESC LIMIT ?");
  select.bind(limit);
  std::vector<Act> acts;
  while (select.step())
    acts.push_back({select.time(0), select.text(1), select.text(2), select.text(3), select.text(4), select.text(5)});
  return acts;
}

}  // namespace postern::listd
