#pragma once
#include "cli/Context.h"

#include <string>

namespace postern::cli {

struct DeliveryOptions {
  std::string post;
  std::string recipient;
  std::string list;
  std::string from;
  std::string until;
  std::string out;  // file to write; empty: standard output
  bool csv = false;
  bool html = false;
};

// `postern report delivery`: the whole report, page by page, so that memory does not grow with it. JSON is one signed
// document a line. Exit No when no message fits.
Exit showDeliveryReport(const Context& context, const DeliveryOptions& options);

struct VerifyOptions {
  std::string file;  // "-": standard input
  std::string key;   // PEM file with the key that the site is known by; empty: the key that the report names
};

// `postern report verify`: whether signed reports are as the site made them, and no page is missing. Needs no site.
// Exit No when they are not.
Exit verifyReports(const Context& context, const VerifyOptions& options);

}  // namespace postern::cli
