#include "core/smtp/Command.h"

using namespace postern::smtp;

namespace {

Command good(std::string_view line, bool extended = true) {
  auto command = parseCommand(line, {extended});
  BOOST_REQUIRE_MESSAGE(command.has_value(), "not taken: " << line);
  return std::move(*command);
}
std::uint16_t refusal(std::string_view line, bool extended = true) {
  const auto command = parseCommand(line, {extended});
  return command ? std::uint16_t{0} : command.error().reply.code;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_smtp_Command)

BOOST_AUTO_TEST_CASE(reads_every_verb_in_any_case) {
  for (const char* line : {"ehlo a.example", "HELO a", "Mail From:<a@b.example>", "RCPT to:<a@b.example>", "data",
                           "BDAT 5", "rset", "NOOP", "noop anything goes", "quit", "vrfy a", "EXPN a", "help",
                           "HELP me", "starttls", "AUTH PLAIN xyz", "GET / HTTP/1.1"})
    BOOST_TEST(parseCommand(line).has_value(), line);
}

BOOST_AUTO_TEST_CASE(gives_500_to_what_is_no_verb) {
  for (const char* line : {"", " EHLO a", "EHLOX a", "MAILFROM:<a@b>", "X", "\xff\xfe", "TURN", "DATA\t", "QUIT\r"})
    BOOST_TEST(refusal(line) == 500, line);
}

BOOST_AUTO_TEST_CASE(takes_names_that_may_stand_in_a_header_only) {
  for (const char* name : {"host", "host.example", "a_b.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "xn--a.example"})
    BOOST_TEST(std::get<HelloCommand>(good("EHLO " + std::string(name)).arguments).name == name);
  for (const char* name :
       {"", "a b", "a(b)", "a;b", "a\tb", "[", "[]", "]", "a:b", "a]b", "[a]]", "<a>", "a\"b", "\xc3\xbc"})
    BOOST_TEST(refusal("EHLO " + std::string(name)) == 501, name);
  BOOST_TEST(refusal("HELO " + std::string(256, 'a')) == 501);
}

BOOST_AUTO_TEST_CASE(reads_mail_with_its_parameters) {
  const auto command = std::get<MailCommand>(good("MAIL FROM:<a@B.example> SIZE=123 body=8bitmime SMTPUTF8").arguments);
  BOOST_TEST(command.from->text() == "a@b.example");
  BOOST_TEST(*command.size == 123u);
  BOOST_TEST((command.body == BodyType::EightBitMime));
  BOOST_TEST(command.smtpUtf8);
  BOOST_TEST(!std::get<MailCommand>(good("MAIL FROM:<>").arguments).from.has_value());
  BOOST_TEST(std::get<MailCommand>(good("MAIL FROM: <a@b.example>").arguments).from.has_value());
  BOOST_TEST(std::get<MailCommand>(good("MAIL FROM:<\"a>b\"@c.example>").arguments).from->text() ==
             "\"a>b\"@c.example");
}

BOOST_AUTO_TEST_CASE(refuses_mail_that_is_wrong_with_the_right_code) {
  BOOST_TEST(refusal("MAIL") == 501);
  BOOST_TEST(refusal("MAIL FROM") == 501);
  BOOST_TEST(refusal("MAIL FROM:a@b.example") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example>SIZE=1") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> SIZE=") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> SIZE=-1") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> SIZE=1 SIZE=2") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> SIZE=99999999999999999999999") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> BODY=BINARYMIME") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> SMTPUTF8=1") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> REQUIRETLS=1") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> REQUIRETLS requiretls") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> RET=FULL") == 555);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> AUTH=") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> AUTH=<> AUTH=<>") == 501);
  BOOST_TEST(refusal("MAIL FROM:<a@b.example> SIZE=1", false) == 555);
  BOOST_TEST(refusal("MAIL FROM:<a>") == 553);
  BOOST_TEST(refusal("MAIL FROM:<a@b@c>") == 553);
  BOOST_TEST(refusal("MAIL FROM:<a@b..example>") == 553);
  BOOST_TEST(refusal("MAIL FROM:<gr\xc3\xbc\xc3\x9f"
                     "e@b.example>") == 553);
  BOOST_TEST(refusal("MAIL FROM:<gr\xc3\xbc\xc3\x9f"
                     "e@b.example> SMTPUTF8") == 0);
  BOOST_TEST(refusal("MAIL FROM:<a\x01@b.example>") == 501);
  BOOST_TEST(refusal(std::string_view("MAIL FROM:<a\0@b.example>", 24)) == 501);
  BOOST_TEST(refusal("MAIL FROM:<\xff@b.example> SMTPUTF8") == 501);
}

BOOST_AUTO_TEST_CASE(strips_a_source_route_and_never_routes_by_it) {
  const auto command = std::get<RcptCommand>(good("RCPT TO:<@one.example,@two.example:a@lists.example>").arguments);
  BOOST_TEST(command.to->text() == "a@lists.example");
  for (const char* path : {"<@one.example>", "<@:a@b.example>", "<@one.example,two:a@b.example>", "<@a b:a@c.example>"})
    BOOST_TEST(refusal("RCPT TO:" + std::string(path)) == 553, path);
}

BOOST_AUTO_TEST_CASE(keeps_odd_local_parts_as_what_they_are) {
  const auto text = [](std::string_view line) { return std::get<RcptCommand>(good(line).arguments).to->text(); };
  BOOST_TEST(text("RCPT TO:<a%foreign.example@lists.example>") == "a%foreign.example@lists.example");
  BOOST_TEST(text("RCPT TO:<foreign.example!a@lists.example>") == "foreign.example!a@lists.example");
  BOOST_TEST(text("RCPT TO:<\"board\"@lists.example>") == "board@lists.example");
  BOOST_TEST(text("RCPT TO:<\"a@foreign.example\"@lists.example>") == "\"a@foreign.example\"@lists.example");
  BOOST_TEST(refusal("RCPT TO:<a@lists.example.>") == 553);
  BOOST_TEST(refusal("RCPT TO:<>") == 553);
  BOOST_TEST(refusal("RCPT TO:<a@lists.example> NOTIFY=NEVER") == 555);
  BOOST_TEST(std::get<RcptCommand>(good("RCPT TO:<PostMaster>").arguments).barePostmaster);
}

BOOST_AUTO_TEST_CASE(reads_bdat_and_says_how_much_stands_behind_a_wrong_one) {
  const auto command = std::get<BdatCommand>(good("BDAT 86 last").arguments);
  BOOST_TEST(command.octets == 86u);
  BOOST_TEST(command.last);
  BOOST_TEST(*parseCommand("BDAT 86 JUNK").error().bdatOctets == 86u);
  BOOST_TEST(!parseCommand("BDAT").error().bdatOctets.has_value());
  BOOST_TEST(!parseCommand("BDAT x LAST").error().bdatOctets.has_value());
  BOOST_TEST(!parseCommand("BDAT 99999999999999999999 LAST").error().bdatOctets.has_value());
}

BOOST_AUTO_TEST_CASE(refuses_arguments_where_none_belong) {
  for (const char* line : {"DATA x", "RSET x", "QUIT x", "STARTTLS x", "VRFY", "EXPN", "AUTH"})
    BOOST_TEST(refusal(line) == 501, line);
  for (const char* line : {"DATA ", "RSET  ", "QUIT "}) BOOST_TEST(refusal(line) == 0, line);
}

BOOST_AUTO_TEST_SUITE_END()
