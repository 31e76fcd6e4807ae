// rooms: listd mail
// Whatever post comes, composed headers are clean, the body stays, and bounces and loops are judged.
#include "core/mail/Text.h"
#include "listd/compose/Bounce.h"
#include "listd/compose/LoopGuard.h"
#include "listd/compose/PostComposer.h"

#include <cstdlib>

// The body as it came, but for empty lines behind the end of a multipart, which the composer drops.
static bool isSameBody(std::string_view composed, std::string_view posted) {
  if (composed == posted) return true;
  return posted.starts_with(composed) && composed.ends_with("--\r\n") &&
         posted.find_first_not_of("\r\n", composed.size()) == posted.npos;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern;
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  const auto post = mail::Message::parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!post) return 0;
  listd::ListFacts list{*mail::Address::parse("board@lists.example"), "The Board", "About", true, "https://x.example/"};
  const listd::PostStamp stamp{"<abcdefghijklmnopqrstuvwxyz@lists.example>", TimePoint{}};
  (void)listd::findLoop(*post, "a@x.example", list);
  const auto bounce = listd::readBounce(*post);
  check(bounce.text.size() <= 300 && !mail::hasControl(bounce.text) && mail::isAscii(bounce.text));
  check((bounce.kind == listd::Bounce::Kind::Failure) == (bounce.statusClass != 0));

  if (const auto secure = listd::PostComposer(list).composeSecure(*post, stamp)) {
    check(mail::areWholeFields(secure->outerHeader) && mail::isAscii(secure->outerHeader));
    const auto inner = mail::Message::parse(secure->inner);
    check(inner && isSameBody(inner->body(), post->body()) && inner->from().mailboxes.size() == 1);
    for (const auto& finding : inner->header().findings()) check(finding.defect == mail::HeaderDefect::NotUtf8);
  }
  list.secure = false;
  if (const auto open = listd::PostComposer(list).composeOpen(*post, stamp)) {
    const auto copy = mail::Message::parse(*open);
    check(copy && copy->body() == post->body() && copy->from().mailboxes.size() == 1);
    for (const auto& finding : copy->header().findings()) check(finding.defect == mail::HeaderDefect::NotUtf8);
    check(listd::findLoop(*copy, "a@x.example", list).has_value());
  }
  return 0;
}
