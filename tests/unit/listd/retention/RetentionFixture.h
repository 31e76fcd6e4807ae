#pragma once
#include "core/app/GatewayLink.h"
#include "core/crypto/SealedBox.h"
#include "core/mail/Date.h"
#include "listd/archive/Archive.h"
#include "listd/expand/Intake.h"
#include "listd/retention/CertificateWriter.h"
#include "listd/retention/ClockGuard.h"
#include "listd/retention/RetentionRun.h"
#include "tests/unit/listd/ListdFixture.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace postern::test {

// "2025-03-01" or "2025-03-01T12:30:00", UTC.
inline TimePoint day(const std::string& text) {
  std::tm parts{};
  std::istringstream stream(text.size() == 10 ? text + "T00:00:00" : text);
  stream >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  BOOST_REQUIRE_MESSAGE(!stream.fail(), text);
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

// An index in memory: knows what the test says, and answers from words of the contents.
class FakeIndex : public ContentAnswers {
public:
  std::map<std::uint64_t, TimePoint> since;
  std::map<std::uint64_t, std::string> texts;
  bool broken = false;

  std::vector<std::uint64_t> find(const records::Query& query) const override {
    check();
    std::vector<std::uint64_t> found;
    for (const auto& [id, at] : since)
      if (texts.at(id).find(query.text()) != std::string::npos) found.push_back(id);
    return found;
  }
  std::vector<SearchIndex::Evaluable> allEvaluable() const override {
    check();
    std::vector<SearchIndex::Evaluable> all;
    for (const auto& [id, at] : since) all.push_back({id, at});
    return all;
  }
  std::optional<TimePoint> evaluableSince(std::uint64_t id) const override {
    check();
    const auto found = since.find(id);
    if (found == since.end()) return std::nullopt;
    return found->second;
  }
  std::vector<records::Truth> inContent(std::span<const records::Query> queries, std::string_view content,
                                        const std::vector<std::string>&) const override {
    check();
    std::vector<records::Truth> answers;
    for (const auto& query : queries)
      answers.push_back(content.find(query.text()) == std::string_view::npos ? records::Truth::False
                                                                             : records::Truth::True);
    return answers;
  }
  void forget(const std::vector<std::uint64_t>& ids) override {
    for (const auto id : ids) since.erase(id);
  }

private:
  void check() const {
    if (broken) throw Error(ErrorKind::Store, "the index is broken");
  }
};

// A site with real keys, vault and database, and a clock that the test moves.
struct Site {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{day("2016-01-01")};
  SiteContext context{config, clock};
  Intake intake{context, [] {}};
  FakeIndex index;
  ContentAnswers* answers = &index;
  std::string member = "bob@example.org";  // of every list
  GateParts parts = GateParts::of(context, &index);
  std::map<std::string, List> lists;
  std::uint64_t accepted = 0;

  const List& list(const std::string& name) {
    auto found = lists.find(name);
    if (found == lists.end()) {
      auto made = makeList(context, name + "@lists.example", true);
      context.site.write([&](SiteTables& tables) {
        made.anyonePosts = true;
        tables.lists.update(made);
      });
      addMember(context, made, member);
      found = lists.emplace(name, made).first;
    }
    return found->second;
  }

  // As time passes with a heartbeat each minute.
  void goTo(const std::string& text) {
    const auto to = day(text);
    BOOST_REQUIRE(to >= clock.now());
    clock.advance(to - clock.now());
    context.site.write([&](SiteTables& tables) { tables.retention.trustClock(to); });
  }

  // A message of ann to the lists, accepted at the time; gives its object.
  std::uint64_t receive(const std::vector<std::string>& names, const std::string& at, const std::string& body,
                        const std::string& date = {}, const std::string& from = "ann@example.org") {
    std::vector<std::string> recipients;
    for (const auto& name : names) recipients.push_back(list(name).address);
    auto submission = submissionTo(recipients, from, "canary-subject", "canary-body " + body);
    submission.receivedAt = day(at);
    const auto field = submission.content.find("\r\nDate: ") + 8;
    const auto sent = mail::formatDate(day(date.empty() ? at : date));
    submission.content.replace(field, submission.content.find("\r\n", field) - field, sent);
    const app::AcceptedItem item{++accepted, crypto::SealedBoxWriter(context.keys.vaultKeyPair().publicKey)
                                                 .seal(submission.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
    const auto post =
        context.site.read([&](SiteTables& tables) { return tables.posts.findByAnyId(submission.queueId); }).value();
    BOOST_REQUIRE(post.vaultObject != 0);
    context.site.write([&](SiteTables& tables) {
      for (const auto& one : tables.posts.page(0, 0, 10))
        if (one.vaultObject == post.vaultObject) tables.posts.setState(one.id, PostState::Done);
    });
    index.texts[post.vaultObject] = body;
    return post.vaultObject;
  }

  std::uint64_t rule(nlohmann::json json, const std::string& from = "2016-01-01") {
    if (!json.contains("name")) json["name"] = "rule";
    auto rule = records::Rule::parse(json);
    BOOST_REQUIRE_MESSAGE(rule.has_value(), (rule ? std::string() : rule.error()));
    rule->effectiveFrom = day(from);
    return context.site.write([&](SiteTables& tables) {
      return tables.rules.add({*rule, false, clock.now(), "olga", "test", 0}).rule.id;
    });
  }

  DestructionGate gate() { return DestructionGate(context, parts); }

  // A run that a second person allowed, whatever its size.
  Run run(std::uint64_t approved = 1'000'000) {
    auto destroying = gate();
    Run wanted;
    wanted.caller = callerWord(DestructionCaller::RetentionRun);
    wanted.at = wanted.startedAt = clock.now();
    wanted.startedBy = "test";
    wanted.approved = approved;
    const auto id = context.site.write([&](SiteTables& tables) { return tables.retention.addRun(wanted); });
    return RetentionRun(context, destroying, answers).go(id, [](std::uint64_t, std::uint64_t) { return true; });
  }

  bool readable(std::uint64_t object) {
    const auto content = Archive(context).open(object);
    return content && content->find("canary-body") != std::string::npos;
  }
  std::optional<Reference> reference(std::uint64_t object, const std::string& name) {
    return context.site.read([&](SiteTables& tables) { return tables.archive.reference(object, list(name).id); });
  }
  std::uint64_t lines() {
    return context.site.read([](SiteTables& tables) {
      std::uint64_t lines = 0;
      for (const auto& run : tables.retention.runs(1000)) lines += tables.retention.lineCount(run.id);
      return lines;
    });
  }

  // Kept by a run at the first time, gone by one at the second, and what gone means.
  void keptUntil(std::uint64_t object, const std::string& kept, const std::string& due) {
    goTo(kept);
    run();
    BOOST_TEST(readable(object), "kept at " << kept);
    goTo(due);
    run();
    BOOST_TEST(!readable(object), "due at " << due);
    BOOST_TEST(!context.keys.hasObjectKey(object));
  }

  records::Dates datesOf(std::uint64_t object, const std::string& name) {
    return context.site.read([&](SiteTables& tables) {
      const Assessment assessment(tables, clock.now());
      return assessment.due(*tables.archive.message(object), *tables.archive.reference(object, list(name).id)).dates;
    });
  }
};

inline nlohmann::json onList(const std::string& name) {
  return {{"lists", {name + "@lists.example"}}};
}

}  // namespace postern::test
