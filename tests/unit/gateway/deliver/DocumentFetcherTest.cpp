// What certificates name as places is not trusted: the gateway asks only public addresses, also behind a redirect.
#include "gateway/deliver/DocumentFetcher.h"

using namespace postern;
using namespace postern::gateway;

namespace {

struct FakeResolver : net::Resolver {
  std::map<std::string, std::vector<std::string>> known;
  net::DnsAnswer<net::MxRecord> mx(std::string_view) override { return {}; }
  net::DnsAnswer<std::string> addresses(std::string_view host) override {
    net::DnsAnswer<std::string> answer;
    const auto found = known.find(std::string(host));
    if (found == known.end()) return answer;
    answer.outcome = net::DnsOutcome::Found;
    answer.records = found->second;
    return answer;
  }
  net::DnsAnswer<std::string> txt(std::string_view) override { return {}; }
  net::DnsAnswer<net::TlsaRecord> tlsa(std::string_view) override { return {}; }
};

struct FakeClient : net::HttpsClient {
  std::vector<net::HttpsRequest> asked;
  std::map<std::string, std::string> redirects;  // host: URL
  Result<net::HttpsDocument, std::string> get(const net::HttpsRequest& request) override {
    asked.push_back(request);
    const auto found = redirects.find(request.host);
    if (found != redirects.end()) return net::HttpsDocument{302, "", "", found->second};
    return net::HttpsDocument{200, "", "body", ""};
  }
};

struct Scene {
  FakeResolver resolver;
  FakeClient client;
  app::FetchedDocument fetch(const std::string& url, bool allowPrivate = false, const std::string& question = {}) {
    return DocumentFetcher(resolver, client, {allowPrivate, false}).fetch({url, question, "x/y", 100});
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(only_public_addresses_are_asked) {
  for (const std::string address :
       {"127.0.0.1",   "10.1.2.3", "172.16.0.1",      "172.31.255.255",  "192.168.1.1",  "169.254.169.254",
        "100.64.0.1",  "0.0.0.0",  "224.0.0.1",       "255.255.255.255", "::1",          "::",
        "fe80::1",     "fc00::1",  "::ffff:10.0.0.1", "64:ff9b::a00:1",  "2002:a00:1::", "2001:0:1::1",
        "2001:db8::1", "ff02::1",  "nonsense"})
    BOOST_TEST(!isPublicAddress(address), address);
  for (const std::string address : {"8.8.8.8", "172.32.0.1", "192.169.0.1", "2a00:1450::1", "2001:4860:4860::8888"})
    BOOST_TEST(isPublicAddress(address), address);
}

BOOST_AUTO_TEST_CASE(a_host_is_asked_at_its_public_addresses_alone) {
  Scene a;
  a.resolver.known["ca.example"] = {"10.0.0.1", "8.8.8.8"};
  BOOST_TEST(a.fetch("http://CA.example/a.crl?x#y").body == "body");
  BOOST_REQUIRE(a.client.asked.size() == 1u);
  BOOST_TEST(a.client.asked[0].addresses == std::vector<std::string>{"8.8.8.8"});
  BOOST_TEST(a.client.asked[0].path == "/a.crl?x");
  BOOST_TEST(a.client.asked[0].plain);
  a.resolver.known["ca.example"] = {"10.0.0.1"};
  BOOST_TEST(a.fetch("http://ca.example/").problem.find("public") != std::string::npos);
  BOOST_TEST(a.fetch("http://127.0.0.1/").problem.find("public") != std::string::npos);
  BOOST_TEST(a.client.asked.size() == 1u);
  BOOST_TEST(a.fetch("http://127.0.0.1:8080/", true).body == "body");
}

// libcurl takes each of these for an address, or asks the system for a name that was never looked at.
BOOST_AUTO_TEST_CASE(what_only_looks_like_a_host_is_not_asked) {
  Scene a;
  for (const std::string host : {"127.1", "0x7f.1", "2130706433", "0x7f000001", "10.0.0.1.", "ca.example.", ".example",
                                 "ca..example", "a.123", "a.0x1", "127.0.0.1%00.example", "user@ca.example"}) {
    a.resolver.known[host] = {"8.8.8.8"};
    BOOST_TEST(!a.fetch("http://" + host + "/", true).problem.empty(), host);
  }
  BOOST_TEST(a.client.asked.empty());
  a.resolver.known["ca1.3com.example"] = {"8.8.8.8"};
  BOOST_TEST(a.fetch("http://ca1.3com.example/").body == "body");
  BOOST_TEST(a.fetch("http://8.8.4.4/").body == "body");
}

BOOST_AUTO_TEST_CASE(redirects_are_few_and_looked_at_like_the_first_address) {
  Scene a;
  a.resolver.known = {{"a.example", {"8.8.8.8"}}, {"b.example", {"8.8.4.4"}}};
  a.client.redirects["a.example"] = "http://b.example/";
  BOOST_TEST(a.fetch("http://a.example/").body == "body");
  BOOST_TEST(!a.fetch("http://a.example/", false, "posted").problem.empty());
  for (const std::string to :
       {"http://169.254.169.254/secret", "file:///etc/passwd", "gopher://b.example/", "http://a.example/"}) {
    a.client.redirects["a.example"] = to;
    a.client.asked.clear();
    const auto document = a.fetch("http://a.example/");
    BOOST_TEST(document.body.empty(), to);
    BOOST_TEST(!document.problem.empty(), to);
    BOOST_TEST(a.client.asked.size() <= 3u, to);
  }
}

BOOST_AUTO_TEST_CASE(webhooks_have_a_setting_of_their_own_for_private_addresses) {
  Scene a;
  const auto fetch = [&](DocumentFetcher::Private allowed, bool webhook) {
    app::DocumentRequest request{"https://127.0.0.1/hook", "{}", "application/json", 100, true};
    request.webhook = webhook;
    request.fields = {"webhook-id: 1"};
    return DocumentFetcher(a.resolver, a.client, allowed).fetch(request).problem;
  };
  BOOST_TEST(fetch({true, false}, true).find("web.webhook_hosts") != std::string::npos);
  BOOST_TEST(!fetch({false, true}, false).empty());
  BOOST_TEST(a.client.asked.empty());
  BOOST_TEST(fetch({false, true}, true).empty());
  BOOST_TEST(a.client.asked.at(0).fields.at(0) == "webhook-id: 1");
}

BOOST_AUTO_TEST_CASE(what_is_not_signed_itself_comes_from_the_host_that_was_asked) {
  Scene a;
  a.resolver.known = {{"a.example", {"8.8.8.8"}}, {"b.example", {"8.8.4.4"}}};
  const auto fetch = [&] {
    return DocumentFetcher(a.resolver, a.client, {}).fetch({"https://a.example/k", {}, {}, 100, true});
  };
  BOOST_TEST(fetch().body == "body");
  for (const std::string to : {"https://b.example/k", "http://a.example/k", "https://a.example.b.example/k"}) {
    a.client.redirects["a.example"] = to;
    a.client.asked.clear();
    BOOST_TEST(!fetch().problem.empty(), to);
    BOOST_TEST(a.client.asked.size() == 1u, to);
  }
}

BOOST_AUTO_TEST_CASE(addresses_that_are_not_plain_are_refused) {
  for (const std::string url :
       {"", "http://", "ftp://a.example/", "http://a.example:0/", "http://a.example:99999/", "http://user@a.example/",
        "http://a.example:80x/", "http://[::1", "http://[a.example]/", "http://a exa/", "http://a.example/\r\nX: y"})
    BOOST_TEST(!parseWebAddress(url).has_value(), url);
  const auto six = parseWebAddress("https://[2001:db8::1]:444/x");
  BOOST_REQUIRE(six.has_value());
  BOOST_TEST(six->host == "2001:db8::1");
  BOOST_TEST(six->port == 444);
}
