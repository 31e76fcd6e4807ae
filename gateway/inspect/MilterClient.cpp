#include "gateway/inspect/MilterClient.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/net/CompanionStream.h"
#include "gateway/inspect/MilterHeader.h"
#include "gateway/inspect/MilterWire.h"

namespace postern::gateway {
namespace {

using milter::Reply;
using milter::ReplyKind;
using Kind = MilterOutcome::Kind;
namespace step = milter::step;

constexpr std::size_t ChunkSize = 65535;

// One message's dialogue. A step answers true as long as the milter wants to see more.
class Dialogue {
public:
  Dialogue(const MilterClient::Settings& settings, const InspectionFacts& facts, const mail::Message& message)
      : settings_(settings),
        facts_(facts),
        message_(message),
        header_(message),
        stream_(settings.address, settings.timeLimit, "the milter " + settings.name) {}

  MilterOutcome run() {
    negotiate();
    if (connect() && hello() && sender() && recipients() && data() && header() && body()) endOfMessage();
    quit();
    return std::move(outcome_);
  }

private:
  void negotiate() {
    stream_.send(milter::offer());
    const auto options = milter::readOptions(receive());
    if (!options) fail("speaks another protocol");
    options_ = *options;
  }

  bool connect() {
    if (!wants(step::NoConnect)) return true;
    const auto& client = facts_.client;
    const bool v6 = client.address.find(':') != std::string::npos;
    stream_.send(milter::macros('C', {{"j", settings_.hostName}, {"{daemon_name}", "postern"}, {"v", "Postern"}}));
    constexpr std::uint16_t NotTold = 0;
    return ask('C',
               milter::zero(client.name.empty() ? "[" + client.address + "]" : client.name) + (v6 ? '6' : '4') +
                   Writer().u16(NotTold).bytes() + milter::zero(v6 ? "IPv6:" + client.address : client.address),
               step::SilentConnect);
  }

  bool hello() {
    if (!wants(step::NoHelo)) return true;
    const auto& tls = facts_.tls;
    stream_.send(milter::macros('H', {{"{tls_version}", tls.version},
                                      {"{cipher}", tls.cipher},
                                      {"{cipher_bits}", tls.version.empty() ? "" : std::to_string(tls.bits)}}));
    return ask('H', milter::zero(facts_.helo), step::SilentHelo);
  }

  bool sender() {
    if (!wants(step::NoMail)) return true;
    const auto from = facts_.transaction.mailFrom();
    stream_.send(milter::macros('M', {{"{mail_addr}", from}}));
    return ask('M', milter::zero("<" + from + ">"), step::SilentMail);
  }

  bool recipients() {
    if (!wants(step::NoRcpt)) return true;
    for (const auto& recipient : facts_.transaction.recipients) {
      const auto address = recipient.address.text();
      stream_.send(milter::macros('R', {{"{rcpt_addr}", address}}));
      if (ask('R', milter::zero("<" + address + ">"), step::SilentRcpt)) continue;
      // Accepting and dropping are of the whole message, also here; refusing is of this recipient.
      if (outcome_.kind == Kind::Reject || outcome_.kind == Kind::Defer) outcome_.recipient = address;
      return false;
    }
    return true;
  }

  bool data() {
    constexpr std::uint32_t DataSince = 4;
    if (!wants(step::NoData) || options_.version < DataSince) return true;
    return ask('T', {}, step::SilentData);
  }

  bool header() {
    if (wants(step::NoHeaders)) {
      const bool keepsBlank = (options_.steps & step::LeadingSpace) != 0;
      for (const auto& field : message_.header().fields()) {
        auto value = field.value;
        if (!keepsBlank && value.starts_with(' ')) value.remove_prefix(1);
        if (!ask('L', milter::zero(field.name) + milter::zero(withLineFeeds(value)), step::SilentHeader)) return false;
      }
    }
    return !wants(step::NoEndOfHeaders) || ask('N', {}, step::SilentEndOfHeaders);
  }

  bool body() {
    if (!wants(step::NoBody)) return true;
    for (auto rest = message_.body(); !rest.empty() && !skipped_;) {
      const auto chunk = rest.substr(0, ChunkSize);
      rest.remove_prefix(chunk.size());
      if (!ask('B', chunk, step::SilentBody)) return false;
    }
    return true;
  }

  void endOfMessage() {
    stream_.send(milter::packet('E', {}));
    for (;;) {
      const auto reply = nextReply();
      switch (reply.kind) {
        case ReplyKind::Progress:
          break;
        case ReplyKind::Quarantine:
          outcome_.quarantine = reply.text;
          break;
        case ReplyKind::AddHeader:
        case ReplyKind::InsertHeader:
        case ReplyKind::ChangeHeader:
          if (!header_.apply(reply)) fail("wants a header field that cannot be: " + reply.name);
          break;
        default:
          decide(reply);
          if (header_.changed()) outcome_.content = header_.text();
          return;
      }
    }
  }

  bool wants(std::uint32_t unwanted) const { return (options_.steps & unwanted) == 0; }

  // Sends one step; true: the milter wants to see more.
  bool ask(char command, std::string_view payload, std::uint32_t silent) {
    stream_.send(milter::packet(command, payload));
    if ((options_.steps & silent) != 0) return true;
    auto reply = nextReply();
    while (reply.kind == ReplyKind::Progress) reply = nextReply();
    if (reply.kind == ReplyKind::Skip && command == 'B') {
      skipped_ = true;
      return true;
    }
    return decide(reply);
  }

  bool decide(const Reply& reply) {
    switch (reply.kind) {
      case ReplyKind::Continue:
        return true;
      case ReplyKind::Accept:
        return false;
      case ReplyKind::Reject:
        outcome_.kind = Kind::Reject;
        return false;
      case ReplyKind::TempFail:
        outcome_.kind = Kind::Defer;
        return false;
      case ReplyKind::Discard:
        outcome_.kind = Kind::Discard;
        return false;
      case ReplyKind::Code:
        outcome_.kind = reply.code >= 500 ? Kind::Reject : Kind::Defer;
        outcome_.code = reply.code;
        outcome_.enhanced = reply.enhanced;
        outcome_.text = reply.text;
        return false;
      default:
        fail("answers out of turn");
    }
  }

  Reply nextReply() {
    auto reply = milter::readReply(receive());
    if (!reply) fail("answers what was not agreed on");
    return std::move(*reply);
  }

  std::string receive() {
    const auto length = Reader(stream_.receiveExactly(4)).u32();
    if (length == 0 || length > milter::LongestPacket) fail("sends a packet of an impossible size");
    return stream_.receiveExactly(length);
  }

  void quit() {
    try {  // the verdict is there: how the milter takes the end is its own affair
      stream_.send(milter::packet('Q', {}));
    } catch (const Error&) {
    }
  }

  static std::string withLineFeeds(std::string_view value) {
    std::string out(value);
    std::erase(out, '\r');
    return out;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::Unavailable, "the milter " + settings_.name + " " + what);
  }

  const MilterClient::Settings& settings_;
  const InspectionFacts& facts_;
  const mail::Message& message_;
  milter::EditedHeader header_;
  net::CompanionStream stream_;
  milter::Options options_;
  MilterOutcome outcome_;
  bool skipped_ = false;
};

}  // namespace

MilterOutcome MilterClient::judge(const InspectionFacts& facts, const mail::Message& message) const {
  return Dialogue(settings_, facts, message).run();
}

}  // namespace postern::gateway
