#include "core/hops/JourneyJson.h"

#include <nlohmann/json.hpp>

using namespace postern;
using hops::HopState;
using hops::Journey;
using hops::Verdict;

namespace {

Journey journeyOf(const std::string& header, const hops::JourneySettings& settings = {}) {
  std::string text;
  for (const char c : header) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return hops::readJourney(mail::HeaderBlock::scan(text + "\r\n").value(), settings);
}

hops::Hop hopOf(const std::string& received) {
  const auto journey = journeyOf("Received: " + received + "\n");
  BOOST_REQUIRE_EQUAL(journey.hops.size(), 1U);
  return journey.hops.front();
}

std::string state(const std::string& received) {
  return hops::hopStateWord(hopOf(received).state);
}

// From a mail from one large webmail provider through a filtering service to a mail vendor, host names shortened.
const std::string WorkedExample =
    "Received: from abc.luxsci.com ([1.1.1.1])\n"
    "\tby def.luxsci.com (8.14.4/8.13.8) with ESMTP id r7JEfLgH003867\n"
    "\t(version=TLSv1/SSLv3 cipher=DHE-RSA-AES256-SHA bits=256 verify=NOT)\n"
    "\tfor <user@luxsci.example>; Mon, 19 Aug 2019 10:41:21 -0400\n"
    "Received: from abc.luxsci.com (localhost.localdomain [127.0.0.1])\n"
    "\tby abc.luxsci.com (8.14.4/8.13.8) with ESMTP id r7JEfK0Z030182\n"
    "\tfor <user@luxsci.example>; Mon, 19 Aug 2019 09:41:20 -0500\n"
    "Received: (from mail@localhost)\n"
    "\tby abc.luxsci.com (8.14.4/8.13.8/Submit) id r7JEfKXD030178\n"
    "\tfor user@luxsci.example; Mon, 19 Aug 2019 09:41:20 -0500\n"
    "Received: from dispatch1-us1.ppe-hosted.com (dispatch1-us1.ppe-hosted.com [2.2.2.2])\n"
    "\tby abc.luxsci.com (8.14.4/8.13.8) with ESMTP id r7JEfIkK030002\n"
    "\t(version=TLSv1/SSLv3 cipher=DHE-RSA-AES256-SHA bits=256 verify=NOT)\n"
    "\tfor <user@luxsci.example>; Mon, 19 Aug 2019 09:41:19 -0500\n"
    "Received: from unknown [65.54.190.216] (EHLO bay0-omc4-s14.bay0.hotmail.com)\n"
    "\tby dispatch1-us1.ppe-hosted.com.ppe-hosted.com\n"
    "\t(envelope-from <someone@hotmail.example>);\n"
    "\tMon, 19 Aug 2019 08:41:18 -0600 (MDT)\n"
    "Received: from BAY403-EAS373 ([65.54.190.199]) by bay0-omc4-s14.bay0.hotmail.com\n"
    "\twith Microsoft SMTPSVC(6.0.3790.4675);\n"
    "\tMon, 19 Aug 2019 07:41:19 -0700\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(core_hops_Journey)

BOOST_AUTO_TEST_CASE(worked_example_comes_out_right) {
  const auto journey = journeyOf(WorkedExample);
  BOOST_REQUIRE_EQUAL(journey.hops.size(), 6U);
  const auto& hops = journey.hops;
  BOOST_TEST(hops[0].why == "both addresses are of one network");
  const std::vector<HopState> expected{HopState::Inside, HopState::NotRecorded, HopState::Encrypted,
                                       HopState::Inside, HopState::Inside,      HopState::Encrypted};
  for (std::size_t i = 0; i < hops.size(); ++i)
    BOOST_TEST(hops::hopStateWord(hops[i].state) == hops::hopStateWord(expected[i]),
               "hop " << i + 1 << ": " << hops[i].why);
  BOOST_TEST(hops[2].tls.cipher == "DHE-RSA-AES256-SHA");
  BOOST_TEST(hops[2].tls.bits == 256);
  BOOST_TEST(hops[2].tls.verification == "NOT");
  BOOST_TEST(hops[5].inside);
  BOOST_TEST((journey.verdict == Verdict::NotRecorded));
  BOOST_TEST(
      journey.sentence ==
      "It is not known whether the message was encrypted on hop 2 (hotmail.com to ppe-hosted.com): the receiving "
      "server left no record, which proves neither.");
}

BOOST_AUTO_TEST_CASE(forms_of_encrypted_hops) {
  struct Case {
    const char* received;
    const char* version;
    const char* cipher;
    int bits;
  };
  const std::vector<Case> cases{
      {"from a.example (a.example [192.0.2.1])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t "
       "key-exchange X25519)\n"
       "\t(No client certificate requested)\n\tby mx.b.example (Postfix) with ESMTPS id 4ABC; Mon, 2 Feb 2026 10:00:00 "
       "+0000",
       "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256},
      {"from a.example (a.example [192.0.2.1]) by mx.b.example (Postfix) with ESMTPS id 4ABC", "", "", 0},
      {"from a.example (a.example [192.0.2.1])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits; no "
       "client certificate requested)\n"
       "\tby lists.b.example (Postern) with ESMTPS id 0abc; Mon, 2 Feb 2026 10:00:00 +0000",
       "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256},
      {"from mail-wr1.google.com (mail-wr1.google.com. [209.85.221.46])\n\tby mx.google.com with ESMTPS id x\n"
       "\t(version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128); Mon, 2 Feb 2026 10:00:00 -0800 (PST)",
       "TLS1_3", "TLS_AES_128_GCM_SHA256", 128},
      {"from AM0PR04.eurprd04.prod.outlook.com (2603:10a6:208:1::10)\n by DB7PR04.eurprd04.prod.outlook.com "
       "(2603:10a6:10:2::20)\n"
       " with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.1; Mon, 2 "
       "Feb 2026 10:00:00 +0000",
       "TLS1_2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0},
      {"from EX1.firm.example (203.0.113.1) by EX2.other.example (198.51.100.2) with Microsoft SMTP Server (TLS) id "
       "14.3.1",
       "", "", 0},
      {"from a.example ([192.0.2.1] helo=mail.a.example)\n\tby mx.b.example with esmtps  (TLS1.3) tls "
       "TLS_AES_256_GCM_SHA384\n"
       "\t(Exim 4.96)\n\t(envelope-from <x@a.example>)\n\tid 1abc",
       "TLS1.3", "TLS_AES_256_GCM_SHA384", 0},
      {"from a.example ([192.0.2.1]) by mx.b.example with esmtps (TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256) (Exim 4.84)",
       "TLS1.2", "ECDHE_RSA_AES_256_GCM_SHA384", 256},
      {"from a.example (a.example [192.0.2.1]) by mx.b.example (OpenSMTPD) with ESMTPS id 1 "
       "(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)",
       "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256},
      {"from unknown (HELO a.example) (192.0.2.1)\n  by mx.b.example with (DHE-RSA-AES256-SHA encrypted) SMTP; 2 Feb "
       "2026 10:00:00 -0000",
       "", "DHE-RSA-AES256-SHA", 0},
      {"from unknown [44.44.44.44] (EHLO wgh.a.example)\n by dispatch1-us1.ppe-hosted.com.ppe-hosted.com\n"
       " (using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\n with ESMTP id b-022; Mon, 02 Feb "
       "2009 19:28:27 -0700 (MST)",
       "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", 256},
      {"from source ([12.158.40.254]) (using TLSv1) by exprod8mx8.postini.com ([64.18.7.1]) with SMTP", "TLSv1", "", 0},
      {"from a.example (a.example [192.0.2.1]) by mx.b.example (8.16.1/8.16.1) with ESMTPS id 1 (version=TLSv1.3 "
       "cipher=TLS_AES_256_GCM_SHA384 "
       "bits=256 verify=OK)",
       "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256},
  };
  for (const auto& each : cases) {
    const auto hop = hopOf(each.received);
    BOOST_TEST(hops::hopStateWord(hop.state) == "recorded-encrypted", each.received);
    BOOST_TEST(hop.tls.version == each.version, each.received);
    BOOST_TEST(hop.tls.cipher == each.cipher, each.received);
    BOOST_TEST(hop.tls.bits == each.bits, each.received);
  }
}

BOOST_AUTO_TEST_CASE(plain_is_said_only_of_servers_that_would_have_said_otherwise) {
  BOOST_TEST(state("from a.example (a.example [192.0.2.1]) by mx.b.example (Postfix) with ESMTP id 4") ==
             "recorded-plain");
  BOOST_TEST(state("from a.example (a.example [192.0.2.1]) by mx.b.example (Postfix) with SMTP id 4") ==
             "recorded-plain");
  BOOST_TEST(state("from a.example ([192.0.2.1]) by mx.b.example with esmtp (Exim 4.96) id 1") == "recorded-plain");
  BOOST_TEST(state("from a.example (a.example. [192.0.2.1]) by mx.google.com with ESMTP id x") == "recorded-plain");
  BOOST_TEST(state("from a.example (a.example [192.0.2.1]) by b.example (Postern) with ESMTP id x") ==
             "recorded-plain");

  BOOST_TEST(state("from a.example (a.example [192.0.2.1]) by mx.b.example (8.14.4/8.13.8) with ESMTP id r") ==
             "not-recorded");
  BOOST_TEST(state("from a.example ([192.0.2.1]) by mx.b.example with Microsoft SMTPSVC(6.0.3790.4675)") ==
             "not-recorded");
  BOOST_TEST(state("from unknown (HELO a.example) (192.0.2.1) by mx.b.example with SMTP") == "not-recorded");
  BOOST_TEST(state("from a.example ([192.0.2.1]) by web.b.example via HTTP") == "not-recorded");
  BOOST_TEST(state("from [192.0.2.1] by web.b.example with HTTP") == "not-recorded");
  BOOST_TEST(state("nonsense") == "not-recorded");
  BOOST_TEST(state("from a.example (version=none) by b.example with ESMTP") == "not-recorded");
}

BOOST_AUTO_TEST_CASE(inside_one_provider_by_evidence) {
  BOOST_TEST(state("by mail.b.example (Postfix, from userid 1000) id 4") == "inside-one-provider");
  BOOST_TEST(state("(qmail 4711 invoked by uid 89); 2 Feb 2026 10:00:00 -0000") == "inside-one-provider");
  BOOST_TEST(state("from a.example ([192.168.4.9]) by mx.b.example with ESMTP") == "inside-one-provider");
  BOOST_TEST(state("from out.b.example (out.b.example [192.0.2.1]) by mx.b.example with ESMTP") ==
             "inside-one-provider");
  BOOST_TEST(state("by 2002:a17:906:1234:b0:a3:1:2 with SMTP id x") == "inside-one-provider");
  BOOST_TEST(state("from user by mail.b.example with local (Exim 4.96) id 1") == "inside-one-provider");
  BOOST_TEST(state("from mail.b.example by mail.b.example with LMTP id 1") == "inside-one-provider");
}

BOOST_AUTO_TEST_CASE(a_name_that_the_sender_gives_itself_is_no_evidence) {
  BOOST_TEST(state("from mx.b.example (evil.example [203.0.113.9]) by mx.b.example with ESMTP") == "not-recorded");
  BOOST_TEST(state("from mx.b.example ([203.0.113.9]) by mx2.b.example with ESMTP") == "not-recorded");
  BOOST_TEST(state("from [10.0.0.1] (unknown [203.0.113.9]) by mx.b.example with ESMTP") == "not-recorded");
  BOOST_TEST(state("from unknown (HELO [10.0.0.1]) (203.0.113.9) by mx.b.example with SMTP") == "not-recorded");
  BOOST_TEST(state("from x ([203.0.113.9] helo=[10.0.0.1]) by mx.b.example with esmtp (Exim 4.96)") ==
             "recorded-plain");
  BOOST_TEST(state("from unknown [203.0.113.9] (EHLO using TLSv1.3 with cipher X) by mx.b.example") == "not-recorded");
}

BOOST_AUTO_TEST_CASE(own_domains_are_one_provider) {
  const std::string header =
      "Received: from a.hospital.example (a.hospital.example [192.0.2.1]) by mx.clinic.example with ESMTP\n";
  BOOST_TEST((journeyOf(header).verdict == Verdict::NotRecorded));
  BOOST_TEST((journeyOf(header, {{"hospital.example", "clinic.example"}}).verdict == Verdict::Inside));
}

BOOST_AUTO_TEST_CASE(verdict_is_the_worst_hop_between_providers) {
  const std::string plain =
      "Received: from a.example (a.example [192.0.2.1]) by mx.b.example (Postfix) with ESMTP id 4\n";
  const std::string sealed =
      "Received: from b.example (b.example [192.0.2.2]) by mx.c.example (Postfix) with ESMTPS id 4\n";
  BOOST_TEST((journeyOf("").verdict == Verdict::NoHops));
  BOOST_TEST((journeyOf(sealed).verdict == Verdict::Encrypted));
  const auto both = journeyOf(sealed + plain);
  BOOST_TEST((both.verdict == Verdict::Plain));
  BOOST_TEST(both.sentence == "The message went in clear on hop 1 (a.example to b.example).");
}

BOOST_AUTO_TEST_CASE(a_journey_longer_than_the_limit_is_never_called_encrypted) {
  std::string header;
  for (int i = 0; i < 300; ++i)
    header += "Received: from b.example (b.example [192.0.2.2]) by mx.c.example (Postfix) with ESMTPS id 4\n";
  const auto journey = journeyOf(header);
  BOOST_TEST(journey.hops.size() == hops::MaxHops);
  BOOST_TEST((journey.verdict == Verdict::NotRecorded));
}

BOOST_AUTO_TEST_CASE(a_journey_that_is_kept_reads_back_as_it_was_and_is_small) {
  auto journey = journeyOf(WorkedExample);
  const auto kept = hops::compactJson(journey);
  BOOST_TEST(hops::expandJson(kept).dump() == hops::toJson(journey).dump());
  BOOST_TEST(kept.size() < hops::toJson(journey).dump().size());
  journey.hops[0].from = "caf\xe9.example";
  BOOST_TEST(hops::expandJson(hops::compactJson(journey)).at("hops")[0].at("from") == "caf\xef\xbf\xbd.example");
  for (const auto* text : {"", "nothing", "[]", "{}", R"({"hops":7})", R"({"hops":[7]})"})
    BOOST_TEST(hops::expandJson(text).is_null(), text);
}

BOOST_AUTO_TEST_SUITE_END()
