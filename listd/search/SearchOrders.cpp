#include "listd/search/SearchOrders.h"

#include "core/base/Codec.h"
#include "core/crypto/Encoding.h"
#include "listd/archive/Archive.h"
#include "listd/export/Exporter.h"
#include "listd/retention/Retention.h"
#include "listd/search/IndexWorker.h"
#include "listd/search/MessageCard.h"

#include <algorithm>
#include <map>

namespace postern::listd {
namespace {

using nlohmann::json;
using records::Predicate;
using records::Query;
using records::Truth;

constexpr std::size_t MaxQuery = 4000;
constexpr std::uint64_t MostRows = 50;  // each row is opened from the vault
// Beyond this a search says "more than": a word that stands in half of the archive costs no more than a rare one.
constexpr std::uint64_t CountedHits = 10'000;

constexpr const char* Help[][2] = {
    {"dialysis kidney", "both words, anywhere"},
    {"\"renal failure\"", "the words one after another"},
    {"dialysis OR kidney", "either"},
    {"-draft", "without the word"},
    {"subject:budget", "in the subject; also body: and attachment:"},
    {"from:bob@example.org", "sender; to: for who it was for; @example.org for a whole domain"},
    {"list:board@lists.example.org", "posted to the list"},
    {"header:x-record=clinical", "in another header field"},
    {"after:2025-01-01 before:2025-02-01", "received from the first day on, and before the second"},
    {"larger:1M", "at least so large; smaller: at most"},
};

SearchIndex& indexOf(OrderTools& tools) {
  if (tools.search == nullptr) refuse("unavailable", "there is no search index here");
  return *tools.search;
}

// Answers conditions on dates, sizes and lists from the rows of messages: one by one while few are asked for, and with
// one look at the whole archive from then on. Valid within one transaction.
class Facts {
public:
  explicit Facts(SiteTables& tables) : tables_(tables) {
    for (auto& list : tables.lists.all()) lists_.emplace(list.id, std::move(list));
  }

  bool isTrue(const Predicate& predicate, std::uint64_t id) {
    if (asked_ < AskedOneByOne) {
      ++asked_;
      if (needsObjectAlone(predicate)) {  // one statement in place of four
        auto object = tables_.archive.storedFacts(id);
        return object && matches(predicate, {std::move(*object), {}, {}, false});
      }
      const auto message = tables_.archive.message(id);
      return message && message->object.state == ObjectState::Stored && matches(predicate, *message);
    }
    const auto& ids = scanned(predicate);
    return std::binary_search(ids.begin(), ids.end(), id);
  }

  // Ascending.
  std::vector<std::uint64_t> matching(const Predicate& predicate) const {
    std::vector<std::uint64_t> ids;
    tables_.archive.scan([&](const ArchivedMessage& message) {
      if (matches(predicate, message)) ids.push_back(message.object.id);
    });
    std::sort(ids.begin(), ids.end());
    return ids;
  }

private:
  static constexpr std::size_t AskedOneByOne = 10'000;

  const std::vector<std::uint64_t>& scanned(const Predicate& predicate) {
    const auto known =
        std::find_if(scanned_.begin(), scanned_.end(), [&](const auto& one) { return one.first == predicate; });
    if (known != scanned_.end()) return known->second;
    return scanned_.emplace_back(predicate, matching(predicate)).second;
  }

  static bool needsObjectAlone(const Predicate& predicate) {
    return predicate.lists.empty() && predicate.listClasses.empty() && predicate.domains.empty() &&
           predicate.labels.empty();
  }

  bool matches(const Predicate& predicate, const ArchivedMessage& message) const {
    std::vector<records::Facts::ListFacts> on;
    for (const auto& reference : message.references) {
      const auto list = lists_.find(reference.listId);
      if (list != lists_.end()) on.push_back({list->second.address, list->second.domain, list->second.sensitivity});
    }
    records::Facts facts;
    facts.objectId = message.object.id;
    facts.lists = on;
    facts.receivedAt = message.object.receivedAt;
    facts.headerDate = message.object.headerDate;
    facts.size = message.object.size;
    facts.sensitivity = message.object.sensitivity;
    facts.labels = message.labels;
    return predicate.matchesFacts(facts) == Truth::True;
  }

