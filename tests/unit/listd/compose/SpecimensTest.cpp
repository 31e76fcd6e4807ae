// Every message in tests/data/messages is what its name says: good-* is taken and composed, ambiguous-* is refused,
// bounce-failure-*, bounce-delay-* and bounce-autoreply-* are read as such.
#include "core/base/Files.h"
#include "core/mail/MimeTree.h"
#include "listd/compose/Bounce.h"
#include "listd/compose/PostComposer.h"

#include <filesystem>

using namespace postern;
using namespace postern::listd;

namespace {

struct Specimen {
  std::string name;
  mail::Message message;
};

std::vector<Specimen> specimens(const std::string& prefix) {
  std::vector<Specimen> found;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_SOURCE_DIR "/tests/data/messages")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    auto message = mail::Message::parse(files::read(entry.path()));
    BOOST_REQUIRE_MESSAGE(message.has_value(), name);
    found.push_back({name, std::move(*message)});
  }
  BOOST_REQUIRE_MESSAGE(!found.empty(), "no specimen " << prefix);
  return found;
}

void allAre(const std::string& prefix, Bounce::Kind kind) {
  for (const auto& specimen : specimens(prefix)) BOOST_TEST((readBounce(specimen.message).kind == kind), specimen.name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_Specimens)

BOOST_AUTO_TEST_CASE(good_mail_is_taken_and_composed) {
  const PostStamp stamp{"<abcdefghijklmnopqrstuvwxyz@lists.example>", TimePoint{}};
  const PostComposer composer({*mail::Address::parse("board@lists.example"), "The Board", "", false, ""});
  for (const auto& [name, message] : specimens("good-")) {
    const auto tree = mail::MimeTree::parse(message);
    BOOST_TEST(tree.ambiguities().empty(),
               name << ": " << (tree.ambiguities().empty() ? "" : ambiguityText(tree.ambiguities().front())));
    const auto secure = composer.composeSecure(message, stamp);
    BOOST_REQUIRE_MESSAGE(secure.has_value(), name);
    const auto inner = mail::Message::parse(secure->inner);
    const auto sent = mail::MimeTree::parse(*inner);
    BOOST_TEST(sent.ambiguities().empty(), name);
    BOOST_REQUIRE_MESSAGE(sent.parts().size() == tree.parts().size(), name);
    for (std::size_t i = 0; i < sent.parts().size(); ++i) {
      BOOST_TEST(sent.parts()[i].type == tree.parts()[i].type, name);
      BOOST_TEST(sent.parts()[i].filename == tree.parts()[i].filename, name);
      BOOST_TEST(sent.parts()[i].size == tree.parts()[i].size, name);
    }
    BOOST_TEST(inner->subject() == message.subject(), name);
    BOOST_TEST(composer.composeOpen(message, stamp).has_value(), name);
  }
}

BOOST_AUTO_TEST_CASE(ambiguous_mail_is_found_out) {
  for (const auto& [name, message] : specimens("ambiguous-"))
    BOOST_TEST(!mail::MimeTree::parse(message).ambiguities().empty(), name);
}

BOOST_AUTO_TEST_CASE(bounces_are_read_as_what_they_are) {
  allAre("bounce-failure-", Bounce::Kind::Failure);
  allAre("bounce-delay-", Bounce::Kind::Delay);
  allAre("bounce-autoreply-", Bounce::Kind::AutoReply);
  for (const auto& [name, message] : specimens("bounce-failure-"))
    BOOST_TEST(readBounce(message).status == "5.1.1", name);
}

BOOST_AUTO_TEST_SUITE_END()
