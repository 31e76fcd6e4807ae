#pragma once
#include "core/app/Orders.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Requests and responses as values, free of sockets, so that the whole site can be driven by a test.
namespace postern::webadmin {

// Named values in the order they came: a query string, a form, cookies. The first of a name counts.
class Fields {
public:
  void add(std::string name, std::string value) { items_.emplace_back(std::move(name), std::move(value)); }
  std::string get(std::string_view name, std::string_view otherwise = {}) const;
  bool has(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }
  void wipe();  // overwrites the values and forgets all: for forms that hold secrets

private:
  std::vector<std::pair<std::string, std::string>> items_;
};

enum class Method : std::uint8_t { Get, Post, Patch, Delete };

struct Request {
  Method method = Method::Get;
  std::string path = "/";  // percent-decoded per segment only after routing
  Fields query;
  Fields form;  // of a POST: fields, and the content of uploaded files under their field name; behind it name and
                // type of the file, as "field.name" and "field.type"
  Fields cookies;
  std::string body;            // as it came, under /api/v1 only
  std::string authorization;   // Authorization header, or empty
  std::string contentType;     // Content-Type header, under /api/v1 only
  std::string idempotencyKey;  // Idempotency-Key header, or empty
  std::string host;            // Host header
  std::string origin;          // Origin header, or empty
  std::string fetchSite;       // Sec-Fetch-Site header, or empty
  std::string ifNoneMatch;
  std::string clientAddress;
  app::HttpsFacts https;  // of the connection
  std::string userAgent;  // User-Agent header, or empty
};

struct Response {
  int status = 200;
  std::string contentType = "text/html; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides the ones that every response carries
  bool cacheable = false;                                    // static files only
  std::string policy;  // another Content-Security-Policy than the site's: only for a message's own HTML

  // A long download: `length` bytes in pieces, asked for one after another from the offset given, in place of `body`. A
  // piece that cannot be had ends the connection, so that the browser knows the file is not whole.
  std::uint64_t length = 0;
  std::function<std::string(std::uint64_t offset)> pieces;

  static Response redirect(std::string location);  // 303: the next request is a GET
};

// "a=1&b=%20" as in application/x-www-form-urlencoded. Nothing when an escape is broken or there are more than 200
// fields.
std::optional<Fields> parseUrlEncoded(std::string_view text);

// multipart/form-data (RFC 7578) with the boundary of the Content-Type. Nothing when it is malformed.
std::optional<Fields> parseMultipart(std::string_view body, std::string_view contentType);

// The body of a POST by its Content-Type; nothing when it is malformed or of another type.
std::optional<Fields> parseForm(std::string_view body, std::string_view contentType);

Fields parseCookies(std::string_view header);

// Percent-decoding of one path segment or query value; nothing when an escape is broken or the result holds a NUL.
std::optional<std::string> percentDecode(std::string_view text, bool plusIsSpace);
std::string percentEncode(std::string_view text);

// True for what belongs to the REST API, which has its own rules: tokens in place of cookies, JSON in place of forms.
bool isApi(std::string_view path);

// True for a path on this site that a redirect may go to: "/lists", never "//evil.example" or "/\evil.example".
bool isLocalPath(std::string_view path);

}  // namespace postern::webadmin