  SiteTables& tables_;
  std::map<std::uint64_t, List> lists_;
  std::size_t asked_ = 0;
  std::vector<std::pair<Predicate, std::vector<std::uint64_t>>> scanned_;
};

// The objects that a query, a scope or both are true for, ascending. What was destroyed a moment ago may be among them.
std::vector<std::uint64_t> idsFor(const SearchIndex& index, SiteTables& tables, const Query* query,
                                  const Predicate& scope, std::uint64_t enough = UINT64_MAX) {
  Facts facts(tables);
  if (query == nullptr) return facts.matching(scope);
  auto ids = index.findSome(
      *query, [&](const Predicate& predicate, std::uint64_t id) { return facts.isTrue(predicate, id); }, enough);
  if (scope != Predicate()) std::erase_if(ids, [&](std::uint64_t id) { return !facts.isTrue(scope, id); });
  return ids;
}

std::uint64_t notEvaluable(const SearchIndex& index, SiteTables& tables, const Query* query) {
  const auto indexed = index.counts().indexed;
  const auto stored = tables.archive.count();
  return query == nullptr || stored < indexed ? 0 : stored - indexed;
}

Selection::Hit hitOf(const StoredObject& object) {
  return {object.id, object.receivedAt, object.size};
}

json rowOf(OrderTools& tools, const StoredObject& hit) {
  json row = {{"object", std::to_string(hit.id)},
              {"receivedAt", toMicros(hit.receivedAt)},
              {"size", hit.size},
              {"lists", json::array()}};
  tools.context.site.read([&](SiteTables& tables) {
    if (const auto message = tables.archive.message(hit.id))
      for (const auto& reference : message->references)
        if (const auto list = tables.lists.find(reference.listId)) row["lists"].push_back(list->address);
  });
  const auto content = Archive(tools.context).open(hit.id);
  const auto card = content ? MessageCard::read(*content) : MessageCard();
  row["subject"] = card.subject;
  row["from"] = card.from;
  row["to"] = card.to;
  row["attachments"] = card.attachments;
  return row;
}

// What the audit log gets of a query: its text only within a matter, and sealed, for auditors of the whole site and
// whoever holds an export of the log may read that.
void noteQuery(const OrderTools& tools, const OrderCall& call, std::uint64_t matter, const Query& query) {
  call.note.objectType = "search";
  call.note.matterId = matter;
  if (matter != 0) call.note.text("query", crypto::base64(sealForMatter(tools.context, matter, query.text())));
}

void noteScope(const OrderCall& call, std::uint64_t matter) {
  call.note.objectType = "search";
  call.note.matterId = matter;
}

// What a search asks: words, a scope, or both.
struct Question {
  std::optional<Query> query;  // with the conditions of the scope on content
  Predicate scope;             // the other conditions
};

Question questionOf(const Args& args) {
  Question question;
  auto given = args.value("scope");
  if (given.is_string()) given = json::parse(given.get<std::string>(), nullptr, false);
  std::string content;
  if (!given.is_null() && given != json::object()) {
    auto scope = Predicate::parse(given);
    if (!scope) refuse("invalid", "the scope cannot be used: " + scope.error());
    question.scope = std::move(*scope);
    content = question.scope.contentQuery();
    for (auto* values : {&question.scope.senders, &question.scope.recipients, &question.scope.addresses})
      values->clear();
    question.scope.headers.clear();
    question.scope.query.clear();
  }
  const bool hasText = args.has("query") && !args.bytes("query", MaxQuery).empty();
  if (hasText && content.empty()) {
    question.query = requireQuery(args);
  } else if (!content.empty()) {
    auto query = Query::parse(hasText ? "(" + requireQuery(args).text() + ") " + content : content);
    if (!query) refuse("invalid", query.error(), "search.check explains the language");
    question.query = std::move(*query);
  } else if (question.scope == Predicate()) {
    question.query = requireQuery(args);  // says what is missing
  }
  return question;
}

// Whether holds keep a message: asked for the rows of one page, so only their objects are looked at.
class HeldFlags {
public:
  HeldFlags(OrderTools& tools, SiteTables& tables) : assessment_(tables, tools.now()) {
    if (tools.retention == nullptr || tools.retention->answers() == nullptr) return;
    const auto queries = assessment_.queries();
    assessment_.answerWith(indexTruthOfFew(tools.retention->answers(), queries));
  }
  bool of(const ArchivedMessage& message) const { return assessment_.held(message); }

private:
  Assessment assessment_;
};

// One page, so that a word which stands in every message costs no more than a rare one: only its rows are read.
struct Found {
  std::uint64_t hits = 0;
  bool moreThan = false;  // there are more than `hits`, and they were not counted
  std::uint64_t notEvaluable = 0;
  std::vector<StoredObject> rows;
  bool more = false;
};

struct PageWanted {
  ArchiveStore::Order order = ArchiveStore::Order::Newest;
  std::uint64_t after = 0;  // the last object of the page before
  std::uint64_t limit = 0;
};

// The next rows of very many hits, from a look at what came next rather than at the whole index. Nothing: the hits lie
// too far from there.
std::optional<std::vector<StoredObject>> nextOfMany(const SearchIndex& index, SiteTables& tables, const Query& query,
                                                    const PageWanted& wanted) {
  constexpr std::size_t FirstLook = 1024, LastLook = 32'768;
  Facts facts(tables);
  const auto isTrue = [&](const Predicate& predicate, std::uint64_t id) { return facts.isTrue(predicate, id); };
  std::vector<StoredObject> rows;
  auto after = wanted.after;
  for (auto look = FirstLook; look <= LastLook; look *= 2) {
    const auto next = tables.archive.receivedNext(wanted.order, after, look);
    auto ascending = next;
    std::sort(ascending.begin(), ascending.end());
    const auto hits = index.findAmong(query, isTrue, ascending);
    for (const auto id : next) {
      if (!std::binary_search(hits.begin(), hits.end(), id)) continue;
      if (auto object = tables.archive.storedFacts(id)) rows.push_back(std::move(*object));
      if (rows.size() == wanted.limit) return rows;
    }
    if (next.size() < look) return rows;
    after = next.back();
  }
  return std::nullopt;
}

Found findIn(const SearchIndex& index, SiteTables& tables, const Question& question, PageWanted wanted) {
  const auto* query = question.query ? &*question.query : nullptr;
  const bool bounded = query != nullptr && question.scope == Predicate();
  Found found;
  found.notEvaluable = notEvaluable(index, tables, query);
  const bool counted = wanted.limit == 0;
  if (!counted) ++wanted.limit;  // one more tells whether there is another page
  auto ids = idsFor(index, tables, query, question.scope, bounded ? CountedHits + 1 : UINT64_MAX);
  found.hits = ids.size();
  if (bounded && ids.size() > CountedHits) {
    found.hits = CountedHits;
    found.moreThan = true;
    if (counted) return found;
    if (auto rows = nextOfMany(index, tables, *query, wanted))
      found.rows = std::move(*rows);
    else
      found.rows = tables.archive
                       .byReceipt(idsFor(index, tables, query, question.scope, UINT64_MAX), wanted.order, wanted.after,
                                  wanted.limit)
                       .objects;
  } else {
    auto page = tables.archive.byReceipt(ids, wanted.order, wanted.after, wanted.limit);
    found.hits = page.stored.value_or(found.hits);
    found.rows = std::move(page.objects);
  }
  found.more = !counted && found.rows.size() == wanted.limit;
  if (found.more) found.rows.pop_back();
  return found;
}

Found findPage(OrderTools& tools, const OrderCall& call, const Question& question) {
  PageWanted wanted;
  if (call.args.word("sort", "newest", {"newest", "oldest"}) == "oldest") wanted.order = ArchiveStore::Order::Oldest;
  wanted.after = call.args.has("after") ? call.args.id("after") : 0;
  wanted.limit = call.args.flag("count") ? 0 : call.args.number("limit", 20, 1, MostRows);
  const auto& index = indexOf(tools);
  return tools.context.site.read([&](SiteTables& tables) { return findIn(index, tables, question, wanted); });
}

json search(OrderTools& tools, const OrderCall& call) {
  const auto question = questionOf(call.args);
  const auto matter =
      tools.context.site.read([&](SiteTables& tables) { return requireMatter(tables, call.args, false); });
  const auto found = findPage(tools, call, question);
  if (question.query)
    noteQuery(tools, call, matter, *question.query);
  else
    noteScope(call, matter);
  call.note.number("hits", found.hits).number("notEvaluable", found.notEvaluable);
  if (found.moreThan) call.note.text("moreThan", "yes");
  json result = {{"hits", found.hits},
                 {"moreThan", found.moreThan},
                 {"notEvaluable", found.notEvaluable},
                 {"items", json::array()},
                 {"next", ""}};
  if (call.args.flag("count")) return result;
  for (const auto& row : found.rows) result["items"].push_back(rowOf(tools, row));
  if (!result["items"].empty())
    tools.context.site.read([&](SiteTables& tables) {
      const HeldFlags held(tools, tables);
      for (auto& item : result["items"]) {
        const auto message = tables.archive.message(std::stoull(item.at("object").get<std::string>()));
        item["held"] = message && held.of(*message);
      }
    });
  if (found.more && !found.rows.empty()) result["next"] = std::to_string(found.rows.back().id);
  call.note.number("shown", result["items"].size());
  return result;
}

json checkQuery(OrderTools&, const OrderCall& call) {
  json help = json::array();
  for (const auto& [example, words] : Help) help.push_back({{"example", example}, {"words", words}});
  const auto query = Query::read(call.args.has("query") ? call.args.bytes("query", MaxQuery) : std::string());
  if (query) return {{"ok", true}, {"normalised", query->text()}, {"error", ""}, {"position", 0}, {"help", help}};
  return {{"ok", false},
          {"normalised", ""},
          {"error", query.error().text},
          {"position", query.error().position},
          {"help", help}};
}

json viewOf(const SiteContext& context, const SavedSearch& saved) {
  return {{"id", saved.id},
          {"matter", saved.matterId},
          {"name", saved.name},
          {"query", openForMatter(context, saved.matterId, saved.sealedQuery)},
          {"savedAt", toMicros(saved.savedAt)},
          {"savedBy", saved.savedBy}};
}

json saveSearch(OrderTools& tools, const OrderCall& call) {
  const auto query = requireQuery(call.args);
  SavedSearch saved;
  saved.name = call.args.text("name", 120);
  saved.savedAt = tools.now();
  saved.savedBy = call.actor.name;
  return change(tools, call, [&](SiteTables& tables) {
    saved.matterId = requireMatter(tables, call.args, true);
    saved.sealedQuery = sealForMatter(tools.context, saved.matterId, query.text());
    const auto id = tables.search.save(saved);
    if (!id) refuse("exists", "the matter has a search of that name already", "remove it first, or take another name");
    saved.id = *id;
    noteQuery(tools, call, saved.matterId, query);
    call.note.objectId = std::to_string(saved.id);
    return viewOf(tools.context, saved);
  });
}

json listSearches(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    json items = json::array();
    for (const auto& saved : tables.search.savedIn(requireMatter(tables, call.args, true)))
      items.push_back(viewOf(tools.context, saved));
    return json{{"items", items}, {"next", ""}};
  });
}

