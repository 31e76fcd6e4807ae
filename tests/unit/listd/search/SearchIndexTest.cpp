#include "core/base/Files.h"
#include "core/store/Database.h"
#include "listd/search/IndexStore.h"
#include "listd/search/SearchIndex.h"
#include "tests/support/TempFolder.h"

#include <algorithm>
#include <random>
#include <sstream>

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

const TimePoint Start = fromMicros(1'700'000'000'000'000);
using Ids = std::vector<std::uint64_t>;

std::string mailOf(const std::string& subject, const std::string& body, const std::string& more = {}) {
  return "From: Ann Miller <ann@x.example>\r\nTo: Board <board@lists.example>\r\nSubject: " + subject + "\r\n" + more +
         "\r\n" + body + "\r\n";
}

struct Index {
  TempFolder folder;
  FakeClock clock{Start};
  std::optional<vault::RootKey> root = vault::RootKey::create(folder.path() / "root.key");
  std::unique_ptr<SearchIndex> index = std::make_unique<SearchIndex>(folder.path() / "index", *root, clock);

  void reopen() {
    index.reset();
    index = std::make_unique<SearchIndex>(folder.path() / "index", *root, clock);
  }
  Ids find(std::string_view text) const {
    const auto query = records::Query::parse(text);
    BOOST_REQUIRE_MESSAGE(query, text);
    return index->find(*query);
  }
};

bool folderHolds(const std::filesystem::path& folder, std::string_view word) {
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder))
    if (file.is_regular_file() && files::read(file.path()).find(word) != std::string::npos) return true;
  return false;
}

class Random {
public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  std::string word() {
    static const std::vector<std::string> words = {"dialysis", "Kidney", "école", "plan",   "draft", "腎臓",
                                                   "budget",   "a-b",    "x",     "Straße", "2024",  "ann"};
    return words[below(words.size())];
  }
  std::string words(std::size_t most) {
    std::string text = word();
    for (auto count = below(most); count > 0; --count) text += " " + word();
    return text;
  }

private:
  std::mt19937 engine_;
};

std::string randomMail(Random& random) {
  auto text = "From: " + random.word() + " <" + (random.below(2) == 0 ? "ann@x.example" : "bob@y.example") +
              ">\r\nTo: board@lists.example\r\nSubject: " + random.words(4) + "\r\nX-Record: " + random.words(3) +
              "\r\nMIME-Version: 1.0\r\n";
  switch (random.below(4)) {
    case 0:
      return text + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
             random.words(12) + "\r\n";
    case 1:
      return text + "Content-Type: text/html; charset=utf-8\r\n\r\n<p title=\"" + random.word() + "\">" +
             random.words(6) + "<br>" + random.words(3) + "</p>\r\n";
    case 2:
      return text +
             "Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain; "
             "charset=utf-8\r\n\r\n" +
             random.words(5) +
             "\r\n--cut\r\nContent-Type: text/csv; charset=utf-8\r\nContent-Disposition: attachment; "
             "filename=\"plan-x.csv\"\r\n\r\n" +
             random.words(5) + "\r\n--cut--\r\n";
    default:
      return text + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n" + random.words(4) +
             "\r\n";
  }
}

