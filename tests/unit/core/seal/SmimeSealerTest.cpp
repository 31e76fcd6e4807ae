#include "core/base/Error.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/seal/SmimeSealer.h"
#include "tests/unit/core/seal/SealFixture.h"

using namespace postern;
using namespace postern::seal;
using namespace postern::test;

namespace {

const std::vector<std::string> AllKinds{"rsa2048", "rsa3072", "rsa4096", "P-256", "P-384", "P-521"};
const std::vector<ContentCipher> AllCiphers{ContentCipher::Cbc, ContentCipher::Gcm};

std::string messageOf(const SmimeSealer& sealer, const SharedBody& body, const RecipientKey& recipient) {
  return "From: list@example.org\r\nSubject: [...]\r\n" + sealer.head(body, recipient) + body.tail();
}

// The DER of a head, behind its MIME headers.
std::string bytesOfHead(const std::string& head) {
  return fromBase64(std::string_view(head).substr(head.find("\r\n\r\n") + 4)).value();
}

bool holds(std::string_view whole, std::string_view part) {
  return whole.find(part) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_seal_SmimeSealer)

BOOST_AUTO_TEST_CASE(copies_open_for_every_key_kind_cipher_and_size) {
  const SmimeSealer sealer;
  std::vector<std::size_t> sizes{0,  1,  2,  3,  15, 16, 17,   31,   32,   33,      47,
                                 48, 49, 50, 63, 64, 65, 1000, 1001, 1002, 1u << 20};
  for (std::size_t residue = 0; residue < 57; ++residue) sizes.push_back(2000 + residue);
  for (const auto cipher : AllCiphers)
    for (const auto size : sizes) {
      const auto plain = randomBytes(size);
      const auto body = SharedBody::encrypt(plain, cipher);
      for (const auto& kind : AllKinds) {
        const Member member(kind, "anna", 4711);
        const auto opened = openWithCms(messageOf(sealer, body, member.recipient), member);
        BOOST_TEST(opened.recipients == 1);
        BOOST_TEST((opened.opened && opened.plain == plain), kind << " size " << size);
      }
    }
}

// Certificates of many serial lengths give heads of every length modulo three.
BOOST_AUTO_TEST_CASE(heads_of_every_length_meet_the_same_tail) {
  const SmimeSealer sealer;
  std::set<std::size_t> lengths;
  for (const auto cipher : AllCiphers)
    for (const std::size_t size : {0u, 1u, 2u, 100u}) {
      const auto plain = randomBytes(size);
      const auto body = SharedBody::encrypt(plain, cipher);
      for (int extra = 0; extra < 6; ++extra) {
        const Member member("P-256", "anna" + std::string(static_cast<std::size_t>(extra), 'x'), 7);
        lengths.insert(member.recipient.issuerAndSerial.size() % 3);
        const auto opened = openWithCms(messageOf(sealer, body, member.recipient), member);
        BOOST_TEST((opened.opened && opened.plain == plain), "size " << size << " extra " << extra);
      }
    }
  BOOST_TEST(lengths.size() == 3u);
}

BOOST_AUTO_TEST_CASE(oaep_copies_open) {
  const SmimeSealer sealer;
  for (const auto& kind : {"rsa2048", "rsa4096"}) {
    Member member(kind, "anna", 1);
    member.recipient.readsOaep = true;
    const auto opened = openWithCms(messageOf(sealer, SharedBody::encrypt("content"), member.recipient), member);
    BOOST_TEST((opened.opened && opened.plain == "content"));
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_key_does_not_open) {
  const SmimeSealer sealer;
  const auto plain = randomBytes(500);
  for (const auto cipher : AllCiphers)
    for (const auto& kind : {"rsa2048", "P-256"}) {
      const auto body = SharedBody::encrypt(plain, cipher);
      const Member member(kind, "anna", 4711);
      Member thief(kind, "anna", 4711, 1);  // same name and serial, other key
      const auto opened = openWithCms(messageOf(sealer, body, member.recipient), thief);
      BOOST_TEST((!opened.opened || opened.plain != plain));
    }
}

// attacks.md 4: exactly one RecipientInfo, and nothing that belongs to another member.
BOOST_AUTO_TEST_CASE(copies_share_the_tail_and_tell_nothing_of_other_members) {
  const SmimeSealer sealer;
  for (const auto cipher : AllCiphers) {
    const auto body = SharedBody::encrypt(randomBytes(3000), cipher);
    std::vector<Member> members;
    long serial = 1000001;
    for (const auto& kind : AllKinds) members.emplace_back(kind, "member" + std::to_string(serial), serial), ++serial;
    members.emplace_back("rsa2048", "second", 2000001, 1);
    members.emplace_back("P-256", "third", 2000002, 1);
    for (const auto& member : members) {
      const auto head = sealer.head(body, member.recipient);
      const auto bytes = bytesOfHead(head);
      BOOST_TEST(holds(bytes, member.recipient.issuerAndSerial));
      for (const auto& other : members) {
        if (&other == &member) continue;
        BOOST_TEST(!holds(bytes, other.recipient.issuerAndSerial));
        BOOST_TEST(!holds(bytes, other.recipient.subjectKeyId));
        for (const auto& part : {other.recipient.modulus, other.recipient.point})
          BOOST_TEST((part.empty() || !holds(bytes, part)));
        const auto opened = openWithCms(head + body.tail(), other);
        BOOST_TEST(opened.recipients == 1);
        BOOST_TEST(!opened.opened);
      }
      BOOST_TEST(openWithCms(head + body.tail(), member).opened);
    }
    const auto first = bytesOfHead(sealer.head(body, members[0].recipient));
    BOOST_TEST(first != bytesOfHead(sealer.head(body, members[0].recipient)));  // wrapping is randomised
  }
}

BOOST_AUTO_TEST_CASE(an_ephemeral_key_belongs_to_one_message) {
  const SmimeSealer sealer;
  const Member anna("P-256", "anna", 1);
  const Member bert("P-256", "bert", 2, 1);
  const auto originator = [&](const SharedBody& body, const Member& member) {
    const auto bytes = bytesOfHead(sealer.head(body, member.recipient));
    const auto at = bytes.find(std::string("\x03\x42\x00\x04", 4));
    BOOST_REQUIRE(at != std::string::npos);
    return bytes.substr(at + 4, 64);
  };
  const auto one = SharedBody::encrypt("text");
  const auto two = SharedBody::encrypt("text");
  BOOST_TEST((originator(one, anna) == originator(one, bert)));
  BOOST_TEST((originator(one, anna) != originator(two, anna)));
}

BOOST_AUTO_TEST_CASE(the_same_text_is_encrypted_differently_each_time) {
  for (const auto cipher : AllCiphers) {
    const std::string text(300, 'x');
    const auto one = SharedBody::encrypt(text, cipher);
    const auto two = SharedBody::encrypt(text, cipher);
    BOOST_TEST(one.tail() != two.tail());
    BOOST_TEST(one.exportKey().view().substr(2, 32) != two.exportKey().view().substr(2, 32));
  }
}

BOOST_AUTO_TEST_CASE(neither_head_nor_tail_holds_the_text) {
  const SmimeSealer sealer;
  const std::string canary = "canary-5e1f-canary-5e1f-canary-5e1f-canary-5e1f-canary-5e1f";
  for (const auto cipher : AllCiphers) {
    const auto body = SharedBody::encrypt(canary + canary + canary, cipher);
    const auto wire =
        bytesOfHead(sealer.head(body, Member("rsa2048", "anna", 1).recipient)) + fromBase64(body.tail()).value();
    for (std::size_t at = 0; at + 6 <= canary.size(); ++at) BOOST_TEST(!holds(wire, canary.substr(at, 6)));
  }
}

BOOST_AUTO_TEST_CASE(every_line_on_the_wire_is_short_and_ends_in_crlf) {
  const SmimeSealer sealer;
  for (const auto cipher : AllCiphers)
    for (const auto& kind : AllKinds) {
      const auto body = SharedBody::encrypt(randomBytes(777), cipher);
      const auto message = sealer.head(body, Member(kind, "anna", 1).recipient) + body.tail();
      BOOST_TEST(message.ends_with("\r\n"));
      for (std::size_t start = 0; start < message.size();) {
        const auto end = message.find("\r\n", start);
        const auto line = message.substr(start, end - start);
        BOOST_TEST(line.size() <= 78u);
        BOOST_TEST(line.find_first_of("\r\n") == std::string::npos);
        BOOST_TEST(!line.starts_with('.'));
        start = end + 2;
      }
    }
}

BOOST_AUTO_TEST_CASE(heads_can_be_made_after_a_restart) {
  const SmimeSealer sealer;
  for (const auto cipher : AllCiphers)
    for (const auto& kind : {"rsa2048", "P-384"}) {
      const Member member(kind, "anna", 1);
      const auto body = SharedBody::encrypt("content to be kept over a restart of the process, and some more", cipher);
      const auto resumed = SharedBody::resume(body.exportKey());
      BOOST_TEST(resumed.tail().empty());
      const auto opened = openWithCms(sealer.head(resumed, member.recipient) + body.tail(), member);
      BOOST_TEST((opened.opened && opened.plain.starts_with("content to be kept")));
    }
  BOOST_CHECK_THROW(SharedBody::resume(Secret("")), Error);
  BOOST_CHECK_THROW(SharedBody::resume(Secret(std::string(200, '\1'))), Error);
}

BOOST_AUTO_TEST_CASE(heads_are_made_by_several_threads_from_one_body) {
  const SmimeSealer sealer(3);  // a small cache, so that entries are pushed out all the time
  const auto body = SharedBody::encrypt("content");
  std::vector<Member> members;
  for (const auto& kind : AllKinds) members.emplace_back(kind, "m", 1);
  std::mutex mutex;
  std::vector<std::pair<std::size_t, std::string>> heads;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 30; ++i) {
          const auto which = (i + t) % members.size();
          auto head = sealer.head(body, members[which].recipient);
          const std::lock_guard lock(mutex);
          heads.emplace_back(which, std::move(head));
        }
      });
  }
  BOOST_TEST(heads.size() == 120u);
  for (const auto& [which, head] : heads)
    BOOST_TEST(openWithCms(head + body.tail(), members[which]).plain == "content");
}

