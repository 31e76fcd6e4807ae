#pragma once
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/pgp/Opening.h"
#include "core/pgp/Signer.h"
#include "core/seal/SmimeReader.h"
#include "core/seal/SmimeSigner.h"
#include "core/store/Database.h"
#include "gateway/deliver/FloorGuard.h"
#include "listd/expand/Intake.h"
#include "listd/expand/PostSender.h"
#include "listd/expand/RoutingView.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

#include <sys/resource.h>

#include <csignal>
#include <random>

// A random world of one secure list for SecureWorldTest, and the checks of what leaves it and what rests in it.
namespace postern::test {

using app::Protection;

constexpr std::array Rungs{Protection::Tls, Protection::Pickup, Protection::OpenPgp, Protection::Smime};
constexpr auto Board = "board@lists.example";
constexpr auto Day = std::chrono::days(1);

class Dice {
public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine_); }
  bool one(std::size_t of) { return below(of) == 0; }
  template <class Range>
  const auto& pick(const Range& range) {
    return range[below(std::size(range))];
  }
  template <class Range>
  void shuffle(Range& range) {
    std::shuffle(range.begin(), range.end(), engine_);
  }

private:
  std::mt19937 engine_;
};

enum class Fitness { Good, Expired, Revoked, Proposed, Damaged };

constexpr std::array Spoilt{Fitness::Revoked, Fitness::Proposed, Fitness::Damaged};

// A key of a person, both halves. Made once: making keys takes longer than a world.
struct Pair {
  std::string address;
  listd::KeyKind kind;
  bool expired;
  std::optional<SigningIdentity> smime;
  std::optional<pgp::SecretKey> openPgp;

  std::string fingerprint() const { return smime ? smime->certificate().fingerprint() : openPgp->fingerprint(); }
  std::string publicBytes() const { return smime ? smime->certificate().der() : openPgp->publicKey().bytes(); }
  std::optional<std::string> open(const std::string& message) const {
    if (smime) return seal::openSmime(message, *smime);
    auto opened = pgp::open(message, std::array{*openPgp}, {}, realNow());
    if (!opened) return std::nullopt;
    return std::move(opened->content);
  }
};

inline std::string domainOf(const std::string& address) {
  return address.substr(address.find('@') + 1);
}

inline std::vector<std::string> people() {
  return {"ann@one.example", "bob@one.example", "cid@two.example", "dan@two.example", "eve@six.example"};
}

inline const std::vector<Pair>& pairs() {
  static const auto made = [] {
    std::vector<Pair> all;
    for (const auto& address : people())
      for (const bool expired : {false, false, true}) {
        const auto from = expired ? realNow() - 100 * Day : realNow() - 2 * Day;
        const auto life = expired ? 50 * Day : 100 * Day;
        all.push_back({address, listd::KeyKind::Smime, expired, SigningIdentity::create(address, from, life), {}});
        all.push_back(
            {address, listd::KeyKind::OpenPgp, expired, {}, pgp::SecretKey::create("P", address, from, life)});
      }
    return all;
  }();
  return made;
}

struct OwnedKey {
  const Pair* pair;
  Fitness fitness;
};

struct Person {
  std::string address;
  std::optional<Protection> wish;
  bool enabled = true;
  std::vector<OwnedKey> keys;
};

using LeavingMail = FakeGateway::Delivered;

// What is broken on purpose.
struct Mutant {
  std::string name;
  std::string finding;  // what must be said of it
  std::string plan;     // SQL on site.db behind the planner
  std::function<void(std::vector<LeavingMail>&, const std::string& canary)> wire =
      {};             // between sealing and the socket
  bool guard = true;  // the last check at the socket
  std::function<void(const std::filesystem::path&, const std::string& canary)> rest = {};
};

struct Totals {
  std::map<Protection, int> copies;
  int notices = 0, withheld = 0, faults = 0, readEncrypted = 0, rejected = 0;
};

// One world. run() tells the first thing that is wrong; empty: nothing is.
class World {
public:
  World(std::uint32_t seed, const Mutant& mutant, Totals& totals) : dice_(seed), mutant_(mutant), totals_(totals) {
    canary_ = "Kanarie" + std::to_string(seed) + "x" + crypto::hex(crypto::randomBytes(6)) + "vogel";
    context_ = std::make_unique<SiteContext>(config_, clock_);
    makeSite();
    files::makePrivateFolder(config_.gatewaySocket().parent_path());
    server_ = std::make_unique<app::GatewayLinkServer>(config_.gatewaySocket().string(), gateway_);
    gateway_.setRouting(buildRoutingView(*context_));
  }

