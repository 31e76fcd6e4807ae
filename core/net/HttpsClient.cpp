#include "core/net/HttpsClient.h"

#include "core/base/Error.h"

#include <curl/curl.h>

#include <memory>

namespace postern::net {

namespace {

struct EasyFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Receiving {
  std::string body;
  std::size_t maxBytes;
  bool tooLarge = false;
};

// The signature is libcurl's.
std::size_t receive(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& receiving = *static_cast<Receiving*>(to);
  if (count > receiving.maxBytes - receiving.body.size()) {
    receiving.tooLarge = true;
    return 0;
  }
  receiving.body.append(bytes, one * count);
  return one * count;
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  if (curl_easy_setopt(handle, option, value) != CURLE_OK)
    throw Error(ErrorKind::Tls, "libcurl does not know an option that fetching over HTTPS needs");
}

// "HOST:PORT:ADDRESS,[ADDRESS]": what libcurl takes for an answer of the DNS.
std::string resolveEntry(const HttpsRequest& request) {
  auto entry = request.host + ":" + std::to_string(request.port) + ":";
  for (const auto& address : request.addresses) {
    if (entry.back() != ':') entry += ',';
    entry += address.find(':') == std::string::npos ? address : "[" + address + "]";
  }
  return entry;
}

}  // namespace

CurlHttpsClient::CurlHttpsClient(std::filesystem::path trustAnchors) : trustAnchors_(std::move(trustAnchors)) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_ALL);
  if (ready != CURLE_OK) throw Error(ErrorKind::Tls, "cannot start libcurl");
}

namespace {

curl_slist* fieldsOf(const HttpsRequest& request) {
  curl_slist* fields = nullptr;
  if (!request.question.empty()) fields = curl_slist_append(fields, ("Content-Type: " + request.type).c_str());
  for (const auto& field : request.fields)
    if (field.find_first_of("\r\n") == field.npos) fields = curl_slist_append(fields, field.c_str());
  return fields;
}

}  // namespace

Result<HttpsDocument, std::string> CurlHttpsClient::get(const HttpsRequest& request) {
  if (request.addresses.empty()) return Unexpected(request.host + " has no address");
  if (trustAnchors_.empty() && !request.plain)
    return Unexpected(std::string("no certificate authority is trusted here"));
  const std::unique_ptr<CURL, EasyFree> owned(curl_easy_init());
  auto* handle = owned.get();
  if (!handle) throw Error(ErrorKind::Tls, "cannot start libcurl");
  const std::unique_ptr<curl_slist, ListFree> resolve(curl_slist_append(nullptr, resolveEntry(request).c_str()));
  const std::unique_ptr<curl_slist, ListFree> fields(fieldsOf(request));
  Receiving receiving{{}, request.maxBytes};
  char why[CURL_ERROR_SIZE] = {};
  const std::string scheme = request.plain ? "http" : "https";
  const auto url = scheme + "://" + request.host + ":" + std::to_string(request.port) + request.path;
  set(handle, CURLOPT_URL, url.c_str());
  set(handle, CURLOPT_RESOLVE, resolve.get());
  set(handle, CURLOPT_PROTOCOLS_STR, scheme.c_str());
  set(handle, CURLOPT_PROXY, "");
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // Both, since libcurl has a default for the one that is not given.
  const bool folder = std::filesystem::is_directory(trustAnchors_);
  const auto* path = trustAnchors_.c_str();
  set(handle, CURLOPT_CAINFO, folder ? static_cast<const char*>(nullptr) : path);
  set(handle, CURLOPT_CAPATH, folder ? path : static_cast<const char*>(nullptr));
  set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
  set(handle, CURLOPT_USERAGENT, "Postern");
  set(handle, CURLOPT_WRITEFUNCTION, &receive);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&receiving));
  set(handle, CURLOPT_ERRORBUFFER, why);
  if (fields) set(handle, CURLOPT_HTTPHEADER, fields.get());
  if (!request.question.empty()) {
    set(handle, CURLOPT_POSTFIELDS, request.question.c_str());
    set(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.question.size()));
  }
  const auto code = curl_easy_perform(handle);
  if (receiving.tooLarge) return Unexpected(std::string("the document is too large"));
  if (code != CURLE_OK) return Unexpected(std::string(why[0] != '\0' ? why : curl_easy_strerror(code)));
  HttpsDocument document;
  const char* type = nullptr;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &document.status);
  curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  if (type) document.contentType = type;
  const char* redirect = nullptr;
  curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect) document.redirect = redirect;
  document.body = std::move(receiving.body);
  return document;
}

}  // namespace postern::net
