#pragma once
#include "listd/reports/Report.h"

#include <optional>
#include <string>

namespace postern::listd {

// Which copies a delivery report is about: of one post, of one recipient, of one list, or what these have in common.
struct DeliveryQuestion {
  std::string post;       // Message-ID, queue id or number; empty: posts of the span
  std::string recipient;  // address; empty: all recipients
  std::string list;       // address; empty: all lists that the person may see
  ReportSpan span;
  std::string after;  // cursor, as the page before gave it
  std::uint64_t limit = 1000;
};

// The order report.delivery: per message and recipient how the mail came to us, what was done with it, and how it left.
// A page is a signed document (Report.h) with "posts", that tell of each message once, and rows, one for each copy. No
// subject and no body is in it. Memory and time are bounded by the page, however many posts the span has.
nlohmann::json deliveryReport(OrderTools& tools, const OrderCall& call);

// The document of a page as HTML for people and printers, without anything from elsewhere. The pages of a report, one
// behind the other, are one HTML document: `first` has its head, the one without "next" its end.
std::string deliveryHtml(const nlohmann::json& document, bool first);

// The rows as CSV, with the columns before them on the first page.
std::string deliveryCsv(const nlohmann::json& document, bool first);

}  // namespace postern::listd
