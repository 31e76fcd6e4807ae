#include "core/crypto/Encoding.h"
#include "gateway/smtp/verbs/Verbs.h"

#include <vector>

// AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN, on submission listeners and under TLS only.
namespace postern::gateway::verbs {

namespace {

using smtp::ReplyId;

constexpr std::string_view NameWanted = "VXNlcm5hbWU6";      // "Username:"
constexpr std::string_view PasswordWanted = "UGFzc3dvcmQ6";  // "Password:"
constexpr std::size_t LongestName = 320;
constexpr std::size_t LongestPassword = 1024;

void challenge(SessionData& session, SignInStep step, std::string_view text) {
  session.signInStep = step;
  session.state = State::SignIn;
  session.say(ReplyId::SignInChallenge, {text});
}

void failSyntax(SessionData& session, std::string_view what) {
  ++session.signInFailures;
  session.say(ReplyId::SignInResponse, {what});
}

// Base64 of a response, strictly: nothing is skipped (RFC 4954 §4).
std::optional<std::string> decoded(std::string_view text) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  return crypto::fromBase64(text);
}

void complete(SessionData& session, std::string_view name, std::string_view password) {
  if (name.empty() || password.empty() || name.size() > LongestName || password.size() > LongestPassword)
    return failSyntax(session, "the response names nobody, or has no password, or is too long");
  session.credentials = Credentials{std::string(name), Secret(password)};
}

// authzid NUL authcid NUL passwd; nobody may act as somebody else.
void takePlain(SessionData& session, std::string_view response) {
  const auto first = response.find('\0');
  const auto second = first == std::string_view::npos ? first : response.find('\0', first + 1);
  if (second == std::string_view::npos || response.find('\0', second + 1) != std::string_view::npos)
    return failSyntax(session, "the response is not of the form that PLAIN has");
  const auto asWhom = response.substr(0, first);
  const auto name = response.substr(first + 1, second - first - 1);
  if (!asWhom.empty() && asWhom != name) {
    ++session.signInFailures;
    return session.say(ReplyId::SignInWrong);
  }
  complete(session, name, response.substr(second + 1));
}

void takeResponse(SessionData& session, std::string_view text) {
  session.state = State::Ready;
  const auto response = decoded(text);
  if (!response) return failSyntax(session, "the response is not base64");
  switch (session.signInStep) {
    case SignInStep::Plain:
      return takePlain(session, *response);
    case SignInStep::LoginName:
      session.signInName = *response;
      return challenge(session, SignInStep::LoginPassword, PasswordWanted);
    case SignInStep::LoginPassword:
      return complete(session, std::exchange(session.signInName, {}), *response);
  }
}

}  // namespace

std::optional<Reply> checkAuth(const SessionData& session, const Arguments& arguments) {
  if (!session.settings.submission) return makeReply(ReplyId::NotImplemented, {"AUTH"});
  if (!session.encrypted()) return makeReply(ReplyId::SignInNeedsTls);
  if (session.person) return makeReply(ReplyId::BadSequence, {"you have signed in already"});
  if (session.state != State::Ready || !session.extended)
    return makeReply(ReplyId::BadSequence, {"send EHLO first, AUTH before MAIL"});
  const auto& mechanism = std::get<smtp::AuthCommand>(arguments).mechanism;
  if (mechanism != "PLAIN" && mechanism != "LOGIN") return makeReply(ReplyId::SignInMechanism);
  return std::nullopt;
}

void applyAuth(SessionData& session, Arguments&& arguments) {
  const auto command = std::get<smtp::AuthCommand>(std::move(arguments));
  const bool plain = command.mechanism == "PLAIN";
  session.signInStep = plain ? SignInStep::Plain : SignInStep::LoginName;
  if (command.initial) return takeResponse(session, *command.initial == "=" ? std::string_view() : *command.initial);
  challenge(session, session.signInStep, plain ? std::string_view() : NameWanted);
}

void takeSignInLine(SessionData& session, std::optional<std::string_view> line) {
  if (line && *line != "*") return takeResponse(session, *line);
  session.state = State::Ready;
  session.signInName.clear();
  if (!line) return failSyntax(session, "a response is one line that ends with CR LF");
  ++session.signInFailures;
  session.say(ReplyId::SignInCancelled);
}

void endSignIn(SessionData& session, const SignIns::Outcome& outcome) {
  using Kind = SignIns::Outcome::Kind;
  switch (outcome.kind) {
    case Kind::Right:
      session.person = outcome.person;
      session.signInFailures = 0;
      return session.say(ReplyId::SignedIn);
    case Kind::Wrong: {
      ++session.signInFailures;
      const auto reply = makeReply(ReplyId::SignInWrong);
      session.report(reply, "sign-in");
      return session.say(reply);
    }
    case Kind::TooMany: {
      ++session.signInFailures;
      const auto reply = makeReply(ReplyId::SignInTooOften, {std::to_string(outcome.wait.count())});
      session.report(reply, "sign-in-too-often");
      return session.say(reply);
    }
    case Kind::Unavailable:
      return session.say(ReplyId::SignInLater);
  }
}

}  // namespace postern::gateway::verbs
