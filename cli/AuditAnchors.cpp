#include "cli/AuditAnchors.h"

#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"

#include <curl/curl.h>
#include <openssl/ts.h>
#include <Poco/Net/DatagramSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/URI.h>

#include <functional>

namespace postern::cli {
namespace {

constexpr long NetworkSeconds = 30;
constexpr std::size_t LargestAnswer = 1 << 20;

using RequestPtr = crypto::OpenSslPtr<TS_REQ, &TS_REQ_free>;
using ResponsePtr = crypto::OpenSslPtr<TS_RESP, &TS_RESP_free>;
using ImprintPtr = crypto::OpenSslPtr<TS_MSG_IMPRINT, &TS_MSG_IMPRINT_free>;
using AlgorithmPtr = crypto::OpenSslPtr<X509_ALGOR, &X509_ALGOR_free>;
using IntegerPtr = crypto::OpenSslPtr<ASN1_INTEGER, &ASN1_INTEGER_free>;
using VerifyPtr = crypto::OpenSslPtr<TS_VERIFY_CTX, &TS_VERIFY_CTX_free>;

struct CurlEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t collect(const char* bytes, std::size_t one, std::size_t count, void* target) {
  auto& answer = *static_cast<std::string*>(target);
  if (answer.size() + one * count > LargestAnswer) return 0;
  answer.append(bytes, one * count);
  return one * count;
}

std::string post(const std::string& url, const std::string& body) {
  const std::unique_ptr<CURL, CurlEnd> handle(curl_easy_init());
  const std::unique_ptr<curl_slist, CurlEnd> headers(
      curl_slist_append(nullptr, "Content-Type: application/timestamp-query"));
  std::string answer;
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, NetworkSeconds);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_FAILONERROR, 1L);
  if (const auto code = curl_easy_perform(handle.get()); code != CURLE_OK)
    throw Error(ErrorKind::Unavailable,
                "the time-stamp authority " + url + " does not answer: " + curl_easy_strerror(code));
  return answer;
}

RequestPtr makeRequest(const std::string& text) {
  constexpr auto doing = "ask for a time stamp";
  const AlgorithmPtr algorithm(crypto::check(X509_ALGOR_new(), doing));
  crypto::check(X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr), doing);
  const ImprintPtr imprint(crypto::check(TS_MSG_IMPRINT_new(), doing));
  crypto::check(TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()), doing);
  auto digest = crypto::sha256(text);
  crypto::check(TS_MSG_IMPRINT_set_msg(imprint.get(), crypto::bytesOf(digest), static_cast<int>(digest.size())), doing);
  RequestPtr request(crypto::check(TS_REQ_new(), doing));
  crypto::check(TS_REQ_set_version(request.get(), 1), doing);
  crypto::check(TS_REQ_set_msg_imprint(request.get(), imprint.get()), doing);
  auto random = crypto::randomBytes(8);
  const crypto::BignumPtr number(
      crypto::check(BN_bin2bn(crypto::bytesOf(random), static_cast<int>(random.size()), nullptr), doing));
  const IntegerPtr nonce(crypto::check(BN_to_ASN1_INTEGER(number.get(), nullptr), doing));
  crypto::check(TS_REQ_set_nonce(request.get(), nonce.get()), doing);
  crypto::check(TS_REQ_set_cert_req(request.get(), 1), doing);
  return request;
}

void checkResponse(TS_RESP* response, TS_REQ* request, const std::string& authorities) {
  const VerifyPtr verify(crypto::check(TS_REQ_to_TS_VERIFY_CTX(request, nullptr), "check a time stamp"));
  TS_VERIFY_CTX_add_flags(verify.get(), TS_VFY_SIGNATURE);
  crypto::X509StorePtr store(crypto::check(X509_STORE_new(), "check a time stamp"));
  crypto::check(X509_STORE_load_file(store.get(), authorities.c_str()), "read the authorities in " + authorities);
  TS_VERIFY_CTX_set_store(verify.get(), store.release());  // owned by it from here
  crypto::check(TS_RESP_verify_response(verify.get(), response), "believe the time stamp");
}

std::string stampedAt(TS_RESP* response) {
  const auto* time = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
  const crypto::BioPtr text(BIO_new(BIO_s_mem()));
  ASN1_GENERALIZEDTIME_print(text.get(), time);
  return std::string(crypto::contentOf(text.get()));
}

std::pair<std::string, Poco::Net::SocketAddress> syslogTarget(const std::string& url) {
  const Poco::URI uri(url);
  if ((uri.getScheme() != "tcp" && uri.getScheme() != "udp") || uri.getHost().empty() || uri.getPort() == 0)
    throw Error(ErrorKind::Config, "audit.syslog must be as in \"tcp://log.example.org:601\", not \"" + url + "\"");
  return {uri.getScheme(), Poco::Net::SocketAddress(uri.getHost(), uri.getPort())};
}

AnchorResult attempt(const char* kind, const std::function<AnchorResult()>& work) {
  try {  // the boundary of one anchor: the others are carried all the same
    auto result = work();
    result.kind = kind;
    result.good = true;
    return result;
  } catch (const std::exception& error) {
    return {kind, false, false, {}, error.what()};
  }
}

