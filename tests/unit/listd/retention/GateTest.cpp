#include "tests/unit/listd/retention/RetentionFixture.h"

#include <fstream>
#include <set>

using namespace postern;
using namespace postern::test;

namespace {

struct DueSite : Site {
  std::uint64_t object = 0;
  DueSite() {
    rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
    object = receive({"a"}, "2020-01-01", "x");
    goTo("2024-01-01");
  }
  DestructionGate::Verdict dispose(DestructionCaller caller = DestructionCaller::RetentionRun) {
    return gate().dispose(caller, 0, {{object, list("a").id}}).front();
  }
  void staysWith(const std::string& reason) {
    const auto verdict = dispose();
    BOOST_TEST(verdict.kept == reason);
    BOOST_TEST(!verdict.destroyed);
    BOOST_TEST(readable(object));
    BOOST_TEST(lines() == 0u);
    // And it can go once things work again.
    parts = GateParts::of(context, &index);
    BOOST_TEST(dispose().destroyed);
    BOOST_TEST(!readable(object));
    BOOST_TEST(lines() == 1u);
  }
};

std::vector<std::string> sourcesWith(const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (const auto* room : {"core", "gateway", "listd", "webadmin", "cli"})
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(POSTERN_SOURCE_DIR) + "/" + room)) {
      if (entry.path().extension() != ".cpp") continue;
      const auto text = files::read(entry.path());
      for (const auto& word : words)
        if (text.find(word) != std::string::npos) {
          found.push_back(std::filesystem::relative(entry.path(), POSTERN_SOURCE_DIR).string());
          break;
        }
    }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_retention_Gate)

// The keeper of pick-ups destroys copies for recipients: keys and ciphertexts of its own tables, never a record.
BOOST_AUTO_TEST_CASE(nothing_but_the_gate_destroys_content) {
  BOOST_TEST(sourcesWith({"vault.destroy", "destroyAll(", "destroyKeys(", "destroyObjectKey"}) ==
                 (std::vector<std::string>{"core/vault/KeyStore.cpp", "core/vault/Vault.cpp",
                                           "listd/pickup/PickupKeeper.cpp", "listd/retention/DestructionGate.cpp"}),
             boost::test_tools::per_element());
  // Retention: at the start, rows of objects that the register says are gone and whose key is.
  BOOST_TEST(sourcesWith({"removeReference(", "removeReferences(", "archive.setState("}) ==
                 (std::vector<std::string>{"listd/archive/ArchiveStore.cpp", "listd/retention/DestructionGate.cpp",
                                           "listd/retention/Retention.cpp"}),
             boost::test_tools::per_element());
}

// Who may ask is an enumerator each; who asks stands in these files alone. A new caller must be named in both.
BOOST_AUTO_TEST_CASE(every_caller_of_the_gate_is_named) {
  const std::map<std::string, std::vector<std::string>> callers = {
      {"DestructionCaller::RetentionRun", {"listd/retention/Retention.cpp", "listd/retention/RetentionRun.cpp"}},
      {"DestructionCaller::Review", {"listd/retention/BlastGuard.cpp", "listd/retention/ObjectOrders.cpp"}},
      {"DestructionCaller::PersonDelete", {"listd/retention/RetentionRun.cpp"}},
      {"DestructionCaller::Erasure", {"listd/matters/ErasureOrders.cpp", "listd/retention/BlastGuard.cpp"}},
      {"DestructionCaller::ListDeletion", {"listd/retention/CertificateWriter.cpp"}},
      {"DestructionCaller::Quarantine", {"listd/quarantine/Quarantine.cpp"}}};
  std::set<std::string> asking;
  for (const auto& [name, files] : callers) {
    auto found = sourcesWith({name});
    std::erase(found, "listd/retention/DestructionGate.cpp");
    BOOST_TEST(found == files, boost::test_tools::per_element());
    asking.insert(found.begin(), found.end());
  }
  const auto header = files::read(std::string(POSTERN_SOURCE_DIR) + "/listd/retention/DestructionGate.h");
  const auto begin = header.find("enum class DestructionCaller {") + 30;
  const auto names = header.substr(begin, header.find('}', begin) - begin);
  BOOST_TEST(std::count(names.begin(), names.end(), ',') + 1 == static_cast<std::ptrdiff_t>(callers.size()));
  for (const auto& [name, files] : callers) BOOST_TEST(names.find(name.substr(19)) != std::string::npos, name);
  for (const auto& file : sourcesWith({"gate_.dispose", "gate().dispose", "gate.dispose(", "disposeLists("}))
    BOOST_TEST((asking.contains(file) || file == "listd/retention/DestructionGate.cpp"), file);
}

