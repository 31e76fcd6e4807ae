// Requests and confirmations in the forms in which common mail programs write them, and everything that answers by
// itself. What a program sends alone must never confirm: not a vacation responder, not a report, not a ticket system.
#include "listd/expand/Intake.h"
#include "listd/subscribe/SubscriptionMail.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Ann = "ann@example.org";
const std::string Board = "board@lists.example";

// The mail that asks, as an answer quotes it.
constexpr const char* Quoted =
    "> Hello,\n>\n> somebody, probably you, asked to put this address on the mailing list\n>\n> "
    "board@lists.example\n>\n"
    "> If it was you, confirm it here, by the button on the page:\n";

struct Scene : Desk {
  Intake intake{context, [] {}};
  std::uint64_t taken = 0;

  Scene() { makeList(context, Board, false); }

  // `message`: header and body with LF; {confirm} stands for the address to which an answer goes, {token} for the code.
  void deliver(std::string message, const std::string& to, const std::string& envelope = Ann) {
    const auto confirm = confirmAddress();
    replaceAll(message, "{confirm}", confirm);
    replaceAll(message, "{token}", confirm.substr(std::min(confirm.find('+') + 1, confirm.size()), 24));
    replaceAll(message, "\n", "\r\n");
    auto submission = submissionTo({to.empty() ? confirm : to}, Ann, "x", "");
    submission.mailFrom = envelope;
    submission.clientAddress = "192.0.2.1";
    submission.notes.emplace_back(app::SenderProvenNote, "yes");
    submission.content = "Received: from x (x [192.0.2.1]) by mail.lists.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
                         std::move(message);
    crypto::SealedBoxWriter box(context.keys.vaultKeyPair().publicKey);
    const app::AcceptedItem item{++taken, box.seal(submission.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
  }
  static void replaceAll(std::string& text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
      text.replace(at, what.size(), with);
  }
  std::vector<SiteMailRow> mails() {
    return context.site.read([](SiteTables& tables) { return tables.siteMail.newest(100); });
  }
  std::string confirmAddress() {
    for (const auto& row : mails())
      if (row.mail.kind == SiteMail::Kind::JoinConfirm) return row.mail.lines.at(1);
    return {};
  }
  bool isMember() {
    return context.site.read(
        [](SiteTables& tables) { return tables.members.find(tables.lists.find(Board)->id, Ann).has_value(); });
  }
  void askToJoin() {
    deliver("From: Ann <ann@example.org>\nTo: board-join@lists.example\nSubject:\n\n", "board-join@lists.example");
  }
};

struct Sample {
  const char* program;
  std::string message;
};

std::string base64Of(const std::string& text) {
  return crypto::base64Lines(text);
}

// Requests to LIST-request, each with "subscribe" where its program puts what was typed.
std::vector<Sample> requests() {
  return {
      {"Thunderbird, plain, with a signature",
       "Message-ID: <5f1c@example.org>\nDate: Mon, 23 Nov 2026 11:00:00 +0100\nMIME-Version: 1.0\nUser-Agent: Mozilla "
       "Thunderbird\nContent-Language: de-DE\nTo: board-request@lists.example\nFrom: Ann Meier <ann@example.org>\n"
       "Subject: \nContent-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 7bit\n\n"
       "subscribe\n\n-- \nAnn Meier\nTel. 555\n"},
      {"Outlook, HTML beside text",
       "From: \"Meier, Ann\" <ann@example.org>\nTo: \"board-request@lists.example\" <board-request@lists.example>\n"
       "Subject: subscribe\nThread-Topic: subscribe\nThread-Index: AQHb\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n"
       "Message-ID: <VI1PR0@eurprd.example>\nAccept-Language: en-GB\nX-MS-Has-Attach:\nMIME-Version: "
       "1.0\nContent-Type: "
       "multipart/alternative;\n\tboundary=\"_000_VI1_\"\n\n--_000_VI1_\nContent-Type: text/plain; "
       "charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\n\n\n\n--_000_VI1_\nContent-Type: "
       "text/html; "
       "charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\n\n<html><head><style>p.MsoNormal "
       "{margin:0}</style></head><body><p "
       "class=3D\"MsoNormal\"><o:p>&nbsp;</o:p></p></body></html>\n\n--_000_VI1_--\n"},
      {"a web mail with HTML alone",
       "From: Ann <ann@example.org>\nTo: board-request@lists.example\nSubject: hi\nMIME-Version: 1.0\nContent-Type: "
       "text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" +
           base64Of("<html><head><title>join</title></head><body><div>subscribe</div><div><br></div><div>Ann</div>"
                    "</body></html>")},
      {"Gmail, both parts",
       "MIME-Version: 1.0\nFrom: Ann <ann@example.org>\nDate: Mon, 23 Nov 2026 11:00:00 +0100\nMessage-ID: "
       "<CAAa@mail.example>\nSubject: \nTo: board-request@lists.example\nContent-Type: multipart/alternative; "
       "boundary=\"00000000000012\"\n\n--00000000000012\nContent-Type: text/plain; charset=\"UTF-8\"\n\nsubscribe\n\n"
       "--00000000000012\nContent-Type: text/html; charset=\"UTF-8\"\n\n<div dir=\"ltr\">subscribe</div>\n\n"
       "--00000000000012--\n"},
      {"an iPhone, with its capital letter and its line",
       "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\nFrom: Ann <ann@example.org>\n"
       "Mime-Version: 1.0 (1.0)\nDate: Mon, 23 Nov 2026 11:00:00 +0100\nSubject: \nMessage-Id: <7A@example.org>\nTo: "
       "board-request@lists.example\nX-Mailer: iPhone Mail (22A)\n\nSubscribe \n\nSent from my iPhone\n"},
      {"an older program with latin letters and quoted-printable",
       "From: =?iso-8859-1?Q?Ann_M=FCller?= <ann@example.org>\nTo: board-request@lists.example\nSubject: =?utf-8?B?" +
           base64Of("subscribe").substr(0, 12) +
           "?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
           "quoted-printable\n\nSch=F6ne Gr=FC=DFe\n"},
      {"signed with S/MIME, clear",
       "From: Ann <ann@example.org>\nTo: board-request@lists.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: "
       "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
       "boundary=\"s\"\n\n--s\nContent-Type: "
       "text/plain; charset=utf-8\n\nsubscribe\n\n--s\nContent-Type: application/pkcs7-signature; name=smime.p7s\n"
       "Content-Transfer-Encoding: base64\n\nMIIB\n\n--s--\n"},
  };
}

std::string answer(const std::string& fields, const std::string& text) {
  return "From: Ann <ann@example.org>\nTo: {confirm}\nIn-Reply-To: <1@mail.lists.example>\nReferences: "
         "<1@mail.lists.example>\nMIME-Version: 1.0\n" +
         fields + "\n" + text;
}

// Answers that people write.
std::vector<Sample> answers() {
  const std::string plain = "Content-Type: text/plain; charset=utf-8\n";
  return {
      {"text below the quote", answer("Subject: Re: Please confirm: a mailing list\n" + plain,
                                      "On 23.11.26 at 11:00, Postern wrote:\n" + std::string(Quoted) + "\nyes\n")},
      {"an empty answer above it",
       answer("Subject: Re: Please confirm: a mailing list\n" + plain, std::string(Quoted))},
      {"Outlook in German", answer("Subject: AW: Please confirm: a mailing list\n" + plain,
                                   "Ja\n\nVon: Postern <postmaster@mail.lists.example>\nGesendet: Montag\n")},
      {"Notes in German", answer("Subject: Antwort: Please confirm: a mailing list\n" + plain, "ja\n")},
      {"Swedish", answer("Subject: Sv: Please confirm: a mailing list\n" + plain, "ja\n")},
      {"Chinese, encoded",
       answer("Subject: =?utf-8?B?" + base64Of("回复: Please confirm: a mailing list").substr(0, 52) + "?=\n" + plain,
              "ok\n")},
      {"marked as external by the gateway on the way in",
       answer("Subject: Re: [EXTERNAL] Please confirm: a mailing list\n" + plain, "yes\n")},
      {"twice answered", answer("Subject: Re: AW: Re: Please confirm: a mailing list\n" + plain, "yes\n")},
      {"written anew, without a subject", answer("Subject:\n" + plain, "\n")},
      {"written anew, with a command", answer("Subject: hello\n" + plain, "confirm {token}\n")},
      {"HTML alone", answer("Subject: Re: Please confirm: a mailing list\nContent-Type: text/html; charset=utf-8\n",
                            "<p>yes</p><blockquote>somebody, probably you</blockquote>\n")},
      {"Auto-Submitted: no",
       answer("Auto-Submitted: no\nSubject: Re: Please confirm: a mailing list\n" + plain, "y\n")},
  };
}

struct Automatic : Sample {
  std::string envelope = Ann;
};

// What answers by itself, good and bad.
std::vector<Automatic> automatic() {
  const std::string re = "Subject: Re: Please confirm: a mailing list\n";
  return {
      {{"vacation by RFC 3834", answer("Auto-Submitted: auto-replied (vacation)\n" + re, "I am away.\n")}, ""},
      {{"vacation with its own sender", answer("Auto-Submitted: auto-replied\n" + re, "I am away.\n")}},
      {{"Exchange, out of office",
        answer(
            "Subject: Automatic reply: Please confirm: a mailing list\nX-Auto-Response-Suppress: All\nAuto-Submitted: "
            "auto-generated\nThread-Index: AQHb\n",
            "I am away.\n")},
       ""},
      {{"old vacation(1)", answer("Precedence: bulk\nSubject: away from my mail\n", "I am away.\n")}},
      {{"Precedence: auto_reply", answer("Precedence: auto_reply\n" + re, "I am away.\n")}},
      {{"X-Autoreply alone", answer("X-Autoreply: yes\n" + re, "I am away.\n")}},
      {{"X-Autorespond alone", answer("X-Autorespond: Please confirm: a mailing list\n" + re, "I am away.\n")}},
      {{"no mark at all, English", answer("Subject: Out of office: Please confirm: a mailing list\n", "I am away.\n")}},
      {{"no mark at all, German", answer("Subject: Abwesend: Please confirm: a mailing list\n", "Ich bin weg.\n")}},
      {{"no mark at all, French",
        answer("Subject: =?utf-8?Q?R=C3=A9ponse_automatique_:_Please_confirm:_a_mailing_list?=\n", "Absent\n")}},
      {{"no mark at all, quoting our text",
        answer("Subject: Auto: Please confirm: a mailing list\n", "Away until Monday.\n\n" + std::string(Quoted))}},
      {{"a ticket system",
        answer("Subject: [Ticket 2026-17] Please confirm: a mailing list\n", "We got your mail.\n")}},
      {{"another one", answer("X-OTRS-Loop: support\n" + re, "We got your mail.\n")}},
      {{"a DSN (RFC 3464)",
        "From: MAILER-DAEMON@example.org\nTo: {confirm}\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: "
        "auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; "
        "boundary=b\n\n--b\n"
        "Content-Type: text/plain\n\nconfirm {token}\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: "
        "dns; "
        "example.org\n\nFinal-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: 5.1.1\n\n--b--\n"},
       ""},
      {{"a DSN with a sender, in the member's name",
        answer("Subject: Re: Please confirm: a mailing list\nContent-Type: multipart/report; "
               "report-type=delivery-status; boundary=b\n",
               "--b\nContent-Type: text/plain\n\nconfirm {token}\n\n--b--\n")}},
      {{"a freeform bounce", answer("X-Failed-Recipients: ann@example.org\n" + re, "confirm {token}\n")}},
      {{"a read receipt", answer("Subject: Read: Please confirm: a mailing list\nContent-Type: multipart/report; "
                                 "report-type=disposition-notification; boundary=b\n",
                                 "--b\nContent-Type: text/plain\n\nread\n\n--b--\n")}},
      {{"a read receipt without its type", answer("Subject: Read: Please confirm: a mailing list\n", "read\n")}},
      {{"a delayed notice", answer("Subject: Warning: message delayed 4 hours\n", std::string(Quoted))}, ""},
      {{"through another list", answer("List-Id: <x.example.org>\n" + re, "yes\n")}},
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_subscribe_ClientMail)

BOOST_AUTO_TEST_CASE(a_request_is_read_in_the_forms_of_common_mail_programs) {
  for (const auto& sample : requests()) {
    BOOST_TEST_CONTEXT(sample.program) {
      Scene s;
      s.deliver(sample.message, "board-request@lists.example");
      BOOST_TEST(!s.confirmAddress().empty());
      BOOST_TEST(!s.isMember());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_confirms_in_the_forms_of_common_mail_programs) {
  for (const auto& sample : answers()) {
    BOOST_TEST_CONTEXT(sample.program) {
      Scene s;
      s.askToJoin();
      s.deliver(sample.message, {});
      BOOST_TEST(s.isMember());
    }
  }
}

// Pains 5 and 13 of the list servers: vacation replies and reports taken for people.
BOOST_AUTO_TEST_CASE(what_answers_by_itself_confirms_nothing_and_gets_no_answer) {
  for (const auto& sample : automatic()) {
    BOOST_TEST_CONTEXT(sample.program) {
      Scene s;
      s.askToJoin();
      const auto before = s.mails().size();
      s.deliver(sample.message, {}, sample.envelope);
      BOOST_TEST(!s.isMember());
      BOOST_TEST(s.mails().size() == before);
      // The token is good still: the person may answer later.
      s.deliver(answer("Subject: Re: Please confirm: a mailing list\n", "yes\n"), {});
      BOOST_TEST(s.isMember());
    }
  }
}

BOOST_AUTO_TEST_CASE(quoted_commands_and_those_behind_other_words_are_not_obeyed) {
  for (const auto* text : {"> subscribe\n", "Hello, please\nsubscribe\n", "-- \nsubscribe\n", "unsubscribed\n"}) {
    Scene s;
    s.deliver("From: Ann <ann@example.org>\nTo: board-request@lists.example\nSubject: question\n\n" + std::string(text),
              "board-request@lists.example");
    BOOST_TEST(s.mails().empty(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
