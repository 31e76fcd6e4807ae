#pragma once
#include "webadmin/Http.h"
#include "webadmin/Orders.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::webadmin {

// One operation of the REST API: a method and path that become an order. All of them are listed in operations.json,
// from which the OpenAPI document is made too, so that the two cannot differ.
struct Operation {
  Method method = Method::Get;
  std::string path;  // below /api/v1; "{name}" is an argument of the order
  std::string order;
  std::string summary;
  std::string tag;
  std::string result;  // a schema of schemas.json; "List[]": a page of them
  struct Argument {
    std::string name;
    std::string type;  // text count id flag time texts ids object objects
    bool required = false;
  };
  std::vector<Argument> arguments;  // besides those of the path: in the query of GET and DELETE, else in the JSON body

  bool inQuery() const { return method == Method::Get || method == Method::Delete; }
};

const std::vector<Operation>& operations();

// The API as a document for people and generators of clients (OpenAPI 3.0.3), with this site as its server.
nlohmann::json openApi(const std::string& siteUrl, const std::string& version);

// /api/v1: takes requests with a personal access token (Authorization: Bearer), gives the order in the name of its
// person and answers JSON. Who may do what is decided by listd alone. Times are RFC 3339 here and microseconds in
// orders. Problems are answered as application/problem+json (RFC 9457). No cookie counts here, so that no other site
// can use a person's browser. Threads: safe for all. Errors: throws what Orders throws, except OrderRefused.
class Api {
public:
  explicit Api(Orders& orders) : orders_(orders) {}
  Response answer(const Request& request) const;

private:
  Orders& orders_;
};

Response problem(int status, std::string_view code, std::string_view detail, std::string_view hint = {});

// "2026-03-01T12:00:00Z", with fractions and offsets; nothing for anything else.
std::optional<std::int64_t> microsFromRfc3339(std::string_view text);

}  // namespace postern::webadmin