BOOST_AUTO_TEST_CASE(openssl_verifies_a_certificate_from_its_text_alone_and_a_new_root_key_changes_nothing) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  site.receive({"a"}, "2020-01-01", "x");
  site.goTo("2024-01-01");
  const auto textOf = [&](const Run& run) {
    return site.context.site.read([&](SiteTables& tables) {
      return certificateText(tables, *tables.retention.certificate(*tables.retention.certificateOfRun(run.id)));
    });
  };
  const auto text = textOf(site.run());
  const auto pem = [](const std::string& certificate) { return certificate.substr(certificate.find("-----BEGIN")); };
  const auto verifies = [&](std::string certificate) {
    const std::string Marker = "first empty line): ";
    const auto at = certificate.find(Marker) + Marker.size();
    files::replaceDurably(site.folder / "key.pem", pem(certificate));
    files::replaceDurably(site.folder / "body", certificate.substr(0, certificate.find("\n\n") + 1));
    files::replaceDurably(site.folder / "signature.b64",
                          certificate.substr(at, certificate.find('\n', at) - at) + "\n");
    const auto folder = site.folder.path().string() + "/";
    return std::system(("openssl base64 -d -A -in " + folder + "signature.b64 -out " + folder + "signature && " +
                        "openssl pkeyutl -verify -pubin -inkey " + folder + "key.pem -rawin -in " + folder +
                        "body -sigfile " + folder + "signature >/dev/null 2>&1")
                           .c_str()) == 0;
  };
  BOOST_TEST(verifies(text));
  auto changed = text;
  changed.replace(changed.find("objects: 1"), 10, "objects: 2");
  BOOST_TEST(!verifies(changed));

  site.context.keys.changeRoot(site.context.rootSource->prepareNext(), site.clock.now());
  site.receive({"a"}, "2020-01-01", "y");
  const auto next = textOf(site.run());
  BOOST_TEST(verifies(next));
  BOOST_TEST(pem(next) == pem(text));
}

BOOST_AUTO_TEST_CASE(a_broken_key_store_keeps) {
  DueSite site;
  site.parts.destroy = [](auto) { throw Error(ErrorKind::Io, "keys.db is broken"); };
  site.staysWith("error");
}

BOOST_AUTO_TEST_CASE(a_key_store_that_cannot_tell_keeps_and_is_settled_later) {
  DueSite site;
  site.parts.destroy = [](auto) { throw Error(ErrorKind::Io, "keys.db is broken"); };
  site.parts.hasKey = [](auto) -> bool { throw Error(ErrorKind::Io, "keys.db is broken"); };
  const auto verdict = site.dispose();
  BOOST_TEST(verdict.kept == "error");
  BOOST_TEST(site.readable(site.object));
  site.parts = GateParts::of(site.context, &site.index);
  site.gate().finishBegun();
  BOOST_TEST(site.lines() == 0u);
  BOOST_TEST(site.dispose().destroyed);
}

BOOST_AUTO_TEST_CASE(an_audit_log_that_takes_no_entry_keeps) {
  DueSite site;
  site.parts.record = [](SiteTables&, const audit::Event&, TimePoint) {
    throw Error(ErrorKind::Store, "the audit log is broken");
  };
  site.staysWith("error");
}

BOOST_AUTO_TEST_CASE(a_rule_that_cannot_be_computed_keeps) {
  DueSite site;
  // A floor that asks for a word: not indexed, so it counts as matching.
  site.rule({{"tier", "floor"}, {"effect", "retain"}, {"period", "20 years"}, {"scope", {{"query", "dialysis"}}}});
  BOOST_TEST(site.dispose().kept == "not-due");
  site.index.since[site.object] = site.clock.now();
  site.index.broken = true;
  BOOST_TEST(site.dispose().kept == "error");
  BOOST_TEST(site.run().destroyed == 0u);
  BOOST_TEST(site.readable(site.object));
  site.index.broken = false;
  BOOST_TEST(site.run().destroyed == 1u);
}

BOOST_AUTO_TEST_CASE(the_content_is_asked_again_where_the_index_said_it_does_not_match) {
  DueSite site;
  site.rule({{"tier", "floor"}, {"effect", "retain"}, {"period", "20 years"}, {"scope", {{"query", "canary"}}}});
  site.index.since[site.object] = site.clock.now();  // its text in the index is "x": the index is wrong
  const auto run = site.run();
  BOOST_TEST(run.destroyed == 0u);
  BOOST_TEST(run.kept.at("not-due") == 1u);
  BOOST_TEST(site.readable(site.object));
}

BOOST_AUTO_TEST_CASE(mail_that_is_still_to_go_out_keeps) {
  DueSite site;
  const auto post = site.reference(site.object, "a")->postId;
  site.context.site.write([&](SiteTables& tables) { tables.posts.setState(post, PostState::Sent); });
  BOOST_TEST(site.dispose().kept == "unsent");
  BOOST_TEST(site.run().kept.at("unsent") == 1u);
  BOOST_TEST(site.readable(site.object));
}

