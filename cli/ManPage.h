#pragma once
#include <ostream>
#include <string>

namespace postern::cli {

// What a noun is about, for --help and the manual page.
std::string nounDoc(const std::string& noun);

// The manual page postern(1) in groff's man macros, made from the list of verbs.
void writeManPage(std::ostream& out);

// Completion of nouns and verbs for bash.
void writeCompletion(std::ostream& out);

}  // namespace postern::cli
