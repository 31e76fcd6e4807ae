#include "core/base/Log.h"
#include "gateway/smtp/verbs/Verbs.h"

namespace postern::gateway::verbs {

// The filter in front speaks for another client: the session begins anew for that one, with the greeting. TLS stays as
// it is, since it protects the way to us; its certificate was the filter's own. A login is noted and gives no right:
// people sign in here.
void applyXclient(SessionData& session, Arguments&& arguments) {
  const auto command = std::get<smtp::XclientCommand>(std::move(arguments));
  const auto filter = session.client.address;
  auto& client = session.client;
  if (command.address) {
    client.known = !command.address->empty();
    if (client.known) client.address = *command.address;
    client.name.clear();
  }
  if (command.name) client.name = *command.name;
  client.certificate.reset();
  if (session.encrypted()) session.tls.verification = "none";
  session.tls.peerName.clear();
  if (command.helo) session.forwardedHelo = *command.helo;
  if (session.forwardedHelo && session.forwardedHelo->empty()) session.forwardedHelo.reset();
  if (command.destination && !command.destination->empty()) {
    session.door.address = *command.destination;
    session.findName({});
  }
  log::info("smtp", "a filter in front names its client",
            {{"filter", filter},
             {"client", client.known ? client.address : "unknown"},
             {"login", command.login.value_or("")}});
  session.helo.clear();
  session.extended = false;
  session.person.reset();
  session.errors = session.refusedRecipients = 0;  // of the client before
  session.dropTransaction();
}

}  // namespace postern::gateway::verbs