json removeSearch(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto id = call.args.id("id");
    const auto saved = tables.search.savedSearch(id);
    if (!saved) refuse("not-found", "there is no such saved search");
    call.note.objectType = "search";
    call.note.objectId = std::to_string(id);
    call.note.matterId = saved->matterId;
    tables.search.removeSaved(id);
    return json::object();
  });
}

json indexStatus(OrderTools& tools, const OrderCall&) {
  const auto counts = indexOf(tools).counts();
  const auto stored = tools.context.site.read([](SiteTables& tables) { return tables.archive.count(); });
  const auto known = counts.indexed + counts.unreadable;
  json job = nullptr;
  if (tools.jobs != nullptr)
    for (const auto& one : tools.jobs->newest(100))
      if (one.kind == RebuildJob && job.is_null())
        job = {
            {"id", one.id}, {"state", one.state}, {"done", one.done}, {"total", one.total}, {"message", one.message}};
  return {{"indexed", counts.indexed},
          {"unreadable", counts.unreadable},
          {"pending", stored > known ? stored - known : 0},
          {"job", job}};
}

json rebuildIndex(OrderTools& tools, const OrderCall& call) {
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  const auto id = change(tools, call, [&](SiteTables& tables) {
    return tools.jobs->start(tables, RebuildJob, json::object(), call.actor.name);
  });
  tools.jobs->wake();
  return {{"job", id}};
}

