#include "core/records/Rule.h"
#include "tests/support/RecordsWorld.h"

using namespace postern;
using namespace postern::records;
using namespace postern::test;
using nlohmann::json;

namespace {

json floorJson() {
  return {{"name", "HIPAA"}, {"tier", "floor"}, {"effect", "retain"}, {"period", "6 years"}, {"locked", true}};
}

std::string errorWith(const std::string& field, const json& value) {
  auto text = floorJson();
  text[field] = value;
  const auto parsed = Rule::parse(text);
  return parsed ? "" : parsed.error();
}

bool shortens(const std::optional<Rule>& before, const std::optional<Rule>& after) {
  return mayShorten(before ? &*before : nullptr, after ? &*after : nullptr);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Rule)

BOOST_AUTO_TEST_CASE(errors_name_the_field) {
  for (const auto* field : {"name", "tier", "effect", "period"}) {
    auto text = floorJson();
    text.erase(field);
    BOOST_TEST(Rule::parse(text).error() == std::string(field) + ": is missing");
  }
  BOOST_TEST(Rule::parse(json::array()).error() == "a rule must be an object");
  BOOST_TEST(errorWith("priority", 1) == "\"priority\" is not known");
  BOOST_TEST(errorWith("version", 1) == "\"version\" is not known");
  BOOST_TEST(errorWith("id", -1) == "id: must be a whole number");
  BOOST_TEST(errorWith("name", "") == "name: is empty");
  BOOST_TEST(errorWith("name", "a\nb") == "name: holds characters that cannot be printed");
  BOOST_TEST(errorWith("tier", "Floor") == "tier: must be default, scoped, label or floor");
  BOOST_TEST(errorWith("tier", 3) == "tier: must be default, scoped, label or floor");
  BOOST_TEST(errorWith("effect", "keep") == "effect: must be retain, delete or both");
  BOOST_TEST(errorWith("action", nullptr) == "action: must be review, anonymise, purge or shred");
  BOOST_TEST(errorWith("period", 6) == "period: must be a text");
  BOOST_TEST(errorWith("period", "soon").starts_with("period: \"soon\" is no period"));
  BOOST_TEST(errorWith("start", "List Closed").starts_with("start: "));
  BOOST_TEST(errorWith("enabled", "yes") == "enabled: must be true or false");
  BOOST_TEST(errorWith("locked", 1) == "locked: must be true or false");
  BOOST_TEST(errorWith("scope", json{{"lists", 1}}) == "scope: lists: must be an array of texts");
  BOOST_TEST(errorWith("effect", "both") == "effect: a floor only retains");
  BOOST_TEST(errorWith("tier", "scoped") == "locked: only a floor can be locked");
  BOOST_TEST(errorWith("enabled", false) == "enabled: a locked floor cannot be switched off");
}

BOOST_AUTO_TEST_CASE(what_is_only_deleted_needs_an_end) {
  const json text = {{"name", "x"}, {"tier", "scoped"}, {"effect", "delete"}, {"period", "forever"}};
  BOOST_TEST(Rule::parse(text).error() == "period: what is deleted needs an end; \"forever\" has none");
}

BOOST_AUTO_TEST_CASE(what_is_left_out_has_its_usual_value) {
  const auto rule = Rule::parse({{"name", " News "}, {"tier", "scoped"}, {"effect", "both"}, {"period", "90 days"}});
  BOOST_TEST(rule->name == "News");
  BOOST_TEST(rule->json().dump() ==
             R"({"action":"purge","effect":"both","enabled":true,"locked":false,"name":"News","period":"90 days",)"
             R"("scope":{},"start":"received","tier":"scoped"})");
}

BOOST_AUTO_TEST_CASE(sentences_read_as_such) {
  auto clinic = rule(1, Tier::Scoped, Effect::Both, "7 years", R"({"lists":["clinic@x.example"]})");
  BOOST_TEST(clinic.sentence() == "Keep mail on clinic@x.example for 7 years from receipt, then purge it.");
  clinic.effect = Effect::Delete;
  clinic.start = "list-closed";
  BOOST_TEST(clinic.sentence() ==
             "Purge mail on clinic@x.example 7 years after the event list-closed, unless something keeps it longer.");
  const auto floor = *Rule::parse(floorJson());
  BOOST_TEST(floor.sentence() ==
             "Keep every message for at least 6 years from receipt. Locked: it can only be extended or widened.");
  BOOST_TEST(rule(1, Tier::Label, Effect::Both, "forever").sentence() == "Keep every message for ever.");
}

BOOST_AUTO_TEST_CASE(tells_what_may_shorten) {
  const auto D = Tier::Default, S = Tier::Scoped, F = Tier::Floor;
  const auto both = Effect::Both, keep = Effect::Retain, remove = Effect::Delete;
  const std::string clinic = R"({"lists":["clinic@x.example"]})";
  BOOST_TEST(!shortens({}, rule(1, S, keep, "1 year")));
  BOOST_TEST(shortens({}, rule(1, S, both, "9 years")));  // it replaces the default
  BOOST_TEST(shortens({}, rule(1, D, both, "9 years")));  // until now nothing was deleted
  BOOST_TEST(shortens(rule(1, S, keep, "1 year"), {}));
  BOOST_TEST(shortens(rule(1, S, remove, "1 year"), {}));  // a longer rule may have stood before the default's
  BOOST_TEST(!shortens(rule(1, D, remove, "1 year"), {}));
  BOOST_TEST(!shortens(rule(1, S, both, "1 year"), rule(1, S, both, "2 years")));
  BOOST_TEST(shortens(rule(1, S, both, "2 years"), rule(1, S, both, "1 year")));
  BOOST_TEST(!shortens(rule(1, F, keep, "1 year", clinic), rule(1, F, keep, "1 year")));
  BOOST_TEST(shortens(rule(1, F, keep, "1 year"), rule(1, F, keep, "1 year", clinic)));
  BOOST_TEST(!shortens(rule(1, D, remove, "1 year"), rule(1, D, remove, "1 year", clinic)));
  BOOST_TEST(shortens(rule(1, S, remove, "1 year"), rule(1, S, remove, "1 year", clinic)));
  auto off = rule(1, S, keep, "1 year");
  off.enabled = false;
  BOOST_TEST(shortens(rule(1, S, keep, "1 year"), off));
  BOOST_TEST(!shortens(off, {}));
  auto reviewed = rule(1, D, both, "1 year");
  reviewed.action = Action::Review;
  BOOST_TEST(shortens(reviewed, rule(1, D, both, "1 year")));
  BOOST_TEST(!shortens(rule(1, D, both, "1 year"), reviewed));
  auto renamed = rule(1, D, both, "1 year");
  renamed.name = "other";
  BOOST_TEST(!shortens(rule(1, D, both, "1 year"), renamed));
}

BOOST_AUTO_TEST_CASE(a_lock_allows_more_and_never_less) {
  const auto floor = *Rule::parse(floorJson());
  const auto forbids = [&](auto change) {
    auto after = floor;
    change(after);
    return lockForbids(floor, &after).value_or("");
  };
  const std::string locked = "The floor \"HIPAA\" is locked: ";
  BOOST_TEST(lockForbids(floor, nullptr).value() == locked + "it cannot be removed.");
  BOOST_TEST(forbids([](Rule& r) { r.period = period("5 years"); }) ==
             locked + "its period of 6 years can only be extended.");
  BOOST_TEST(forbids([](Rule& r) { r.locked = false; }) == locked + "it cannot be unlocked.");
  BOOST_TEST(forbids([](Rule& r) { r.enabled = false; }) == locked + "it cannot be switched off.");
  BOOST_TEST(forbids([](Rule& r) { r.tier = Tier::Scoped; }) == locked + "it must stay a floor that retains.");
  BOOST_TEST(forbids([](Rule& r) { r.start = "list-closed"; }) ==
             locked + "the event that starts its period cannot change.");
  BOOST_TEST(forbids([](Rule& r) { r.scope.lists = {"a@x.example"}; }) ==
             locked + "what it applies to can only be widened.");
  BOOST_TEST(forbids([](Rule& r) { r.period = period("72 months"); }).empty());
  BOOST_TEST(forbids([](Rule& r) { r.name = "HHS"; }).empty());
  auto open = floor;
  open.locked = false;
  BOOST_TEST(!lockForbids(open, nullptr));
}

BOOST_AUTO_TEST_CASE(the_newest_version_that_has_begun_is_in_force) {
  std::vector<Rule> versions(4, rule(1, Tier::Default, Effect::Both, "1 year"));
  for (std::uint32_t i = 0; i < 4; ++i) versions[i].version = i + 1;
  versions[0].effectiveFrom = at("2025-01-01");
  versions[1].effectiveFrom = at("2025-02-01");
  versions[2].effectiveFrom = at("2025-02-01");
  versions[3].effectiveFrom = at("2025-03-01");
  const auto inForce = [&](const char* when) {
    const auto found = rulesInForce(versions, at(when));
    return found.empty() ? 0 : found.front().version;
  };
  BOOST_TEST(inForce("2024-12-31T23:59:59") == 0U);
  BOOST_TEST(inForce("2025-01-01") == 1U);
  BOOST_TEST(inForce("2025-02-01") == 3U);
  BOOST_TEST(inForce("2025-03-01") == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
