#pragma once
#include "core/base/Result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace postern::net {

struct HttpsRequest {
  std::string host;  // the certificate has to be for this name
  std::uint16_t port = 443;
  std::vector<std::string> addresses;  // of the host; no DNS is asked here
  std::string path;                    // begins with a slash
  std::size_t maxBytes = 64 * 1024;    // of the body
  std::chrono::milliseconds limit{20000};
  bool plain = false;                    // http: only for what is signed itself
  std::string question;                  // posted, when there is one
  std::string type;                      // of the question
  std::vector<std::string> fields = {};  // more fields of the request, each "Name: value" without line ends
};

struct HttpsDocument {
  long status = 0;
  std::string contentType;
  std::string body;
  std::string redirect = {};  // the address that the server sends to, as a whole URL; empty: none
};

// Fetches one document over HTTPS, or HTTP where the request says so. Never follows redirects, uses no proxy, never
// goes on without a trusted certificate for the host's name. Threads: safe for all. Errors: what the network does is a
// value, in words.
class HttpsClient {
public:
  virtual ~HttpsClient() = default;
  virtual Result<HttpsDocument, std::string> get(const HttpsRequest& request) = 0;
};

// The real one, by libcurl.
class CurlHttpsClient : public HttpsClient {
public:
  // `trustAnchors`: a PEM file or a folder with hashed names; empty: nothing is trusted.
  explicit CurlHttpsClient(std::filesystem::path trustAnchors);
  Result<HttpsDocument, std::string> get(const HttpsRequest& request) override;

private:
  const std::filesystem::path trustAnchors_;
};

}  // namespace postern::net