constexpr auto Officer = app::Role::Officer;
constexpr auto Auditor = app::Role::Auditor;
constexpr auto Admin = app::Role::Admin;
constexpr OrderRow Table[] = {
    {"search", OrderKind::Looks, search, {Officer}},
    {"search.check", OrderKind::Reads, checkQuery, {Officer | Auditor}},
    {"search.save", OrderKind::Changes, saveSearch, {Officer}},
    {"search.list", OrderKind::Reads, listSearches, {Officer}},
    {"search.remove", OrderKind::Changes, removeSearch, {Officer}},
    {"index.status", OrderKind::Reads, indexStatus, {Officer | Admin}},
    {"index.rebuild", OrderKind::Changes, rebuildIndex, {Officer | Admin}},
};

}  // namespace

json savedSearchesOf(const SiteContext& context, SiteTables& tables, std::uint64_t matterId) {
  json items = json::array();
  for (const auto& saved : tables.search.savedIn(matterId)) items.push_back(viewOf(context, saved));
  return items;
}

std::span<const OrderRow> searchOrders() {
  return Table;
}

void addSearchJobs(JobRunner& jobs, SiteContext& context, SearchIndex& index) {
  jobs.add(RebuildJob, rebuildWork(context, index));
  jobs.add(ExportJob, exportWork(context));
}

