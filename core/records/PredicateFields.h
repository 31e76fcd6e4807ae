#pragma once
#include "core/base/Result.h"
#include "core/records/Predicate.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

// The conditions of a Predicate that are lists of texts, once, for everything that goes through all of them.
namespace postern::records {

struct TextField {
  const char* name;
  std::vector<std::string> Predicate::*values;
  // What is stored for a text that somebody gave; the error says what is wrong with it.
  Result<std::string, std::string> (*normalise)(std::string_view text);
  const char* before;  // in sentences: before the alternatives
};

Result<std::string, std::string> normalAddress(std::string_view text);
Result<std::string, std::string> normalDomain(std::string_view text);
Result<std::string, std::string> normalPerson(std::string_view text);  // "a@x", or "@x" for all of a domain
Result<std::string, std::string> normalClass(std::string_view text);
Result<std::string, std::string> normalLabel(std::string_view text);

inline constexpr std::array<TextField, 8> TextFields = {{
    {"lists", &Predicate::lists, normalAddress, "on "},
    {"listClasses", &Predicate::listClasses, normalClass, "on lists of class "},
    {"domains", &Predicate::domains, normalDomain, "on lists of the domain "},
    {"senders", &Predicate::senders, normalPerson, "from "},
    {"recipients", &Predicate::recipients, normalPerson, "to "},
    {"addresses", &Predicate::addresses, normalPerson, "from or to "},
    {"classes", &Predicate::classes, normalClass, "of class "},
    {"labels", &Predicate::labels, normalLabel, "labelled "},
}};

// Quotes count as blanks: no query can hold them.
std::vector<std::string> wordsBetweenBlanks(std::string_view text);

}  // namespace postern::records
