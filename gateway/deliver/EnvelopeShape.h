#pragma once
#include <string>
#include <string_view>

namespace postern::gateway {

// The envelope mail of a pick-up copy, judged without any key (listd/pickup/Envelope composes it): the known header
// fields, one subject, a fixed text in which only a link to our own site and a time vary, and behind it nothing or
// SecureMessageATT.html: a fixed page with a link to our own site and base64 of a content of docs/pickup-format.md that
// looks like ciphertext throughout. Nothing of a message fits anywhere. Pure. Threads: safe for all.
namespace envelopeshape {

// What is found in a tail, whatever head it stands behind: looked at once for all copies.
struct Tail {
  std::string problem;   // empty: none
  std::string boundary;  // of the multipart that it ends
};
Tail judgeTail(std::string_view bytes, std::string_view ownUrl);

// Why head and tail may not leave; empty: they may. `tail`: null for a mail with a link only.
std::string judge(std::string_view head, const Tail* tail, std::string_view ownUrl);

}  // namespace envelopeshape
}  // namespace postern::gateway
