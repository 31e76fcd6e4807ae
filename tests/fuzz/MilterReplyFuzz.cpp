// rooms: gateway
#include "core/mail/Text.h"
#include "gateway/inspect/MilterHeader.h"
#include "gateway/inspect/MilterWire.h"

#include <algorithm>
#include <cstdlib>

// A hostile milter: the bytes are packets, each behind a 16-bit length. What is taken of it is printable where people
// read it, and whatever it makes of the header, the body stays and the result reads back as whole fields.
using namespace postern;
using namespace postern::gateway;

namespace {

void expect(bool condition) {
  if (!condition) std::abort();
}

bool isPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void checkReply(const milter::Reply& reply) {
  expect(isPrintable(reply.text) && isPrintable(reply.enhanced));
  if (reply.kind != milter::ReplyKind::Code) return;
  expect(reply.code >= 400 && reply.code <= 599);
  expect(reply.enhanced.empty() || reply.enhanced[0] == static_cast<char>('0' + reply.code / 100));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string input(data, data + size);
  std::string_view rest = input;
  const auto message = mail::Message::parse("From: a@b.example\r\nSubject: x\r\n y\r\n\r\nbody\r\n");
  milter::EditedHeader header(*message);
  bool whole = true;
  while (rest.size() >= 2) {
    const auto length = std::min<std::size_t>(
        rest.size() - 2, static_cast<unsigned char>(rest[0]) * 256U + static_cast<unsigned char>(rest[1]));
    const auto packet = rest.substr(2, length);
    rest.remove_prefix(2 + length);
    if (const auto options = milter::readOptions(packet))
      expect((options->actions & ~milter::action::Offered) == 0 && (options->steps & ~milter::step::Offered) == 0);
    const auto reply = milter::readReply(packet);
    if (!reply) continue;
    checkReply(*reply);
    const bool edits = reply->kind == milter::ReplyKind::AddHeader || reply->kind == milter::ReplyKind::InsertHeader ||
                       reply->kind == milter::ReplyKind::ChangeHeader;
    if (edits && whole) whole = header.apply(*reply);
  }
  if (!whole) return 0;  // its connection ends there
  const auto edited = mail::Message::parse(header.text());
  expect(edited && edited->body() == "body\r\n");
  const auto fields = std::string(edited->head().substr(0, edited->head().size() - 2));
  expect(fields.empty() || mail::areWholeFields(fields));
  return 0;
}
