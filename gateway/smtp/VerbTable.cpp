#include "gateway/smtp/VerbTable.h"

#include "gateway/smtp/verbs/Verbs.h"

#include <iterator>

namespace postern::gateway {

namespace {

using smtp::ReplyId;
using smtp::Verb;
using namespace verbs;

constexpr StateSet Anywhere = {State::Greeted, State::Ready, State::Sender, State::Recipients, State::Chunking};

// RFC 5321 §4.1.4 says in which order commands may come.
constexpr VerbRow Table[] = {
    {Verb::Ehlo, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkNothing, applyEhlo},
    {Verb::Helo, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkNothing, applyHelo},
    {Verb::Mail,
     {State::Ready},
     ReplyId::BadSequence,
     "send EHLO first, and one MAIL for each message",
     1024,
     false,
     Hook::None,
     checkMail,
     applyMail},
    {Verb::Rcpt,
     {State::Sender, State::Recipients},
     ReplyId::BadSequence,
     "send MAIL first",
     1024,
     false,
     Hook::Recipient,
     checkRcpt,
     applyRcpt},
    {Verb::Data,
     {State::Recipients},
     ReplyId::BadSequence,
     "send MAIL and RCPT first, and do not mix DATA with BDAT",
     512,
     false,
     Hook::None,
     checkNothing,
     applyData},
    {Verb::Bdat,
     {State::Recipients, State::Chunking},
     ReplyId::BadSequence,
     "send MAIL and RCPT first",
     512,
     false,
     Hook::None,
     checkNothing,
     applyBdat},
    {Verb::Rset, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkNothing, applyRset},
    {Verb::Noop, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkNothing, applyNoop},
    {Verb::Quit, Anywhere, ReplyId::BadSequence, "", 512, false, Hook::None, checkNothing, applyQuit},
    {Verb::Vrfy, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkNothing, applyVrfy},
    {Verb::Expn, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkExpn, applyNever},
    {Verb::Help, Anywhere, ReplyId::BadSequence, "", 512, true, Hook::None, checkNothing, applyHelp},
    {Verb::StartTls,
     {State::Ready},
     ReplyId::BadSequence,
     "send EHLO first, STARTTLS before MAIL",
     512,
     true,
     Hook::None,
     checkStartTls,
     applyStartTls},
    {Verb::Auth, Anywhere, ReplyId::BadSequence, "", smtp::MaxCommandLine, true, Hook::None, checkAuth, applyAuth},
    {Verb::Xclient,
     {State::Ready},
     ReplyId::BadSequence,
     "send EHLO first, XCLIENT before MAIL",
     smtp::MaxCommandLine,
     true,
     Hook::None,
     checkNothing,
     applyXclient},
    {Verb::Foreign, Anywhere, ReplyId::BadSequence, "", smtp::MaxCommandLine, true, Hook::None, checkNothing,
     applyForeign},
};

constexpr bool tableIsInOrder() {
  for (std::size_t i = 0; i < std::size(Table); ++i)
    if (static_cast<std::size_t>(Table[i].verb) != i) return false;
  return std::size(Table) == smtp::VerbCount;
}
static_assert(tableIsInOrder(), "a verb has no row, or stands in the wrong place");

}  // namespace

const VerbRow& rowOf(Verb verb) {
  return Table[static_cast<std::size_t>(verb)];
}

}  // namespace postern::gateway