  std::string run() {
    const auto submission = post();
    crypto::SealedBoxWriter writer(context_->keys.vaultKeyPair().publicKey);
    item_ = {1, writer.seal(submission.encode(), app::SubmissionContext)};
    setFault();
    for (int tries = 0;; ++tries) {
      try {
        if (const auto wrong = work(); !wrong.empty()) return wrong;
        break;
      } catch (const Error& error) {
        clearFault();
        if (tries == 2 || !faulty_) return std::string("the post does not go out: ") + error.message();
        ++totals_.faults;
        context_ = nullptr;  // as after a kill: what is not on disk is gone
        context_ = std::make_unique<SiteContext>(config_, clock_);
      }
    }
    clearFault();
    auto leaving = gateway_.delivered();
    if (mutant_.wire) mutant_.wire(leaving, canary_);
    if (mutant_.rest) mutant_.rest(folder_.path(), canary_);
    if (auto wrong = judge(leaving); !wrong.empty()) return wrong;
    return atRest();
  }

private:
  void makeSite() {
    ListProtection protection;
    if (!dice_.one(3)) protection.floor = dice_.pick(Rungs);
    protection.rungs.assign(Rungs.begin(), Rungs.end());
    dice_.shuffle(protection.rungs);
    protection.rungs.resize(1 + dice_.below(4));
    if (dice_.one(5)) protection.rungs.clear();
    protection.freshKeys = dice_.one(4);
    protection.mailPlan = dice_.one(4);
    list_ = makeList(*context_, Board, true, protection);
    openPgpKey(*context_, list_);
    list_ = *context_->site.read([&](SiteTables& tables) { return tables.lists.find(list_.id); });
    for (const auto* domain : {"one.example", "two.example"})
      if (dice_.one(2)) {
        verified_.insert(domain);
        context_->site.write([&](SiteTables& tables) {
          tables.domainTls.note({domain, dice_.one(2) ? app::TlsMeans::Dane : app::TlsMeans::Pkix, clock_.now(), ""});
        });
      }
    for (const auto& address : people()) {
      Person person{address, std::nullopt, !dice_.one(8), {}};
      if (dice_.one(4)) person.wish = dice_.pick(Rungs);
      for (const auto& pair : pairs())
        if (pair.address == address && dice_.one(3)) addPair(person, pair);
      addPerson(person);
      persons_.push_back(person);
    }
    rules_ = context_->site.read([&](SiteTables& tables) { return rulesOf(tables, list_); });
  }

  void addPair(Person& person, const Pair& pair) {
    auto fitness = pair.expired ? Fitness::Expired : Fitness::Good;
    if (dice_.one(3)) fitness = dice_.pick(Spoilt);
    auto key = importKey(pair.publicBytes(), person.address, clock_.now(), nullptr);
    if (!key) return;
    if (fitness == Fitness::Revoked) key->facts.state = KeyState::Revoked;
    if (fitness == Fitness::Proposed) key->facts.state = KeyState::Proposed;
    if (fitness == Fitness::Damaged) key->recipientKey = crypto::randomBytes(1 + dice_.below(90));
    context_->site.write([&](SiteTables& tables) { tables.keys.add(*key); });
    person.keys.push_back({&pair, fitness});
  }

  void addPerson(const Person& person) {
    context_->site.write([&](SiteTables& tables) {
      Member member;
      member.listId = list_.id;
      member.address = person.address;
      member.wish = person.wish;
      member.enabled = person.enabled;
      member.joinedAt = clock_.now();
      tables.members.add(member, decideFor(tables, rulesOf(tables, list_), person.address, person.wish, clock_.now()));
    });
  }

  std::string entity() {
    const auto text =
        "Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9f"
        "e, " +
        canary_ + "\r\n";
    if (!dice_.one(3)) return text;
    return "Content-Type: multipart/mixed; boundary=mm\r\n\r\n--mm\r\n" + text +
           "--mm\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           crypto::base64Lines("PDF " + canary_ + crypto::randomBytes(dice_.below(30'000))) + "--mm--\r\n";
  }