BOOST_AUTO_TEST_CASE(the_key_cache_never_mixes_keys) {
  const SmimeSealer sealer(2);
  const auto body = SharedBody::encrypt("content");
  std::vector<Member> members;
  for (int i = 0; i < 4; ++i) members.emplace_back("P-256", "same", 1, i);
  for (int round = 0; round < 3; ++round)
    for (const auto& member : members)
      BOOST_TEST(openWithCms(sealer.head(body, member.recipient) + body.tail(), member).plain == "content");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_none_gets_no_copy) {
  const SmimeSealer sealer;
  const auto body = SharedBody::encrypt("content");
  BOOST_CHECK_THROW(sealer.head(body, RecipientKey{}), Error);
  auto broken = Member("P-256", "anna", 1).recipient;
  broken.point[10] = static_cast<char>(broken.point[10] ^ 1);
  BOOST_CHECK_THROW(sealer.head(body, broken), Error);
  auto tiny = Member("rsa2048", "anna", 1).recipient;
  tiny.modulus = "\x23";
  BOOST_CHECK_THROW(sealer.head(body, tiny), Error);
}

// attacks.md 5: a changed GCM copy opens to nothing, or, where only the framing was touched, to the same bytes.
BOOST_AUTO_TEST_CASE(a_changed_gcm_copy_never_opens_to_another_text) {
  const SmimeSealer sealer;
  const Member member("P-256", "anna", 1);
  const auto plain = randomBytes(200);
  const auto body = SharedBody::encrypt(plain, ContentCipher::Gcm);
  const auto head = sealer.head(body, member.recipient);
  const auto tail = fromBase64(body.tail()).value();
  constexpr std::size_t FramingBefore = 3;  // tag and length of the ciphertext's last segment
  const std::size_t cipherEnd = FramingBefore + 200 - 48;
  const std::size_t tagStart = cipherEnd + 4 + 2;  // two ends of contents, tag and length of the mac
  for (std::size_t at = 0; at < tail.size(); ++at) {
    auto changed = tail;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    const auto opened = openWithCms(head + base64Lines(changed), member);
    BOOST_TEST((!opened.opened || opened.plain == plain), "byte " << at);
    if ((at >= FramingBefore && at < cipherEnd) || (at >= tagStart && at < tagStart + 16))
      BOOST_TEST(!opened.opened, "byte " << at);
  }
}

BOOST_AUTO_TEST_CASE(self_test_passes) {
  BOOST_CHECK_NO_THROW(selfTest());
}

BOOST_AUTO_TEST_SUITE_END()
