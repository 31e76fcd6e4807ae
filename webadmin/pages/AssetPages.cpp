#include "core/base/Error.h"
#include "webadmin/api/Api.h"
#include "webadmin/Embedded.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Tokens.h"

#include <nlohmann/json.hpp>

namespace postern::webadmin::pages {

namespace {

std::string_view typeOf(std::string_view path) {
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

Response embeddedFile(const Visit& visit, std::string_view path) {
  const auto* file = embedded::find(path);
  if (!file) throw app::OrderRefused({"not-found", "There is no such file.", ""});
  Response response;
  response.contentType = typeOf(path);
  response.cacheable = true;
  const auto tag = "\"" + tokens::hash(file->content).substr(0, 22) + "\"";
  response.headers.emplace_back("ETag", tag);
  if (visit.request.ifNoneMatch == tag)
    response.status = 304;
  else
    response.body = std::string(file->content);
  return response;
}

}  // namespace

// For everybody: it tells what Postern can do, nothing of this site.
Response openApi(Visit& visit) {
  const auto& configured = visit.tools.config.webUrl;
  const auto url = configured.empty() ? "https://" + visit.request.host : configured;
  return jsonResponse(200, webadmin::openApi(url, POSTERN_VERSION));
}

Response robots(Visit&) {
  Response response;
  response.contentType = "text/plain; charset=utf-8";
  response.body = "User-agent: *\nDisallow: /\n";
  return response;
}

Response favicon(Visit& visit) {
  return embeddedFile(visit, "static/img/icon.svg");
}

Response staticFile(Visit& visit) {
  return embeddedFile(visit, "static/" + visit.param("folder") + "/" + visit.param("file"));
}

}  // namespace postern::webadmin::pages