  app::Submission post() {
    const auto& author = dice_.pick(persons_);
    auto submission = submissionTo({Board}, author.address, "x", "x");
    auto inner = entity();
    const auto* key = author.keys.empty() ? nullptr : &dice_.pick(author.keys);
    if (key != nullptr && dice_.one(2)) inner = signedBy(*key->pair, inner);
    if (dice_.one(4)) inner = encrypted(inner);
    const auto subject =
        dice_.one(2) ? "Secure: " + canary_ : "=?utf-8?B?" + crypto::base64("Secure: \xc3\x9c" + canary_) + "?=";
    submission.content = "From: <" + author.address + ">\r\nTo: " + Board + "\r\nSubject: " + subject +
                         "\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\nMessage-ID: <" + submission.queueId +
                         "@one.example>\r\nMIME-Version: 1.0\r\n" + inner;
    return submission;
  }
  std::string signedBy(const Pair& pair, const std::string& inner) const {
    if (pair.expired) return inner;
    return pair.smime ? seal::SmimeSigner(*pair.smime).sign(inner, clock_.now())
                      : pgp::Signer(*pair.openPgp).sign(inner, clock_.now());
  }
  // To the list's key, without the MIME-Version that heads begin with.
  std::string encrypted(const std::string& inner) {
    std::string message;
    if (dice_.one(2)) {
      const auto body = seal::SharedBody::encrypt("MIME-Version: 1.0\r\n" + inner);
      const auto key = crypto::RecipientKey::of(signingIdentity(*context_, list_).certificate());
      message = sealers_.smime.head(body, key) + body.tail();
    } else {
      const auto body = pgp::SharedBody::encrypt(inner);
      const auto key = pgp::RecipientKey::of(openPgpKey(*context_, list_).publicKey(), clock_.now());
      message = sealers_.openPgp.head(body, *key) + body.tail();
    }
    encryptedPost_ = true;
    const std::string first = "MIME-Version: 1.0\r\n";
    return message.starts_with(first) ? message.substr(first.size()) : message;
  }

  void setFault() {
    if (dice_.one(4)) {
      faulty_ = true;
      gateway_.onStep = [this, left = 1 + dice_.below(3)](const std::string& step) mutable {
        if ((step == "tail" || step == "submit" || step == "submitted") && left > 0 && --left == 0)
          throw Error(ErrorKind::Unavailable, "the gateway is gone");
      };
    } else if (dice_.one(6)) {
      faulty_ = true;  // no file grows beyond this, as on a full disk
      std::signal(SIGXFSZ, SIG_IGN);
      ::getrlimit(RLIMIT_FSIZE, &normal_);
      auto full = normal_;
      full.rlim_cur = 4096 << dice_.below(7);
      ::setrlimit(RLIMIT_FSIZE, &full);
      full_ = true;
    }
  }
  void clearFault() {
    if (full_) ::setrlimit(RLIMIT_FSIZE, &normal_);
    full_ = false;
  }

  // Takes the message over and hands its copies out; throws where a fault strikes. What is wrong with the plan.
  std::string work() {
    Intake intake(*context_, [] {});
    intake.take(std::array{item_});
    const auto posts =
        context_->site.read([&](SiteTables& tables) { return tables.posts.page(list_.id, 1 << 30, 10); });
    if (posts.size() != 1) return "the message became " + std::to_string(posts.size()) + " posts";
    accepted_ = posts.front().verdict == "accepted";
    if (!mutant_.plan.empty()) breakPlan();
    const auto rows =
        context_->site.read([&](SiteTables& tables) { return tables.ledger.page(posts.front().id, 0, 1000); });
    for (const auto& row : rows)
      if (row.kind == app::Copy::Kind::Content)
        if (auto wrong = judgeRow(row); !wrong.empty()) return wrong;
    app::GatewayLink link(config_.gatewaySocket().string());
    PostSender(*context_, gate_, sealers_).send(posts.front().id, link);
    return {};
  }

  void breakPlan() {
    context_ = nullptr;
    store::Database::openWriter(folder_ / "listd" / "site.db").execute(mutant_.plan);
    context_ = std::make_unique<SiteContext>(config_, clock_);
  }

  const Person* personOf(const std::string& address) const {
    for (const auto& person : persons_)
      if (person.address == address) return &person;
    return nullptr;
  }

  // The rules once more, without looking at decide().
  std::string allows(const Person& person, Protection protection) const {
    if (!person.enabled) return "a copy for somebody who gets none";
    if (protection == Protection::None) return "a copy without protection";
    if (list_.protection.floor && protection < *list_.protection.floor) return "below the floor of the list";
    if (person.wish && protection < *person.wish) return "below the wish of the member";
    const auto& rungs = rules_.rungs;
    if (person.wish != protection && std::find(rungs.begin(), rungs.end(), protection) == rungs.end())
      return "a rung that the list does not have";
    if (protection == Protection::Tls && !verified_.contains(domainOf(person.address)))
      return "TLS that is not verified";
    return {};
  }

  std::string judgeRow(const LedgerRow& row) {
    const auto* person = personOf(row.recipient);
    if (person == nullptr) return "a row for a stranger";
    if (row.state == CopyState::Withheld) {
      ++totals_.withheld;
      return {};
    }
    const auto protection = parseProtection(row.protection);
    if (!protection) return "a row of the protection " + row.protection;
    if (auto wrong = allows(*person, *protection); !wrong.empty()) return "planned: " + wrong;
    if (*protection < Protection::OpenPgp) return {};
    const auto kind = *protection == Protection::Smime ? listd::KeyKind::Smime : listd::KeyKind::OpenPgp;
    for (const auto& key : person->keys)
      if (key.pair->kind == kind && key.pair->fingerprint() == row.keyFingerprint)
        return key.fitness == Fitness::Good || key.fitness == Fitness::Damaged ? ""
                                                                               : "planned for a key that is not good";
    return "planned for a key that the member does not have";
  }