BOOST_AUTO_TEST_CASE(no_caller_destroys_before_its_time) {
  for (const auto caller : {DestructionCaller::RetentionRun, DestructionCaller::Review, DestructionCaller::PersonDelete,
                            DestructionCaller::Erasure, DestructionCaller::ListDeletion}) {
    Site site;
    site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "6 years"}});
    const auto m = site.receive({"a"}, "2024-01-01", "x");
    site.goTo("2025-01-01");
    site.context.site.write(
        [&](SiteTables& tables) { tables.archive.hide(m, site.list("a").id, site.clock.now(), "bob"); });
    site.goTo("2026-01-01");
    const auto verdict = site.gate().dispose(caller, 0, {{m, site.list("a").id}}).front();
    BOOST_TEST(verdict.kept == "not-due");
    BOOST_TEST(site.readable(m));
  }
}

BOOST_AUTO_TEST_CASE(a_persons_delete_hides_and_destroys_after_the_window_only) {
  Site site;
  const auto m = site.receive({"a"}, "2024-01-01", "x");
  site.goTo("2025-01-01");
  site.context.site.write(
      [&](SiteTables& tables) { BOOST_TEST(tables.archive.hide(m, site.list("a").id, site.clock.now(), "bob")); });
  site.keptUntil(m, "2025-01-14T23:59:59", "2025-01-15");
}

BOOST_AUTO_TEST_CASE(a_review_waits_for_a_person) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}, {"action", "review"}});
  const auto m = site.receive({"a"}, "2020-01-01", "x");
  site.goTo("2024-01-01");
  BOOST_TEST(site.run().kept.at("review") == 1u);
  auto waiting = site.context.site.read([](SiteTables& tables) { return tables.retention.waiting(10); });
  BOOST_REQUIRE(waiting.size() == 1u);
  waiting.front().state = "kept";
  waiting.front().until = day("2026-01-01");
  site.context.site.write(
      [&](SiteTables& tables) { tables.retention.decideReview(waiting.front(), site.clock.now(), "olga", "more"); });
  site.goTo("2025-12-31");
  BOOST_TEST(site.run().candidates == 0u);
  site.goTo("2026-01-01");
  BOOST_TEST(site.run().kept.at("review") == 1u);
  waiting.front().state = "destroy";
  site.context.site.write(
      [&](SiteTables& tables) { tables.retention.decideReview(waiting.front(), site.clock.now(), "olga", "gone"); });
  BOOST_TEST(site.run().destroyed == 1u);
  BOOST_TEST(!site.readable(m));
}

BOOST_AUTO_TEST_CASE(a_second_run_destroys_nothing_and_a_what_if_equals_the_run) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  site.rule({{"tier", "scoped"}, {"effect", "retain"}, {"period", "4 years"}, {"scope", onList("b")}});
  for (int i = 0; i < 10; ++i)
    site.receive({i % 2 == 0 ? "a" : "b"}, "20" + std::to_string(10 + i) + "-01-01", std::to_string(i));
  site.goTo("2020-06-01");
  const auto expected = whatIf(site.context, &site.index, {site.clock.now(), {}, 20});
  const auto run = site.run();
  BOOST_TEST(expected.at("becomesDue") == run.destroyed);
  BOOST_TEST(run.destroyed > 0u);
  BOOST_TEST(run.candidates == run.removed);
  const auto again = site.run();
  BOOST_TEST(again.destroyed == 0u);
  BOOST_TEST(again.candidates == 0u);
}

BOOST_AUTO_TEST_CASE(purge_leaves_no_address_and_no_canary_in_any_file_and_the_certificate_holds) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  const auto m = site.receive({"a"}, "2020-01-01", "x");
  const auto id =
      site.context.site.read([](SiteTables& tables) { return tables.posts.page(0, 0, 1).front().messageId; });
  BOOST_TEST(!filesWith(site.folder.path() / "listd", id).empty());
  site.goTo("2024-01-01");
  const auto run = site.run();
  BOOST_TEST(run.destroyed == 1u);
  BOOST_TEST(filesWith(site.folder.path(), "canary").empty());
  BOOST_TEST(filesWith(site.folder.path(), id).empty());
  site.context.site.read([&](SiteTables& tables) {
    auto certificate = tables.retention.certificate(*tables.retention.certificateOfRun(run.id)).value();
    BOOST_TEST(certificate.lines == 1u);
    BOOST_TEST(certificateHolds(tables, certificate));
    BOOST_TEST(certificateText(tables, certificate).find(std::to_string(m)) != std::string::npos);
    certificate.body.replace(certificate.body.find("objects: 1"), 10, "objects: 2");
    BOOST_TEST(!certificateHolds(tables, certificate));
  });
}

BOOST_AUTO_TEST_CASE(purge_and_anonymise_take_the_way_of_the_post_with_them) {
  for (const auto* action : {"purge", "anonymise"}) {
    Site site;
    site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}, {"action", action}});
    site.receive({"a"}, "2020-01-01", "x");
    const auto way = [&] {
      return site.context.site.read(
          [](SiteTables& tables) { return tables.posts.journeyOf(tables.posts.page(0, 0, 1).front().id); });
    };
    BOOST_TEST(way().find("verdict") != std::string::npos);
    site.goTo("2024-01-01");
    BOOST_TEST(site.run().removed == 1u);
    BOOST_TEST(way() == "", action);
  }
}

BOOST_AUTO_TEST_SUITE_END()
