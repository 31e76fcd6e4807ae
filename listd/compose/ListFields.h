#pragma once
#include "listd/compose/ListFacts.h"

#include <string>
#include <vector>

namespace postern::listd {

// The fields that say "this came through a list": List-Id, List-Post, List-Help, List-Unsubscribe, List-Owner
// (RFC 2919, RFC 2369), Precedence and our loop mark. Each is a whole field. Without description, nothing but
// the list's address is told.
std::vector<std::string> listFields(const ListFacts& list, bool withDescription);

// Whole fields with the recipient's own List-Unsubscribe of RFC 8058 in the place of the one of listFields(): `url`,
// then the address for mail. REQUIRES that `url` is one of ours.
std::string withOneClick(std::string_view fields, const ListFacts& list, std::string_view url);

// "mailto:board-request@lists.example?subject=help" with everything that is not plain percent-encoded.
std::string mailtoLink(const mail::Address& address, std::string_view subject = {});

// The help link in angle brackets if it is fit for a header, else empty.
std::string helpReference(const ListFacts& list);

}  // namespace postern::listd
