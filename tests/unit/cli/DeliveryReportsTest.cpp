#include "cli/DeliveryReports.h"
#include "core/audit/Checkpoint.h"
#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "tests/support/TempFolder.h"

#include <nlohmann/json.hpp>
#include <sstream>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

std::string pemOf(const audit::SignerKey& key) {
  const std::string prefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
  return "-----BEGIN PUBLIC KEY-----\n" + crypto::base64(prefix + key.verifier().publicKey()) +
         "\n-----END PUBLIC KEY-----\n";
}

struct SignedPages {
  TempFolder folder;
  audit::SignerKey key = audit::SignerKey::generate("site/report");
  std::vector<json> pages;

  SignedPages() {
    for (int i = 0; i < 3; ++i)
      pages.push_back(sign({{"form", "postern-report-v1"},
                            {"name", "delivery"},
                            {"site", "postern.example"},
                            {"asked", {{"list", "board@lists.example"}}},
                            {"columns", {"recipient"}},
                            {"rows", {{"jürgen@exämple.org"}, {i}}},
                            {"after", i == 0 ? "" : "p" + std::to_string(i)},
                            {"next", i == 2 ? "" : "p" + std::to_string(i + 1)}},
                           key));
  }

  static json sign(json page, const audit::SignerKey& signer) {
    page.erase("signature");
    page["publicKey"] = pemOf(signer);
    page["signature"] = crypto::base64(signer.sign(page.dump()));
    return page;
  }

  // Whether the file with these pages passes.
  bool passes(const std::vector<json>& given, const std::string& pem = {}, int indent = -1) {
    std::string text;
    for (const auto& page : given) text += page.dump(indent) + "\n";
    files::replaceDurably(folder.path() / "report.json", text);
    if (!pem.empty()) files::replaceDurably(folder.path() / "key.pem", pem);
    std::ostringstream out, err;
    const cli::Context context{folder.path(), true, out, err};
    const cli::VerifyOptions options{(folder.path() / "report.json").string(),
                                     pem.empty() ? "" : (folder.path() / "key.pem").string()};
    const bool passed = cli::verifyReports(context, options) == cli::Exit::Ok;
    BOOST_TEST(json::parse(out.str()).at("ok") == passed);
    return passed;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_DeliveryReports)

BOOST_AUTO_TEST_CASE(whole_reports_pass_however_they_are_laid_out) {
  SignedPages s;
  BOOST_TEST(s.passes(s.pages));
  BOOST_TEST(s.passes(s.pages, {}, 2));
  BOOST_TEST(s.passes(s.pages, pemOf(s.key)));
}

BOOST_AUTO_TEST_CASE(missing_doubled_exchanged_and_foreign_pages_are_found) {
  SignedPages s;
  const auto& p = s.pages;
  const std::vector<std::vector<json>> wrong = {{},           {p[0]},       {p[0], p[1]}, {p[1], p[2]},
                                                {p[0], p[2]}, {p[2], p[1]}, {p[0], p[0]}, {p[0], p[1], p[2], p[2]}};
  for (const auto& pages : wrong) BOOST_TEST(!s.passes(pages));
  auto other = p[1];
  other["asked"]["list"] = "other@lists.example";
  BOOST_TEST(!s.passes({p[0], SignedPages::sign(other, s.key), p[2]}));
}

BOOST_AUTO_TEST_CASE(a_change_anywhere_is_found) {
  SignedPages s;
  for (const auto& [name, value] : s.pages[1].items()) {
    auto pages = s.pages;
    pages[1].erase(name);
    BOOST_TEST(!s.passes(pages), name << " gone");
    pages = s.pages;
    pages[1][name] = "changed";
    BOOST_TEST(!s.passes(pages), name << " changed");
  }
  auto pages = s.pages;
  pages[1]["more"] = 1;
  BOOST_TEST(!s.passes(pages));
}

BOOST_AUTO_TEST_CASE(another_key_is_found) {
  SignedPages s;
  const auto other = audit::SignerKey::generate("other/report");
  BOOST_TEST(!s.passes({s.pages[0], SignedPages::sign(s.pages[1], other), s.pages[2]}));
  BOOST_TEST(!s.passes(s.pages, pemOf(other)));
}

BOOST_AUTO_TEST_SUITE_END()
