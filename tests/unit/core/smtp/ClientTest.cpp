#include "core/smtp/Client.h"

using namespace postern::smtp;
using namespace std::string_literals;
using Want = ClientDialog::Want;
using Outcome = ClientResult::Outcome;

namespace {

const ClientEnvelope Letter{"board-bounces+1@lists.example", "ann@example.org", 1000, false, false};

// A dialogue past its EHLO.
ClientDialog readyDialog(const std::string& extensions, ClientTls tls = ClientTls::None) {
  ClientDialog dialog("gate.example", tls);
  dialog.receive("220 hi\r\n");
  dialog.takeOutput();
  dialog.receive("250-sink\r\n" + extensions + "250 OK\r\n");
  return dialog;
}

ClientResult onlyResult(ClientDialog& dialog) {
  auto result = dialog.takeResult();
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST(!dialog.takeResult().has_value());
  return *result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_smtp_Client)

BOOST_AUTO_TEST_CASE(goes_command_by_command_without_pipelining) {
  auto dialog = readyDialog("250-SIZE 5000\r\n250-8BITMIME\r\n");
  BOOST_TEST((dialog.want() == Want::Idle));
  dialog.begin(Letter);
  BOOST_TEST(dialog.takeOutput() == "MAIL FROM:<board-bounces+1@lists.example> SIZE=1000\r\n");
  dialog.receive("250 ok\r\n");
  BOOST_TEST(dialog.takeOutput() == "RCPT TO:<ann@example.org>\r\n");
  dialog.receive("250 ok\r\n");
  BOOST_TEST(dialog.takeOutput() == "DATA\r\n");
  dialog.receive("354 go\r\n");
  BOOST_TEST((dialog.want() == Want::Content));
  dialog.contentSent();
  BOOST_TEST(!dialog.mayBegin());
  dialog.receive("250 2.0.0 queued as 7\r\n");
  const auto result = onlyResult(dialog);
  BOOST_TEST((result.outcome == Outcome::Accepted));
  BOOST_TEST(result.code == 250);
  BOOST_TEST(result.text == "2.0.0 queued as 7");
  BOOST_TEST((dialog.want() == Want::Idle));
}

BOOST_AUTO_TEST_CASE(puts_the_next_envelope_behind_the_final_dot_with_pipelining) {
  auto dialog = readyDialog("250-PIPELINING\r\n");
  dialog.begin(Letter);
  BOOST_TEST(dialog.takeOutput() ==
             "MAIL FROM:<board-bounces+1@lists.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n");
  dialog.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  dialog.contentSent();
  BOOST_REQUIRE(dialog.mayBegin());
  dialog.begin({"", "bob@example.org", 5, false, false});
  BOOST_TEST(dialog.takeOutput() == "MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n");
  BOOST_TEST(!dialog.mayBegin());
  // The first is refused at its dot, the second goes on.
  dialog.receive("552 too big\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  BOOST_TEST((onlyResult(dialog).outcome == Outcome::Permanent));
  BOOST_TEST((dialog.want() == Want::Content));
  dialog.contentSent();
  dialog.receive("250 taken\r\n");
  BOOST_TEST((onlyResult(dialog).outcome == Outcome::Accepted));
}

BOOST_AUTO_TEST_CASE(judges_every_reply_at_every_step_with_and_without_pipelining) {
  struct Case {
    const char* reply;
    Outcome outcome;
    bool closed;
  };
  const Case refusals[] = {{"450 later\r\n", Outcome::Temporary, false}, {"550 never\r\n", Outcome::Permanent, false},
                           {"421 bye\r\n", Outcome::Temporary, true},    {"354 what\r\n", Outcome::Temporary, true},
                           {"garbage\r\n", Outcome::Temporary, true},    {"250 ok\n", Outcome::Temporary, true}};
  const std::string good[] = {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"};
  for (const bool pipelining : {false, true}) {
    for (int step = 0; step < 4; ++step) {
      for (const auto& refusal : refusals) {
        if (step == 2 && refusal.reply == "354 what\r\n"s) continue;
        auto dialog = readyDialog(pipelining ? "250-PIPELINING\r\n" : "");
        dialog.begin(Letter);
        for (int i = 0; i < step; ++i) {
          if (i == 3) break;
          dialog.receive(good[i]);
        }
        if (step == 3) dialog.contentSent();
        dialog.receive(refusal.reply);
        if (pipelining && !refusal.closed)
          for (int i = step + 1; i < 3; ++i) dialog.receive("503 out of order\r\n");
        const auto result = onlyResult(dialog);
        BOOST_TEST_CONTEXT("step " << step << " reply " << refusal.reply << " pipelining " << pipelining) {
          BOOST_TEST((result.outcome == refusal.outcome));
          BOOST_TEST((dialog.want() == Want::Closed) == refusal.closed);
          BOOST_TEST(result.replied == !refusal.closed);
          BOOST_TEST(result.contentSent == (step == 3));
          if (refusal.closed) continue;
          // The next message begins clean: RSET first unless the content had been taken or refused as a whole.
          dialog.takeOutput();
          dialog.begin(Letter);
          const auto output = dialog.takeOutput();
          BOOST_TEST(output.starts_with(step == 3 ? "MAIL" : "RSET\r\n"));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sends_nothing_of_the_content_after_a_refused_recipient_even_if_data_is_taken) {
  auto dialog = readyDialog("250-PIPELINING\r\n");
  dialog.begin(Letter);
  dialog.takeOutput();
  dialog.receive("250 ok\r\n550 5.1.1 no such user\r\n354 go\r\n");
  BOOST_TEST((dialog.want() == Want::Bytes));
  BOOST_TEST(dialog.takeOutput() == ".\r\n");
  dialog.receive("250 fine\r\n");  // even a server that takes the empty message
  const auto result = onlyResult(dialog);
  BOOST_TEST((result.outcome == Outcome::Permanent));
  BOOST_TEST(result.code == 550);
}

BOOST_AUTO_TEST_CASE(loses_the_connection_at_every_step_as_a_temporary_failure) {
  const std::string replies[] = {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"};
  for (int step = 0; step < 5; ++step) {
    auto dialog = readyDialog("250-PIPELINING\r\n");
    dialog.begin(Letter);
    for (int i = 0; i < std::min(step, 3); ++i) dialog.receive(replies[i]);
    if (step == 4) dialog.contentSent();
    dialog.broken("gone");
    const auto result = onlyResult(dialog);
    BOOST_TEST((result.outcome == Outcome::Temporary));
    BOOST_TEST(result.contentSent == (step == 4));
    BOOST_TEST(!result.replied);
  }
}

BOOST_AUTO_TEST_CASE(closes_when_the_server_says_more_than_it_was_asked) {
  auto dialog = readyDialog("250-PIPELINING\r\n");
  dialog.begin(Letter);
  dialog.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  dialog.contentSent();
  dialog.receive("250 taken\r\n250 and more\r\n");
  BOOST_TEST((onlyResult(dialog).outcome == Outcome::Accepted));
  BOOST_TEST((dialog.want() == Want::Closed));
  auto early = readyDialog("");
  early.begin(Letter);
  early.receive("250 ok\r\n250 ok\r\n");  // a reply to RCPT before it was sent
  // It is taken for the reply to RCPT that has just been put out; whatever comes next is out of step.
  early.receive("354 go\r\n");
  early.receive("354 go\r\n");
  BOOST_TEST((early.want() == Want::Closed));
}

BOOST_AUTO_TEST_CASE(refuses_replies_injected_behind_starttls) {
  ClientDialog dialog("gate.example", ClientTls::Opportunistic);
  dialog.receive("220 hi\r\n");
  dialog.receive("250-sink\r\n250 STARTTLS\r\n");
  BOOST_TEST(dialog.takeOutput().ends_with("STARTTLS\r\n"));
  dialog.receive("220 go\r\n250-sink\r\n250 AUTH PLAIN\r\n");
  BOOST_TEST((dialog.want() == Want::Closed));
  BOOST_TEST(dialog.failure().text.find("injecting") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(forgets_what_was_said_before_tls) {
  ClientDialog dialog("gate.example", ClientTls::Required);
  dialog.receive("220 hi\r\n");
  dialog.receive("250-sink\r\n250-PIPELINING\r\n250-SIZE 10\r\n250 STARTTLS\r\n");
  dialog.receive("220 go\r\n");
  BOOST_REQUIRE((dialog.want() == Want::TlsHandshake));
  dialog.takeOutput();
  dialog.tlsStarted();
  BOOST_TEST(dialog.takeOutput() == "EHLO gate.example\r\n");
  BOOST_TEST(!dialog.pipelining());
  dialog.receive("250 sink\r\n");
  BOOST_REQUIRE((dialog.want() == Want::Idle));
  dialog.begin(Letter);
  BOOST_TEST(dialog.takeOutput() == "MAIL FROM:<board-bounces+1@lists.example>\r\n");
}

BOOST_AUTO_TEST_CASE(sends_no_mail_without_the_tls_that_is_required) {
  for (const auto tls : {ClientTls::Required, ClientTls::Verified}) {
    for (const auto& ehlo : {"250 sink\r\n"s, "250-sink\r\n250 starttl\r\n"s, "502 no EHLO\r\n"s, "451 later\r\n"s}) {
      ClientDialog dialog("gate.example", tls);
      dialog.receive("220 hi\r\n");
      dialog.receive(ehlo);
      BOOST_TEST((dialog.want() == Want::Closed));
    }
    for (const auto& reply : {"454 not now\r\n"s, "502 no\r\n"s, "250 ok\r\n"s, "421 bye\r\n"s}) {
      ClientDialog dialog("gate.example", tls);
      dialog.receive("220 hi\r\n");
      dialog.receive("250-sink\r\n250 STARTTLS\r\n");
      dialog.receive(reply);
      BOOST_TEST((dialog.want() == Want::Closed));
      BOOST_TEST(dialog.takeOutput().find("MAIL") == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(falls_back_to_helo_only_where_tls_is_not_required) {
  ClientDialog dialog("gate.example", ClientTls::Opportunistic);
  dialog.receive("220 hi\r\n");
  dialog.takeOutput();
  dialog.receive("502 what?\r\n");
  BOOST_TEST(dialog.takeOutput() == "HELO gate.example\r\n");
  dialog.receive("250 old\r\n");
  BOOST_TEST((dialog.want() == Want::Idle));
}

BOOST_AUTO_TEST_CASE(sees_its_own_name_as_a_loop) {
  ClientDialog dialog("gate.example", ClientTls::Opportunistic);
  dialog.receive("220 hi\r\n");
  dialog.receive("250 GATE.example hello\r\n");
  BOOST_TEST((dialog.want() == Want::Closed));
  BOOST_TEST(dialog.failure().loop);
}

BOOST_AUTO_TEST_CASE(lets_no_address_break_out_of_its_command) {
  for (const auto& address : {"a@b\r\nRCPT TO:<evil@x>"s, "a b@c"s, "a>@b"s, "<a@b"s, "a\0@b"s, "\"a@b"s, "a\n@b"s, ""s,
                              "a@b> SIZE=1"s, std::string(400, 'a')}) {
    auto dialog = readyDialog("250-PIPELINING\r\n");
    dialog.takeOutput();
    dialog.begin({"x@y", address, 1, false, false});
    BOOST_TEST(dialog.takeOutput().empty());
    BOOST_TEST((onlyResult(dialog).outcome == Outcome::Permanent));
    BOOST_TEST((dialog.want() == Want::Idle));
  }
  auto dialog = readyDialog("");
  dialog.takeOutput();
  dialog.begin({"", "\"a b>\"@c", 1, false, false});
  BOOST_TEST(dialog.takeOutput() == "MAIL FROM:<>\r\n");
}

BOOST_AUTO_TEST_CASE(asks_for_extensions_only_when_needed_and_fails_when_they_lack) {
  auto able = readyDialog("250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE\r\n");
  able.takeOutput();
  able.begin({"a@b", "\xc3\xa9@c", 7, true, true});
  BOOST_TEST(able.takeOutput() == "MAIL FROM:<a@b> SIZE=7 BODY=8BITMIME SMTPUTF8\r\n");
  for (const auto& envelope :
       {ClientEnvelope{"a@b", "c@d", 1, true, false}, ClientEnvelope{"a@b", "\xc3\xa9@d", 1, false, false},
        ClientEnvelope{"a@b", "c@d", 5001, false, false}}) {
    auto dialog = readyDialog("250-SIZE 5000\r\n");
    dialog.takeOutput();
    dialog.begin(envelope);
    BOOST_TEST(dialog.takeOutput().empty());
    BOOST_TEST((onlyResult(dialog).outcome == Outcome::Permanent));
  }
}

BOOST_AUTO_TEST_CASE(asks_to_require_tls_only_under_tls_and_where_the_ehlo_under_tls_offers_it) {
  const auto mailCommand = [](ClientTls tls, const std::string& offeredUnderTls, bool requireTls) {
    auto dialog = readyDialog("250-STARTTLS\r\n250-REQUIRETLS\r\n", tls);
    dialog.takeOutput();
    if (tls != ClientTls::None) {
      dialog.receive("220 go\r\n");
      dialog.tlsStarted();
      dialog.takeOutput();
      dialog.receive("250-sink\r\n" + offeredUnderTls + "250 OK\r\n");
    }
    dialog.begin({"a@b", "c@d", 1, false, false, requireTls});
    return dialog.takeOutput();
  };
  BOOST_TEST(mailCommand(ClientTls::Verified, "250-REQUIRETLS\r\n", true) == "MAIL FROM:<a@b> REQUIRETLS\r\n");
  BOOST_TEST(mailCommand(ClientTls::Verified, "250-REQUIRETLS\r\n", false) == "MAIL FROM:<a@b>\r\n");
  BOOST_TEST(mailCommand(ClientTls::Verified, "", true) == "MAIL FROM:<a@b>\r\n");
  BOOST_TEST(mailCommand(ClientTls::None, "", true) == "MAIL FROM:<a@b>\r\n");
}

BOOST_AUTO_TEST_CASE(what_must_be_sent_with_requiretls_is_not_sent_to_a_server_that_does_not_promise_it) {
  for (const auto& [verified, offered] : {std::pair{true, ""}, {false, "250-REQUIRETLS\r\n"}}) {
    auto dialog = readyDialog("250-STARTTLS\r\n", ClientTls::Required);
    dialog.takeOutput();
    dialog.receive("220 go\r\n");
    dialog.tlsStarted();
    dialog.takeOutput();
    dialog.receive(std::string("250-sink\r\n").append(offered).append("250 OK\r\n"));
    dialog.begin({"a@b", "c@d", 1, false, false, verified, true});
    BOOST_TEST(dialog.takeOutput().empty());
    const auto result = onlyResult(dialog);
    BOOST_TEST((result.outcome == Outcome::Permanent));
    BOOST_TEST(result.text.starts_with("5.7.30 "), result.text);
  }
}

BOOST_AUTO_TEST_CASE(keeps_results_in_order_when_the_next_message_cannot_be_sent) {
  auto dialog = readyDialog("250-PIPELINING\r\n250-SIZE 5000\r\n");
  dialog.begin(Letter);
  dialog.receive("250 ok\r\n250 ok\r\n354 go\r\n");
  dialog.takeOutput();
  dialog.contentSent();
  dialog.begin({"a@b", "c@d", 9999, false, false});
  BOOST_TEST(dialog.takeOutput().empty());
  dialog.receive("250 taken\r\n");
  BOOST_TEST((dialog.takeResult()->outcome == Outcome::Accepted));
  BOOST_TEST((dialog.takeResult()->outcome == Outcome::Permanent));
  BOOST_TEST((dialog.want() == Want::Idle));
}

BOOST_AUTO_TEST_SUITE_END()
