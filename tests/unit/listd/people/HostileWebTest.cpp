// A web process that strangers took over, at the door of the web process: it knows every account's name, every
// session's reference and all that lies on the disk, but no secret of a browser.
#include "core/app/Orders.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Totp.h"
#include "listd/Listd.h"
#include "listd/orders/OrderDesk.h"
#include "tests/unit/listd/ListdFixture.h"

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const TimePoint Start = fromMicros(1'772'366'400'000'000);
constexpr auto Password = "correct horse battery";

// What an unknown visitor may ask. A new line here is a decision, not an oversight.
const std::set<std::string_view> Visitors = {
    "user.setup-check", "user.setup-options", "user.setup", "user.authenticate", "user.factor",
    "passkey.sign-in-options", "break-glass.open", "session.show", "health", "metrics", "request.stop-show",
    "request.stop", "notice.show", "notice.acknowledge", "pickup.link", "pickup.open", "pickup.ask", "pickup.sign-in",
    "pickup.sign-in-options", "key.link-ask", "key.link-show", "key.link-use", "list.key-public",
    // Joining and leaving: by the token of a mail, or asked the same of all.
    "subscribe.lists", "subscribe.about", "subscribe.ask", "subscribe.show", "subscribe.use", "subscribe.one-click",
    "subscribe.settings"};

// Recipients of secure mail have no account; the session that each of these brings proves them.
const std::set<std::string_view> OfRecipients = {
    "pickup.who",         "pickup.set-up-options", "pickup.set-up",   "pickup.sign-out",     "pickup.inbox",
    "pickup.message",     "pickup.read",           "pickup.key",      "pickup.content",      "pickup.part",
    "pickup.whole",       "pickup.reply",          "pickup.report",   "pickup.account",      "pickup.passkey-options",
    "pickup.passkey-add", "pickup.passkey-remove", "pickup.password", "pickup.session-end",  "pickup.account-delete",
    "pickup.sent",        "pickup.sent-recall",    "pickup.question", "pickup.question-set", "pickup.question-answer"};

struct Answer {
  json result;
  std::string code;  // of a refusal; empty: it was done
};

// The real listd with its sockets; accounts of four kinds, each signed in once.
struct Taken {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{Start};
  std::ostringstream log;
  std::streambuf* const before = std::cerr.rdbuf(log.rdbuf());
  std::unique_ptr<Listd> listd;
  std::map<std::string, Secret> totps;
  std::map<std::string, std::string> secrets;  // of sessions

  Taken() {
    log::open("test", "debug");
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    files::makePrivateFolder(config.webSocket().parent_path());
    listd = std::make_unique<Listd>(config, clock);
    cli("domain.add", {{"name", "lists.example"}});
    for (const auto* list : {"hers", "others"})
      cli("list.create", {{"address", std::string(list) + "@lists.example"}, {"secure", false}});
    setUp("alice", cli("user.setup-link").at("token"));
    setUp("olga", cli("account.invite", {{"name", "olga"}, {"roles", "officer"}}).at("token"));
    setUp("wim",
          cli("account.invite", {{"name", "wim"}, {"roles", "owner"}, {"lists", "hers@lists.example"}}).at("token"));
    setUp("hans", cli("account.invite", {{"name", "hans"}, {"roles", "helpdesk"}}).at("token"));
    clock.advance(std::chrono::seconds(60));
    for (const auto* name : {"alice", "olga", "wim", "hans"}) secrets[name] = signIn(name);
  }
  ~Taken() {
    listd.reset();
    std::cerr.rdbuf(before);
    log::open("test", "error");
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  json cli(const std::string& order, const json& args = json::object()) {
    return app::OrderClient(config.commandSocket().string())
        .give(order, {"cli", "root", files::read(config.commandKey())}, args);
  }
  Answer web(const std::string& order, const app::Actor& actor, const json& args = json::object()) {
    try {
      return {app::OrderClient(config.webSocket().string()).give(order, actor, args), {}};
    } catch (const app::OrderRefused& refused) {
      return {{}, refused.error().code};
    }
  }
  // With the cookie of a browser; what the web process says of the person is a lie.
  Answer as(const std::string& secret, const std::string& order, const json& args = json::object()) {
    return web(order, {"web", "alice", secret, "session of alice", "192.0.2.9", app::Roles::fromBits(0xFF)}, args);
  }
  json visitor(const std::string& order, const json& args) {
    auto answer = web(order, {"system", "webadmin"}, args);
    BOOST_REQUIRE_MESSAGE(answer.code.empty(), order + " " + answer.code);
    return std::move(answer.result);
  }

  void setUp(const std::string& name, const std::string& token) {
    const auto shown = visitor("user.setup-check", {{"token", token}});
    totps[name] = Secret(crypto::fromBase32(shown.at("secret").get<std::string>()).value());
    visitor("user.setup", {{"token", token}, {"name", name}, {"password", Password}, {"totp", code(name)}});
  }
  std::string code(const std::string& name) const { return crypto::totpCode(totps.at(name), clock.now()); }
  std::string signIn(const std::string& name) {
    const auto ticket =
        visitor("user.authenticate", {{"name", name}, {"password", Password}, {"client", "c"}}).at("ticket");
    return visitor("user.factor", {{"ticket", ticket}, {"totp", code(name)}, {"client", "c"}, {"agent", "Firefox"}})
        .at("session")
        .at("secret");
  }
  std::string refOf(const std::string& name) { return as(secrets.at(name), "session.show").result.at("ref"); }

  // How many entries the record has of orders that were denied to nobody in particular.
  std::size_t deniedToNobody() {
    listd.reset();
    SiteContext context(config, clock);
    return context.site.read([](SiteTables& tables) {
      AuditFilter all;
      all.limit = 100'000;
      std::size_t count = 0;
      for (const auto& row : tables.audit.list(all)) {
        const auto entry = audit::parseEntry(row.entry).value();
        using audit::Field;
        if (entry[Field::Outcome] == "denied" && entry[Field::ReasonCode] == "signed-out" &&
            tables.audit.nameOf(entry[Field::ActorId]) == "webadmin")
          ++count;
      }
      return count;
    });
  }
};

bool isForVisitors(const OrderRow& row) {
  return row.access.roles.empty();
}

template <class Work>
void eachOrder(Work work) {
  for (const auto table : orderTables())
    for (const auto& row : table) work(row);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_people_HostileWeb)

BOOST_AUTO_TEST_CASE(visitors_may_ask_these_things_and_no_others) {
  eachOrder([](const OrderRow& row) {
    BOOST_TEST(isForVisitors(row) == (Visitors.contains(row.name) || OfRecipients.contains(row.name)), row.name);
  });
}

BOOST_AUTO_TEST_CASE(what_recipients_may_ask_is_refused_to_all_without_a_recipients_session) {
  Taken site;
  const auto ref = site.refOf("alice");
  const std::vector<app::Actor> claims = {{"web", "ben@outside.example"},
                                          {"web", "", std::string(43, 'A')},
                                          {"web", "alice", site.secrets.at("alice"), ref},
                                          {"system", "root"}};
  for (const auto& order : OfRecipients)
    for (const auto& claim : claims)
      BOOST_TEST(!site.web(std::string(order), claim, {{"id", "1"}, {"part", "0"}}).code.empty(), order);
}

BOOST_AUTO_TEST_CASE(without_a_session_it_acts_for_nobody_whatever_it_claims_and_every_try_is_on_record) {
  Taken site;
  const auto ref = site.refOf("alice");
  const auto hash = crypto::hex(crypto::sha256(site.secrets.at("alice")));
  std::vector<app::Actor> claims = {{"web", "alice"},
                                    {"web", "alice", "", ref},
                                    {"web", "alice", ref, ref},
                                    {"web", "alice", hash, ref},
                                    {"web", "alice", std::string(43, 'A'), ref},
                                    {"web", "alice", site.secrets.at("alice") + "x", ref},
                                    {"web", "alice", site.secrets.at("alice").substr(0, 42), ref},
                                    {"system", "alice", site.secrets.at("alice"), ref},
                                    {"system", "root", "", ref}};
  for (const auto* name : {"olga", "wim", "hans"}) claims.push_back({"web", name, "", site.refOf(name)});
  std::size_t tried = 0;
  eachOrder([&](const OrderRow& row) {
    if (isForVisitors(row)) return;
    // Each order by three of the claims, in turn; the whole list by one order that reads and one that changes.
    const bool thorough = row.name == "list.list" || row.name == "account.invite";
    for (std::size_t i = 0; i < (thorough ? claims.size() : 3); ++i) {
      const auto& claim = claims[(tried + i) % claims.size()];
      const json args{{"name", "eve"}, {"roles", "admin"}, {"list", "hers@lists.example"}};
      BOOST_TEST(site.web(std::string(row.name), claim, args).code == "signed-out", row.name);
    }
    tried += thorough ? claims.size() : 3;
  });
  BOOST_TEST(tried > 300u);
  // What visitors may ask tells nothing and does nothing without a proof.
  for (const auto& order : Visitors)
    BOOST_TEST(
        (!site.web(std::string(order), claims[1], json::object()).code.empty() || order == "pickup.ask" ||
         order == "health" || order == "metrics" || order == "subscribe.lists" || order.ends_with("sign-in-options")),
        order);
  for (const auto* order : {"session.show", "session.list", "session.end"})
    BOOST_TEST(site.web(order, claims[3], {{"name", "alice"}, {"all", true}}).code == "signed-out", order);
  BOOST_TEST(site.deniedToNobody() == tried + 2);  // session.show is asked by every page and is none of them
}

BOOST_AUTO_TEST_CASE(with_the_session_of_an_owner_it_does_only_what_that_owner_may) {
  Taken site;
  const auto& owner = site.secrets.at("wim");
  Person wim;
  wim.account = "wim";
  wim.roles = app::Role::Owner;
  wim.lists = {"hers@lists.example"};
  const json foreign{{"list", "others@lists.example"}, {"address", "others@lists.example"}};
  std::size_t refused = 0;
  eachOrder([&](const OrderRow& row) {
    const auto denial = denialOf(row, wim, foreign, true);
    if (!denial) return;
    BOOST_TEST(denial->code == "denied", row.name);
    BOOST_TEST(site.as(owner, std::string(row.name), foreign).code == "denied", row.name);
    ++refused;
  });
  BOOST_TEST(refused > 100u);
  // The lists are the owner's own, and a look at the people is the owner alone.
  const auto lists = site.as(owner, "list.list").result.at("items");
  BOOST_REQUIRE(lists.size() == 1u);
  BOOST_TEST(lists[0].at("address") == "hers@lists.example");
  BOOST_TEST(site.as(owner, "account.show").result.at("name") == "wim");
  BOOST_TEST(site.as(owner, "account.show", {{"name", "alice"}}).code == "denied");
  const auto sessions = site.as(owner, "session.list").result.at("items");
  BOOST_REQUIRE(sessions.size() == 1u);
  BOOST_TEST(sessions[0].at("account") == "wim");
  BOOST_TEST(site.as(owner, "session.list", {{"all", true}}).code == "denied");
  BOOST_TEST(site.as(owner, "session.list", {{"name", "alice"}}).code == "denied");
  // It ends no session of others, also not by their reference.
  site.as(owner, "session.end", {{"ref", site.refOf("alice")}});
  BOOST_TEST(site.as(owner, "session.end", {{"name", "alice"}}).code == "denied");
  BOOST_TEST(site.as(site.secrets.at("alice"), "status").code.empty());
}

BOOST_AUTO_TEST_CASE(a_session_that_ended_ran_out_or_whose_account_may_not_act_opens_nothing) {
  Taken site;
  const auto code = [&](const std::string& secret) { return site.as(secret, "list.list").code; };
  const auto signedIn = [&](const std::string& name) {
    site.clock.advance(std::chrono::seconds(30));
    return site.signIn(name);
  };
  // Ended by its person, by the helpdesk, all at once.
  auto hans = site.secrets.at("hans");
  BOOST_TEST(code(hans).empty());
  site.as(hans, "session.end", {{"ref", site.refOf("hans")}});
  BOOST_TEST(code(hans) == "signed-out");
  hans = signedIn("hans");
  const auto second = signedIn("hans");
  BOOST_TEST(site.as(hans, "session.end").result.at("ended") == 1);
  BOOST_TEST(code(second) == "signed-out");
  BOOST_TEST(code(hans).empty());
  BOOST_TEST(site.as(hans, "session.end", {{"name", "wim"}}).result.at("ended") == 1);
  BOOST_TEST(code(site.secrets.at("wim")) == "signed-out");
  // Disabled, and not back with the account.
  site.cli("account.disable", {{"name", "hans"}});
  BOOST_TEST(code(hans) == "signed-out");
  site.cli("account.set", {{"name", "hans"}, {"state", "enabled"}});
  BOOST_TEST(code(hans) == "signed-out");
  // Another role, another password.
  hans = signedIn("hans");
  site.cli("account.set", {{"name", "hans"}, {"roles", "custodian"}});
  BOOST_TEST(code(hans) == "signed-out");
  auto olga = site.secrets.at("olga");
  const auto other = signedIn("olga");
  site.as(other, "password.change", {{"old", Password}, {"new", "a much better sentence"}});
  BOOST_TEST(code(olga) == "signed-out");
  BOOST_TEST(code(other).empty());
  // Idle, in spite of what scripts ask; then the absolute limit in spite of acts.
  auto alice = signedIn("alice");
  for (int i = 0; i < 2; ++i) {
    site.clock.advance(std::chrono::minutes(7));
    BOOST_TEST(site.as(alice, "session.show").code.empty());
  }
  site.clock.advance(std::chrono::minutes(1));
  BOOST_TEST(code(alice) == "signed-out");
  alice = signedIn("alice");
  for (int i = 0; i < 51; ++i) {
    site.clock.advance(std::chrono::minutes(14));
    BOOST_TEST_REQUIRE(site.as(alice, "session.show", {{"act", true}}).code.empty());
    // The act is stored behind the answer: what is durable now is stored after it.
    site.cli("list.set", {{"address", "hers@lists.example"}, {"description", std::to_string(i)}});
  }
  site.clock.advance(std::chrono::minutes(6));
  BOOST_TEST(code(alice) == "signed-out");
}

BOOST_AUTO_TEST_CASE(no_secret_of_a_session_is_to_be_found_in_any_file_or_log) {
  Taken site;
  for (const auto& [name, secret] : site.secrets) {
    BOOST_TEST(secret.size() == 43u);  // 256 bits
    site.as(secret, "account.show");
    site.as(secret, "no.such-order");
    site.as(secret, "list.create", {{"address", 7}});
  }
  const auto found = [&] {
    std::size_t places = 0;
    for (const auto& [name, secret] : site.secrets)
      places +=
          filesWith(site.folder.path(), secret).size() + (site.log.str().find(secret) == std::string::npos ? 0 : 1);
    return places;
  };
  BOOST_TEST(!site.log.str().empty());
  BOOST_TEST(filesWith(site.folder.path(), crypto::hex(crypto::sha256(site.secrets.at("alice")))).size() > 0u);
  BOOST_TEST(found() == 0u);
  site.listd.reset();
  BOOST_TEST(found() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