std::string randomQuery(Random& random, int depth = 0) {
  static const std::vector<std::string> fields = {
      "", "", "subject:", "body:", "attachment:", "from:", "to:", "header:x-record="};
  switch (depth > 3 ? random.below(3) : random.below(7)) {
    case 0:
      return fields[random.below(fields.size())] + random.word();
    case 1:
      return fields[random.below(fields.size())] + "\"" + random.words(3) + "\"";
    case 2:
      return random.below(2) == 0 ? "from:ann@x.example" : "to:@y.example";
    case 3:
      return "-(" + randomQuery(random, depth + 1) + ")";
    case 4:
      return "(" + randomQuery(random, depth + 1) + " OR " + randomQuery(random, depth + 1) + ")";
    default:
      return "(" + randomQuery(random, depth + 1) + " " + randomQuery(random, depth + 1) + ")";
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_search_SearchIndex)

BOOST_AUTO_TEST_CASE(finds_words_phrases_people_headers_and_attachments) {
  Index t;
  t.index->add(1, mailOf("=?utf-8?Q?R=C3=A9union?= budget", "The renal failure was discussed."), {"carl@z.example"});
  t.index->add(2, mailOf("Other", "failure renal", "X-Record: clinical trial\r\nCc: eve@y.example\r\n"), {});
  t.index->add(7,
               mailOf("Files", "",
                      "MIME-Version: 1.0\r\nContent-Type: text/plain; name=\"kidney report.txt\"\r\n"
                      "Content-Transfer-Encoding: base64\r\n"),
               {});
  BOOST_TEST(t.find("reunion") == Ids{1}, boost::test_tools::per_element());
  BOOST_TEST(t.find("subject:RÉUNION") == Ids{1}, boost::test_tools::per_element());
  BOOST_TEST(t.find("body:reunion") == Ids{}, boost::test_tools::per_element());
  BOOST_TEST(t.find("renal failure") == (Ids{1, 2}), boost::test_tools::per_element());
  BOOST_TEST(t.find("\"renal failure\"") == Ids{1}, boost::test_tools::per_element());
  BOOST_TEST(t.find("from:ann@x.example") == (Ids{1, 2, 7}), boost::test_tools::per_element());
  BOOST_TEST(t.find("from:miller -failure") == Ids{7}, boost::test_tools::per_element());
  BOOST_TEST(t.find("to:carl@z.example OR to:@y.example") == (Ids{1, 2}), boost::test_tools::per_element());
  BOOST_TEST(t.find("header:x-record=clinical") == Ids{2}, boost::test_tools::per_element());
  BOOST_TEST(t.find("header:x-record=\"trial clinical\"") == Ids{}, boost::test_tools::per_element());
  BOOST_TEST(t.find("attachment:kidney") == Ids{7}, boost::test_tools::per_element());
  BOOST_TEST(t.find("-renal") == Ids{7}, boost::test_tools::per_element());
  BOOST_TEST(t.find("renal after:2025-01-01") == (Ids{1, 2}), boost::test_tools::per_element());
  const auto facts = [](const records::Predicate&, std::uint64_t id) { return id == 2 || id == 7; };
  BOOST_TEST(t.index->find(*records::Query::parse("renal -after:2025-01-01"), facts) == Ids{1},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_sealed_or_damaged_is_noted_and_not_evaluable) {
  Index t;
  const auto sealed = mailOf("s", "x", "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n");
  const auto pgp = mailOf("s", "-----BEGIN PGP MESSAGE-----\r\n\r\nabc");
  const auto broken = mailOf("s", "x", "no colon here\r\n");
  const auto twice = mailOf("s", "x", "Content-Type: text/plain\r\nContent-Type: text/html\r\n");
  std::uint64_t id = 0;
  for (const auto& mail : {sealed, pgp, broken, twice}) {
    t.index->add(++id, mail, {});
    BOOST_TEST(!t.index->evaluableSince(id).has_value());
    BOOST_TEST((matchesContent(*records::Query::parse("x"), mail, {}) == records::Truth::Unknown));
  }
  BOOST_TEST(t.find("-nothing") == Ids{}, boost::test_tools::per_element());
  BOOST_TEST(t.index->counts().unreadable == 4u);
  BOOST_TEST(!t.index->evaluableSince(99).has_value());
}

BOOST_AUTO_TEST_CASE(answers_as_the_content_itself_for_random_messages_and_queries) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Index t;
    Random random(seed);
    std::vector<std::string> mails;
    std::vector<SearchIndex::NewObject> objects;
    for (std::uint64_t id = 0; id < 60; ++id) {
      mails.push_back(randomMail(random));
      objects.push_back({id, mails.back(), {"zoe@y.example"}});
    }
    t.index->addAll(objects);
    t.reopen();
    for (int round = 0; round < 150; ++round) {
      const auto text = randomQuery(random);
      const auto query = records::Query::parse(text);
      BOOST_REQUIRE_MESSAGE(query, text);
      Ids expected;
      for (std::uint64_t id = 0; id < mails.size(); ++id)
        if (matchesContent(*query, mails[id], {"zoe@y.example"}) == records::Truth::True) expected.push_back(id);
      BOOST_TEST_CONTEXT(text) BOOST_TEST(t.index->find(*query) == expected, boost::test_tools::per_element());
      Ids oneByOne;
      for (std::uint64_t id = 0; id < mails.size() + 2; ++id)
        if (t.index->finds(*query, id)) oneByOne.push_back(id);
      BOOST_TEST_CONTEXT(text) BOOST_TEST(oneByOne == expected, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(no_file_tells_a_word) {
  Index t;
  t.index->add(1, mailOf("canarysubject", "canarybody and canarybody", "X-Canary: canaryheader\r\n"),
               {"canary@z.example"});
  for (const auto* word : {"canary", "CANARY", "z.example", "ann@x"})
    BOOST_TEST(!folderHolds(t.folder.path() / "index", word));
}

BOOST_AUTO_TEST_CASE(what_is_removed_leaves_no_token_in_any_file) {
  Index t;
  Random random(7);
  // Two chunks and some fresh ones; the tokens lie in clear in none of the files, so look at the store itself.
  std::vector<SearchIndex::NewObject> objects;
  for (std::uint64_t id = 1; id <= 9000; ++id)
    objects.push_back({id, mailOf("word" + std::to_string(id), "plan " + std::to_string(id % 10)), {}});
  t.index->addAll(objects);
  t.index->add(9001, mailOf("late", "plan"), {});
  Ids gone = {9001, 123456};
  for (std::uint64_t id = 2; id <= 9000; id += 2) gone.push_back(id);
  t.index->remove(gone);
  BOOST_TEST(t.find("plan").size() == 4500u);
  BOOST_TEST(t.find("word2") == Ids{}, boost::test_tools::per_element());
  BOOST_TEST(t.find("word3") == Ids{3}, boost::test_tools::per_element());
  BOOST_TEST(t.index->counts().indexed == 4500u);
  t.reopen();
  BOOST_TEST(t.find("word2 OR late") == Ids{}, boost::test_tools::per_element());
  BOOST_TEST(t.find("plan").size() == 4500u);
  const auto wal = t.folder.path() / "index/index.db-wal";
  BOOST_TEST((!std::filesystem::exists(wal) || std::filesystem::file_size(wal) == 0));
}

BOOST_AUTO_TEST_CASE(the_bytes_of_what_was_removed_are_overwritten_at_once) {
  Index t;
  t.index->add(1, mailOf("first", "keep"), {});
  t.index->add(2, mailOf("second", "go away"), {});
  // The sealed tokens of object 2 as they lie in the file.
  std::string sealed;
  {
    auto reader = store::Database::openReader(t.folder.path() / "index/index.db");
    auto select = reader.prepare("SELECT tokens FROM fresh WHERE object_id = 2");
    BOOST_REQUIRE(select.step());
    sealed = select.blob(0).substr(20, 40);
  }
  BOOST_TEST(folderHolds(t.folder.path() / "index", sealed));
  t.index->remove({2});
  BOOST_TEST(!folderHolds(t.folder.path() / "index", sealed));
}

BOOST_AUTO_TEST_CASE(an_object_that_is_added_again_is_replaced_and_keeps_its_time) {
  Index t;
  t.index->add(1, mailOf("old", "text"), {});
  t.clock.advance(std::chrono::hours(1));
  t.index->add(1, mailOf("new", "text"), {});
  BOOST_TEST(t.find("old") == Ids{}, boost::test_tools::per_element());
  BOOST_TEST(t.find("new") == Ids{1}, boost::test_tools::per_element());
  BOOST_TEST((t.index->evaluableSince(1) == Start));
  BOOST_TEST(t.index->counts().indexed == 1u);
}

BOOST_AUTO_TEST_CASE(a_rebuild_goes_on_after_a_crash_and_takes_the_place_of_the_old_one) {
  Index t;
  t.index->addAll({{1, mailOf("one", "text"), {}}, {2, mailOf("two", "text"), {}}, {3, mailOf("three", "text"), {}}});
  t.clock.advance(std::chrono::hours(5));
  t.index->beginRebuild();
  t.index->addRebuilt({{1, mailOf("one", "text"), {}}});
  t.reopen();
  BOOST_TEST(t.index->rebuilt() == Ids{1}, boost::test_tools::per_element());
  t.index->addRebuilt({{2, mailOf("two", "text"), {}}, {3, mailOf("three", "text"), {}}});
  t.index->add(4, mailOf("four", "text"), {});
  t.index->remove({2});
  BOOST_TEST(t.find("text") == (Ids{1, 3, 4}), boost::test_tools::per_element());
  t.index->finishRebuild();
  BOOST_TEST(t.find("text") == (Ids{1, 3, 4}), boost::test_tools::per_element());
  BOOST_TEST((t.index->evaluableSince(1) == Start));
  t.reopen();
  BOOST_TEST(t.find("text") == (Ids{1, 3, 4}), boost::test_tools::per_element());
  BOOST_TEST(t.index->rebuilt().empty());
}

BOOST_AUTO_TEST_CASE(some_hits_and_hits_among_given_objects_are_those_of_the_whole_answer) {
  Index t;
  std::mt19937_64 random(7);
  std::vector<SearchIndex::NewObject> batch;
  for (int i = 0; i < 8600; ++i)  // more than a chunk, the rest fresh
    batch.push_back({random() >> 1, mailOf("m", random() % 2 == 0 ? "common" : "other", ""), {}});
  t.index->addAll({batch.begin(), batch.begin() + 8300});
  t.index->addAll({batch.begin() + 8300, batch.end()});
  Ids removed;
  for (int i = 0; i < 8600; i += 50) removed.push_back(batch[static_cast<std::size_t>(i)].objectId);
  t.index->remove(removed);
  const auto query = *records::Query::parse("common larger:1");
  const SearchIndex::FactAnswers facts = [](const records::Predicate&, std::uint64_t id) { return id % 3 != 0; };
  const auto all = t.index->find(query, facts);
  BOOST_TEST(all.size() > 2000u);
  BOOST_TEST(std::is_sorted(all.begin(), all.end()));
  const auto some = t.index->findSome(query, facts, 100);
  BOOST_TEST(some.size() >= 100u);
  BOOST_TEST(std::includes(all.begin(), all.end(), some.begin(), some.end()));
  Ids asked, expected;
  for (int i = 0; i < 8600; i += 7) asked.push_back(batch[static_cast<std::size_t>(i)].objectId);
  asked.push_back(1);  // not there
  std::sort(asked.begin(), asked.end());
  std::set_intersection(all.begin(), all.end(), asked.begin(), asked.end(), std::back_inserter(expected));
  BOOST_TEST(t.index->findAmong(query, facts, asked) == expected, boost::test_tools::per_element());
  t.reopen();
  BOOST_TEST(t.index->counts().indexed == 8600u - removed.size());
}

BOOST_AUTO_TEST_CASE(an_index_of_another_root_key_or_a_damaged_one_is_made_anew) {
  Index t;
  t.index->add(1, mailOf("one", "text"), {});
  t.index.reset();
  t.root.emplace(vault::RootKey::create(t.folder.path() / "other.key"));
  t.reopen();
  BOOST_TEST(t.index->known().empty());
  t.index->add(1, mailOf("one", "text"), {});
  t.index.reset();
  files::replaceDurably(t.folder.path() / "index/index.db", std::string(5000, 'x'));
  t.reopen();
  BOOST_TEST(t.index->known().empty());
  // Also where the tables stand and what is in them does not open.
  t.index->add(1, mailOf("one", "text"), {});
  t.index.reset();
  {
    auto file = store::Database::openWriter(t.folder.path() / "index/index.db");
    file.execute("UPDATE fresh SET tokens = zeroblob(40)");
  }
  t.reopen();
  BOOST_TEST(t.index->known().empty());
}

BOOST_AUTO_TEST_SUITE_END()