// Keys are added, never taken away: older checkpoints still need the older ones.
void keepPublicKey(const std::filesystem::path& folder, const std::string& key) {
  const auto file = folder / "public-key";
  const auto known = std::filesystem::exists(file) ? files::read(file) : std::string();
  if (known.find(key + "\n") == std::string::npos) files::replaceDurably(file, known + key + "\n");
}

AnchorResult keepFile(const std::filesystem::path& folder, const AnchoredCheckpoint& checkpoint) {
  files::makePrivateFolder(folder);
  keepPublicKey(folder, checkpoint.publicKey);
  const auto file = folder / (std::to_string(checkpoint.size) + ".checkpoint");
  if (!std::filesystem::exists(file)) {
    files::replaceDurably(file, checkpoint.note, 0400);
    return {{}, true, true, file.string(), "kept as " + file.string()};
  }
  if (files::read(file) != checkpoint.note)
    throw Error(ErrorKind::Invariant, file.string() +
                                          " holds another checkpoint of the same size: the log was put back " +
                                          "or rewritten; see: postern audit verify");
  return {{}, true, false, {}, "has it already: " + file.string()};
}

AnchorResult keepTimestamp(const config::SiteConfig& site, const AnchoredCheckpoint& checkpoint) {
  const auto folder = site.path(site.anchorFolder);
  const auto file = folder / (std::to_string(checkpoint.size) + ".tsr");
  if (std::filesystem::exists(file)) return {{}, true, false, {}, "has it already: " + file.string()};
  const auto token = fetchTimestamp(site.timestampUrl, checkpoint.note, site.path(site.timestampAuthorities).string());
  files::makePrivateFolder(folder);
  files::replaceDurably(file, token, 0400);
  return {{}, true, true, crypto::base64(token), "stamped by " + site.timestampUrl};
}

AnchorResult keepSyslog(const config::SiteConfig& site, const AnchoredCheckpoint& checkpoint) {
  const auto sent = site.path(site.anchorFolder) / "syslog-sent";
  const auto size = std::to_string(checkpoint.size);
  if (std::filesystem::exists(sent) && files::read(sent) == size) return {{}, true, false, {}, "has it already"};
  sendSyslog(site.auditSyslog, site.hostName, checkpoint.note);
  files::makePrivateFolder(sent.parent_path());
  files::replaceDurably(sent, size);
  return {{}, true, true, site.auditSyslog, "sent to " + site.auditSyslog};
}

}  // namespace

void sendSyslog(const std::string& url, const std::string& hostName, const std::string& text) {
  // Facility 13 (log audit), severity 5 (notice). One line: the note in base64, so that no relay can break it.
  const auto message = "<109>1 " + formatRfc3339(SystemClock().now()) + " " + hostName + " postern - checkpoint " +
                       "[audit@32473 note=\"" + crypto::base64(text) + "\"] " + text.substr(0, text.find('\n'));
  try {
    const auto [scheme, address] = syslogTarget(url);
    if (scheme == "udp") {
      Poco::Net::DatagramSocket socket(address.family());
      socket.connect(address);
      socket.sendBytes(message.data(), static_cast<int>(message.size()));
      return;
    }
    Poco::Net::StreamSocket socket;
    socket.connect(address, Poco::Timespan(NetworkSeconds, 0));
    socket.setSendTimeout(Poco::Timespan(NetworkSeconds, 0));
    const auto framed = std::to_string(message.size()) + " " + message;  // RFC 6587 §3.4.1
    socket.sendBytes(framed.data(), static_cast<int>(framed.size()));
    socket.shutdownSend();
  } catch (const Error&) {
    throw;
  } catch (const Poco::Exception& error) {
    throw Error(ErrorKind::Unavailable, "the syslog at " + url + " cannot be reached: " + error.displayText());
  }
}

std::string fetchTimestamp(const std::string& url, const std::string& text, const std::string& authorities) {
  const auto request = makeRequest(text);
  unsigned char* der = nullptr;
  const int size = i2d_TS_REQ(request.get(), &der);
  crypto::check(size, "ask for a time stamp");
  const std::string asked(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  const auto answer = post(url, asked);
  const auto* bytes = crypto::bytesOf(answer);
  const ResponsePtr response(d2i_TS_RESP(nullptr, &bytes, static_cast<long>(answer.size())));
  if (!response) crypto::throwOpenSsl("read the answer of " + url);
  checkResponse(response.get(), request.get(), authorities);
  if (stampedAt(response.get()).empty()) throw Error(ErrorKind::Crypto, "the time stamp of " + url + " has no time");
  return answer;
}

std::vector<AnchorResult> carryCheckpoint(const config::SiteConfig& site, const AnchoredCheckpoint& checkpoint) {
  std::vector<AnchorResult> results;
  results.push_back(attempt("file", [&] { return keepFile(site.path(site.anchorFolder), checkpoint); }));
  if (!site.auditSyslog.empty()) results.push_back(attempt("syslog", [&] { return keepSyslog(site, checkpoint); }));
  if (!site.timestampUrl.empty())
    results.push_back(attempt("timestamp", [&] { return keepTimestamp(site, checkpoint); }));
  return results;
}

}  // namespace postern::cli