  // The canary in every form that a part can have it.
  bool shows(std::string_view bytes) const {
    if (bytes.find(canary_) != bytes.npos) return true;
    for (const std::size_t shift : {0u, 1u, 2u}) {
      const auto coded = crypto::base64(std::string(shift, 'x') + canary_);
      if (bytes.find(std::string_view(coded).substr(4, coded.size() - 8)) != bytes.npos) return true;
    }
    return false;
  }

  std::string judge(const std::vector<LeavingMail>& leaving) {
    std::set<std::string> served;
    int contents = 0;
    for (const auto& one : leaving) {
      if (auto wrong = atSocket(one); !wrong.empty()) return wrong;
      if (one.copy.kind != app::Copy::Kind::Content) {
        ++totals_.notices;
        if (shows(one.message)) return "a notice with content";
        continue;
      }
      ++contents;
      ++totals_.copies[one.copy.protection];
      if (!served.insert(one.copy.recipient).second) return "two copies for one member";
      if (auto wrong = judgeCopy(one); !wrong.empty()) return wrong;
    }
    if (!accepted_ && contents > 0) return "a post that was refused went out";
    totals_.rejected += accepted_ ? 0 : 1;
    totals_.readEncrypted += accepted_ && encryptedPost_ ? 1 : 0;
    return {};
  }

  std::string atSocket(const LeavingMail& one) const {
    if (!mutant_.guard) return {};
    const bool safe = verified_.contains(domainOf(one.copy.recipient));
    auto cleared = gateway::FloorGuard::check(one.copy.kind, one.copy.protection, one.copy.floor, one.copy.head,
                                              tailOf(one).get(), {safe, safe, context_->webUrl()});
    return cleared ? "" : "blocked at the socket: " + cleared.error();
  }
  static std::shared_ptr<const gateway::OutboundTail> tailOf(const LeavingMail& one) {
    if (one.message.size() == one.copy.head.size()) return nullptr;
    auto tail =
        gateway::OutboundTail::make(std::make_shared<const std::string>(one.message.substr(one.copy.head.size())));
    BOOST_REQUIRE_MESSAGE(tail.has_value(), (tail ? "" : tail.error()));
    return *tail;
  }

  std::string judgeCopy(const LeavingMail& one) const {
    const auto* person = personOf(one.copy.recipient);
    if (person == nullptr) return "a copy for a stranger";
    if (auto wrong = allows(*person, one.copy.protection); !wrong.empty()) return "sent: " + wrong;
    if (one.copy.protection == Protection::Tls) return {};
    if (shows(one.message)) return "content in the clear";
    for (const auto& other : people())
      if (other != one.copy.recipient && one.message.find(other) != one.message.npos) return "names another member";
    int opened = 0;
    for (const auto& pair : pairs()) {
      const auto content = pair.open(one.message);
      if (!content) continue;
      ++opened;
      if (pair.address != one.copy.recipient) return "opens with the key of another member";
      if (!shows(*content)) return "opens to something else";
      for (const auto& key : person->keys)
        if (key.pair == &pair && key.fitness != Fitness::Good) return "opens with a key that is not good";
    }
    if (opened != (one.copy.protection >= Protection::OpenPgp ? 1 : 0))
      return std::to_string(opened) + " keys open a copy of " + app::protectionName(one.copy.protection);
    return {};
  }

  std::string atRest() {
    context_ = nullptr;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
      if (entry.is_regular_file() && shows(files::read(entry.path())))
        return "readable in " + entry.path().filename().string();
    return {};
  }

  Dice dice_;
  const Mutant& mutant_;
  Totals& totals_;
  std::string canary_;
  TempFolder folder_;
  config::SiteConfig config_ = siteConfig(folder_.path());
  SystemClock clock_;
  std::unique_ptr<SiteContext> context_;
  FakeGateway gateway_;
  std::unique_ptr<app::GatewayLinkServer> server_;
  SubmitGate gate_;
  Sealers sealers_;
  List list_;
  LadderRules rules_;
  std::vector<Person> persons_;
  std::set<std::string> verified_;
  app::AcceptedItem item_;
  bool encryptedPost_ = false;
  bool accepted_ = false;
  bool faulty_ = false;
  bool full_ = false;
  rlimit normal_{};
};

}  // namespace postern::test