records::Query requireQuery(const Args& args, std::string_view argument) {
  const auto text = args.bytes(argument, MaxQuery);
  auto query = Query::parse(text);
  if (!query) refuse("invalid", query.error(), "search.check explains the language");
  return std::move(*query);
}

std::uint64_t requireMatter(SiteTables& tables, const Args& args, bool needed) {
  if (!needed && !args.has("matter")) return 0;
  const auto id = args.id("matter");
  if (!tables.matters.find(id)) refuse("not-found", "there is no matter " + std::to_string(id));
  return id;
}

Selection select(OrderTools& tools, const records::Query& query) {
  return select(tools, &query, Predicate());
}

Selection select(OrderTools& tools, const records::Query* query, const Predicate& scope) {
  const auto& index = indexOf(tools);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto ids = idsFor(index, tables, query, scope);
    Selection selection;
    for (const auto id : ids)
      if (const auto object = tables.archive.find(id); object && object->state == ObjectState::Stored)
        selection.hits.push_back(hitOf(*object));
    selection.notEvaluable = notEvaluable(index, tables, query);
    std::sort(selection.hits.begin(), selection.hits.end(), [](const auto& a, const auto& b) {
      return std::pair(b.receivedAt, b.objectId) < std::pair(a.receivedAt, a.objectId);
    });
    return selection;
  });
}

}  // namespace postern::listd
