#include "webadmin/HttpExchange.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <Poco/Net/NetException.h>

#include <optional>
#include <ostream>

namespace postern::webadmin {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

namespace {

// Binding: /docs names it the only policy of the site. No inline script or style, nothing from elsewhere.
constexpr const char* ContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'";

struct Refused {
  int status;
};

std::size_t countOf(const HTTPServerRequest& request, const std::string& name) {
  std::size_t count = 0;
  for (auto at = request.find(name); at != request.end() && Poco::icompare(at->first, name) == 0; ++at) ++count;
  return count;
}

// RFC 9110 §8.6: digits only. POCO would read "10, 10" or "+10" as numbers.
std::optional<std::size_t> contentLength(const HTTPServerRequest& request) {
  const auto& text = request.get("Content-Length");
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return static_cast<std::size_t>(std::stoul(text));
}

bool takesMail(const std::string& target) {
  const auto path = target.substr(0, target.find('?'));
  return path == "/send" || path == "/api/v1/messages";
}

std::string readBody(HTTPServerRequest& request, Method method) {
  const auto lengths = countOf(request, "Content-Length");
  if (request.has("Transfer-Encoding") || lengths > 1 || countOf(request, "Host") != 1) throw Refused{400};
  if (lengths == 0) {
    if (method == Method::Post || method == Method::Patch) throw Refused{411};
    return {};
  }
  const auto length = contentLength(request);
  if (!length) throw Refused{400};
  if ((method == Method::Get || method == Method::Delete) && *length > 0) throw Refused{400};
  if (*length > (takesMail(request.getURI()) ? MaxMailBody : MaxBody)) throw Refused{413};
  std::string body(*length, '\0');
  request.stream().read(body.data(), static_cast<std::streamsize>(body.size()));
  if (static_cast<std::size_t>(request.stream().gcount()) != *length) throw Refused{400};
  return body;
}

Method methodOf(const HTTPServerRequest& request) {
  if (request.getMethod() == "GET" || request.getMethod() == "HEAD") return Method::Get;
  if (request.getMethod() == "POST") return Method::Post;
  if (request.getMethod() == "PATCH") return Method::Patch;
  if (request.getMethod() == "DELETE") return Method::Delete;
  throw Refused{405};
}

Request readRequest(HTTPServerRequest& from, const app::HttpsFacts& https) {
  Request request;
  request.https = https;
  request.method = methodOf(from);
  auto body = readBody(from, request.method);
  const auto& target = from.getURI();
  if (target.size() > MaxTarget || target.empty() || target[0] != '/') throw Refused{400};
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) {
    auto query = parseUrlEncoded(std::string_view(target).substr(question + 1));
    if (!query) throw Refused{400};
    request.query = std::move(*query);
  }
  if (isApi(request.path)) {
    request.body = std::move(body);
    request.authorization = from.get("Authorization", "");
    request.contentType = from.getContentType();
    request.idempotencyKey = from.get("Idempotency-Key", "").substr(0, 200);
  } else if (request.method == Method::Post) {
    auto form = parseForm(body, from.getContentType());
    if (!form) throw Refused{400};
    request.form = std::move(*form);
  }
  request.cookies = parseCookies(from.get("Cookie", ""));
  request.host = from.getHost();
  request.origin = from.get("Origin", "");
  request.fetchSite = from.get("Sec-Fetch-Site", "");
  request.ifNoneMatch = from.get("If-None-Match", "");
  request.userAgent = from.get("User-Agent", "").substr(0, 300);
  request.clientAddress = from.clientAddress().host().toString();
  return request;
}

void setHeaders(const Response& from, HTTPServerResponse& to) {
  to.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(from.status));
  to.setContentType(from.contentType);
  to.set("Content-Security-Policy", from.policy.empty() ? ContentPolicy : from.policy);
  to.set("Strict-Transport-Security", "max-age=31536000");
  to.set("X-Content-Type-Options", "nosniff");
  to.set("Referrer-Policy", "no-referrer");
  to.set("Cross-Origin-Opener-Policy", "same-origin");
  to.set("Cross-Origin-Resource-Policy", "same-origin");
  to.set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  to.set("X-Robots-Tag", "noindex, nofollow");
  to.set("Cache-Control", from.cacheable ? "no-cache" : "no-store");
  for (const auto& [name, value] : from.headers) to.add(name, value);
}

// An exception here cannot become a page any more: the connection ends before the length that was promised.
void sendPieces(const Response& from, bool withBody, HTTPServerResponse& to) {
  to.setContentLength64(static_cast<Poco::Int64>(from.length));
  auto& out = to.send();
  for (std::uint64_t offset = 0; withBody && out.good() && offset < from.length;) {
    auto piece = from.pieces(offset);
    if (piece.empty()) throw Error(ErrorKind::Unavailable, "a download ended before its length");
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), from.length - offset)));
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    offset += piece.size();
  }
}

void send(const Response& from, bool withBody, HTTPServerResponse& to) {
  setHeaders(from, to);
  if (from.status == 304) {
    to.setContentLength(0);
    to.send();
    return;
  }
  if (from.pieces) return sendPieces(from, withBody, to);
  to.setContentLength64(static_cast<Poco::Int64>(from.body.size()));
  auto& out = to.send();
  if (withBody) out.write(from.body.data(), static_cast<std::streamsize>(from.body.size()));
}

Response answer(Site& site, HTTPServerRequest& request, HTTPServerResponse& response, const app::HttpsFacts& https) {
  try {
    return site.answer(readRequest(request, https));
  } catch (const Refused& refused) {
    response.setKeepAlive(false);
    auto page = site.refusal(refused.status);
    if (refused.status == 405) page.headers.emplace_back("Allow", "GET, HEAD, POST, PATCH, DELETE");
    return page;
  } catch (const Poco::Net::NetException&) {
    throw;  // the client is gone: nobody to answer
  } catch (const std::exception& error) {
    log::error("web", error.what());
    response.setKeepAlive(false);
    return site.refusal(500);
  }
}

}  // namespace

void exchange(Site& site, HTTPServerRequest& request, HTTPServerResponse& response, const app::HttpsFacts& https) {
  const bool withBody = request.getMethod() != "HEAD";
  send(answer(site, request, response, https), withBody, response);
}

}  // namespace postern::webadmin
