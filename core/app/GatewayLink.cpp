#include "core/app/GatewayLink.h"

#include "core/app/PolicyLink.h"
#include "core/app/SocketServer.h"
#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/net/LocalSocket.h"

namespace postern::app {

namespace {

constexpr std::uint8_t StatusOk = 0;
constexpr std::uint8_t StatusError = 1;

Writer verb(GatewayVerb name) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(name));
  return writer;
}

void encodeItem(Writer& writer, const AcceptedItem& item) {
  writer.u64(item.id).string(item.sealed);
}

AcceptedItem decodeItem(Reader& reader) {
  AcceptedItem item;
  item.id = reader.u64();
  item.sealed = reader.string();
  return item;
}

// Answers one request frame; what the service throws becomes an error reply in serve().
class Dispatcher {
public:
  Dispatcher(GatewayService& service, std::uint64_t session) : service_(service), session_(session) {}

  std::string answer(std::string_view frame) {
    Reader reader(frame);
    Writer reply;
    reply.u8(StatusOk);
    switch (static_cast<GatewayVerb>(reader.u8())) {
      case GatewayVerb::Hello:
        service_.hello(reader.view());
        break;
      case GatewayVerb::SetRouting:
        service_.setRouting(RoutingView::decode(reader.view()));
        break;
      case GatewayVerb::TakeAccepted:
        takeAccepted(reader, reply);
        break;
      case GatewayVerb::StoreTail:
        storeTail(reader);
        break;
      case GatewayVerb::SubmitCopies:
        service_.submitCopies(reader.list<Copy>(Copy::decode), std::exchange(tails_, {}));
        break;
      case GatewayVerb::Finish:
        service_.finish(reader.list<std::uint64_t>([](Reader& r) { return r.u64(); }));
        break;
      case GatewayVerb::TakeEvents:
        takeEvents(reader, reply);
        break;
      case GatewayVerb::Stats:
        service_.stats().encode(reply);
        break;
      case GatewayVerb::AskQueue:
        askQueue(reader, reply);
        break;
      case GatewayVerb::QueueAct:
        queueAct(reader, reply);
        break;
      case GatewayVerb::ProbeDomain:
        probeDomain(reader, reply);
        break;
      case GatewayVerb::FetchDocument:
        service_.fetchDocument(DocumentRequest::decode(reader)).encode(reply);
        break;
      case GatewayVerb::AskDirectory:
        service_.askDirectory(LdapQuestion::decode(reader)).encode(reply);
        break;
      case GatewayVerb::JudgeMessage:
        service_.judge(Submission::decode(reader.view())).encode(reply);
        break;
      case GatewayVerb::CopyQueue:
        service_.copyQueue();
        break;
      case GatewayVerb::LookUpText:
        service_.lookUpText(reader.string()).encode(reply);
        break;
      case GatewayVerb::SetReportKeys:
        service_.setReportKeys(reader.list<ReportKey>(ReportKey::decode));
        break;
      case GatewayVerb::Metrics:
        reply.string(service_.metrics());
        break;
      case GatewayVerb::ServerNames:
        reply.list(service_.serverNames(), [](Writer& w, const ServerNameUse& name) { name.encode(w); });
        break;
      case GatewayVerb::AskPolicies:
        askPolicies(reader, reply);
        break;
      case GatewayVerb::JudgePost:
        service_.judgePost(PostQuestion::decode(reader)).encode(reply);
        break;
      case GatewayVerb::JudgeMembers:
        service_.judgeMembers(MembersQuestion::decode(reader)).encode(reply);
        break;
      default:
        throw Error(ErrorKind::Malformed, "the gateway was asked for something it does not know");
    }
    return std::move(reply).bytes();
  }

private:
  void takeAccepted(Reader& reader, Writer& reply) {
    const auto max = reader.u32();
    const std::chrono::milliseconds wait(reader.u32());
    reply.list(service_.takeAccepted(session_, max, wait), encodeItem);
    reply.u16(service_.activeHooks());
  }

  void storeTail(Reader& reader) {
    const auto id = reader.u64();
    tails_.push_back({id, reader.string()});
  }

  void takeEvents(Reader& reader, Writer& reply) {
    const auto acknowledged = reader.u64();
    const auto max = reader.u32();
    const std::chrono::milliseconds wait(reader.u32());
    reply.list(service_.takeEvents(acknowledged, max, wait), [](Writer& w, const GatewayEvent& e) { e.encode(w); });
  }

  void askQueue(Reader& reader, Writer& reply) {
    const auto action = reader.view();
    reply.string(service_.askQueue(action, reader.view()));
  }

  void queueAct(Reader& reader, Writer& reply) {
    const auto action = reader.string();
    reply.u64(service_.queueAct(action, reader.u64()));
  }

  void askPolicies(Reader& reader, Writer& reply) {
    const auto action = reader.view();
    const auto request = reader.view();
    reply.string(service_.askPolicies(action, request, reader.view()));
  }

  void probeDomain(Reader& reader, Writer& reply) {
    const auto domain = reader.string();
    const bool fresh = reader.boolean();
    service_.probeDomain(domain, fresh, std::chrono::milliseconds(reader.u32())).encode(reply);
  }

  GatewayService& service_;
  std::uint64_t session_;
  std::vector<Tail> tails_;  // for the next copies
};

void serve(net::LocalSocket& socket, GatewayService& service, std::uint64_t session) {
  Dispatcher dispatcher(service, session);
  while (const auto frame = socket.receive()) {
    std::string reply;
    try {
      reply = dispatcher.answer(*frame);
    } catch (const Error& error) {
      log::warning("link", "a request of listd failed", {{"error", error.displayText()}});
      reply = Writer().u8(StatusError).u8(static_cast<std::uint8_t>(error.kind())).string(error.message()).bytes();
    }
    socket.send(reply);
  }
}

}  // namespace

struct GatewayLink::Connection {
  explicit Connection(const std::string& path) : socket(net::LocalSocket::connect(path)) {}
  net::LocalSocket socket;
  unsigned unanswered = 0;  // requests whose answers nobody has looked at
};

GatewayLink::GatewayLink(const std::string& socketPath) : connection_(std::make_unique<Connection>(socketPath)) {}
GatewayLink::~GatewayLink() = default;

std::string GatewayLink::ask(std::string frame) {
  connection_->socket.send(frame);
  std::exception_ptr earlier;
  for (; connection_->unanswered > 0; --connection_->unanswered) {
    try {
      answer();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Unavailable) throw;
      if (!earlier) earlier = std::current_exception();
    }
  }
  auto reply = answer();
  if (earlier) std::rethrow_exception(earlier);
  return reply;
}

std::string GatewayLink::answer() {
  auto reply = connection_->socket.receive();
  if (!reply) throw Error(ErrorKind::Unavailable, "the gateway closed the local connection");
  Reader reader(*reply);
  if (reader.u8() == StatusOk) return std::string(reader.rest());
  const auto kind = static_cast<ErrorKind>(reader.u8());
  throw Error(kind, "the gateway says: " + reader.string());
}

void GatewayLink::hello(std::string_view queueKey) {
  ask(verb(GatewayVerb::Hello).string(queueKey).bytes());
}

void GatewayLink::setRouting(const RoutingView& view) {
  ask(verb(GatewayVerb::SetRouting).string(view.encode()).bytes());
}

std::vector<AcceptedItem> GatewayLink::takeAccepted(std::uint32_t max, std::chrono::milliseconds wait) {
  const auto reply =
      ask(verb(GatewayVerb::TakeAccepted).u32(max).u32(static_cast<std::uint32_t>(wait.count())).bytes());
  Reader reader(reply);
  auto items = reader.list<AcceptedItem>(decodeItem);
  activeHooks_ = reader.u16();
  return items;
}

void GatewayLink::storeTail(std::uint64_t tail, std::string_view bytes) {
  connection_->socket.send(verb(GatewayVerb::StoreTail).u64(tail).string(bytes).bytes());
  ++connection_->unanswered;
}

void GatewayLink::submitCopies(const std::vector<Copy>& copies) {
  ask(verb(GatewayVerb::SubmitCopies).list(copies, [](Writer& w, const Copy& c) { c.encode(w); }).bytes());
}

void GatewayLink::finish(const std::vector<std::uint64_t>& acceptedIds) {
  ask(verb(GatewayVerb::Finish).list(acceptedIds, [](Writer& w, std::uint64_t id) { w.u64(id); }).bytes());
}

std::vector<GatewayEvent> GatewayLink::takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                                  std::chrono::milliseconds wait) {
  const auto reply = ask(
      verb(GatewayVerb::TakeEvents).u64(acknowledged).u32(max).u32(static_cast<std::uint32_t>(wait.count())).bytes());
  return Reader(reply).list<GatewayEvent>(GatewayEvent::decode);
}

void GatewayLink::copyQueue() {
  ask(verb(GatewayVerb::CopyQueue).bytes());
}

void GatewayService::copyQueue() {
  throw Error(ErrorKind::Unavailable, "there is no queue here");
}

GatewayStats GatewayLink::stats() {
  const auto reply = ask(verb(GatewayVerb::Stats).bytes());
  Reader reader(reply);
  return GatewayStats::decode(reader);
}

std::string GatewayLink::metrics() {
  const auto reply = ask(verb(GatewayVerb::Metrics).bytes());
  return Reader(reply).string();
}

std::string GatewayLink::askPolicies(std::string_view action, std::string_view request, std::string_view submission) {
  const auto reply = ask(verb(GatewayVerb::AskPolicies).string(action).string(request).string(submission).bytes());
  return Reader(reply).string();
}

std::string GatewayLink::askQueue(std::string_view action, std::string_view request) {
  const auto reply = ask(verb(GatewayVerb::AskQueue).string(action).string(request).bytes());
  return Reader(reply).string();
}

std::uint64_t GatewayLink::queueAct(std::string_view action, std::uint64_t copyKey) {
  const auto reply = ask(verb(GatewayVerb::QueueAct).string(action).u64(copyKey).bytes());
  return Reader(reply).u64();
}

DomainProbe GatewayLink::probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait) {
  const auto reply = ask(verb(GatewayVerb::ProbeDomain)
                             .string(domain)
                             .boolean(fresh)
                             .u32(static_cast<std::uint32_t>(wait.count()))
                             .bytes());
  Reader reader(reply);
  return DomainProbe::decode(reader);
}

DomainProbe GatewayService::probeDomain(std::string_view, bool, std::chrono::milliseconds) {
  throw Error(ErrorKind::Unavailable, "no mail server can be asked from here");
}

FetchedDocument GatewayLink::fetchDocument(const DocumentRequest& request) {
  auto writer = verb(GatewayVerb::FetchDocument);
  request.encode(writer);
  const auto reply = ask(std::move(writer).bytes());
  Reader reader(reply);
  return FetchedDocument::decode(reader);
}

LdapAnswer GatewayLink::askDirectory(const LdapQuestion& question) {
  auto writer = verb(GatewayVerb::AskDirectory);
  question.encode(writer);
  const auto reply = ask(std::move(writer).bytes());
  Reader reader(reply);
  return LdapAnswer::decode(reader);
}

LdapAnswer GatewayService::askDirectory(const LdapQuestion&) {
  return {{}, 0, "no directory can be asked from here"};
}

FetchedDocument GatewayService::fetchDocument(const DocumentRequest&) {
  return {{}, "nothing can be fetched from here"};
}

Judgement GatewayLink::judge(const Submission& submission) {
  const auto reply = ask(verb(GatewayVerb::JudgeMessage).string(submission.encode()).bytes());
  Reader reader(reply);
  return Judgement::decode(reader);
}

Judgement GatewayService::judge(const Submission&) {
  return {false, true, "no policy can be asked from here", "policy-broken", {}, {}};
}

std::vector<ServerNameUse> GatewayLink::serverNames() {
  const auto reply = ask(verb(GatewayVerb::ServerNames).bytes());
  return Reader(reply).list<ServerNameUse>(ServerNameUse::decode);
}

TextAnswer GatewayLink::lookUpText(std::string_view name) {
  const auto reply = ask(verb(GatewayVerb::LookUpText).string(name).bytes());
  Reader reader(reply);
  return TextAnswer::decode(reader);
}

TextAnswer GatewayService::lookUpText(std::string_view) {
  return {TextAnswer::Outcome::Failed, {}, "the DNS cannot be asked from here"};
}

void GatewayLink::setReportKeys(const std::vector<ReportKey>& keys) {
  auto writer = verb(GatewayVerb::SetReportKeys);
  writer.list(keys, [](Writer& w, const ReportKey& key) { key.encode(w); });
  ask(std::move(writer).bytes());
}

void GatewayService::setReportKeys(std::vector<ReportKey>) {}

void TextAnswer::encode(Writer& writer) const {
  writer.u8(static_cast<std::uint8_t>(outcome)).string(problem);
  writer.list(records, [](Writer& w, const std::string& record) { w.string(record); });
}

TextAnswer TextAnswer::decode(Reader& reader) {
  TextAnswer answer;
  const auto outcome = reader.u8();
  if (outcome > static_cast<std::uint8_t>(Outcome::Failed))
    throw Error(ErrorKind::Malformed, "the outcome of a DNS question is not known");
  answer.outcome = static_cast<Outcome>(outcome);
  answer.problem = reader.string();
  answer.records = reader.list<std::string>([](Reader& r) { return r.string(); });
  return answer;
}

void ReportKey::encode(Writer& writer) const {
  writer.string(domain).string(selector).string(key.view());
}

ReportKey ReportKey::decode(Reader& reader) {
  ReportKey key;
  key.domain = reader.string();
  key.selector = reader.string();
  key.key = Secret(reader.view());
  return key;
}

void Judgement::encode(Writer& writer) const {
  writer.boolean(passed).boolean(later).string(text).string(reason).string(policy);
  writer.list(notes, [](Writer& w, const auto& note) { w.string(note.first).string(note.second); });
}

Judgement Judgement::decode(Reader& reader) {
  Judgement judgement;
  judgement.passed = reader.boolean();
  judgement.later = reader.boolean();
  judgement.text = reader.string();
  judgement.reason = reader.string();
  judgement.policy = reader.string();
  judgement.notes = reader.list<std::pair<std::string, std::string>>([](Reader& r) {
    auto key = r.string();
    return std::pair(std::move(key), r.string());
  });
  return judgement;
}

void DocumentRequest::encode(Writer& writer) const {
  writer.string(url).string(question).string(type).u32(maxBytes).boolean(secureOnly);
  writer.list(fields, [](Writer& w, const std::string& field) { w.string(field); }).boolean(webhook);
}

DocumentRequest DocumentRequest::decode(Reader& reader) {
  DocumentRequest request;
  request.url = reader.string();
  request.question = reader.string();
  request.type = reader.string();
  request.maxBytes = reader.u32();
  request.secureOnly = reader.boolean();
  request.fields = reader.list<std::string>([](Reader& r) { return r.string(); });
  request.webhook = reader.boolean();
  return request;
}

void FetchedDocument::encode(Writer& writer) const {
  writer.string(body).string(problem).u8(static_cast<std::uint8_t>(outcome));
}

FetchedDocument FetchedDocument::decode(Reader& reader) {
  FetchedDocument document;
  document.body = reader.string();
  document.problem = reader.string();
  document.outcome = reader.enumeration(FetchedDocument::Outcome::Failed);
  return document;
}

void LdapQuestion::encode(Writer& writer) const {
  writer.string(url).string(authorities).string(bindName).string(bindSecret.view()).string(base).string(filter);
  writer.list(attributes, [](Writer& each, const std::string& name) { each.string(name); });
  writer.boolean(roster);
}

LdapQuestion LdapQuestion::decode(Reader& reader) {
  LdapQuestion question;
  question.url = reader.string();
  question.authorities = reader.string();
  question.bindName = reader.string();
  question.bindSecret = Secret(reader.view());
  question.base = reader.string();
  question.filter = reader.string();
  question.attributes = reader.list<std::string>([](Reader& each) { return each.string(); });
  question.roster = reader.boolean();
  return question;
}

void LdapAnswer::encode(Writer& writer) const {
  writer.list(values, [](Writer& each, const std::string& value) { each.string(value); });
  writer.u32(entries).string(problem);
}

LdapAnswer LdapAnswer::decode(Reader& reader) {
  LdapAnswer answer;
  answer.values = reader.list<std::string>([](Reader& each) { return each.string(); });
  answer.entries = reader.u32();
  answer.problem = reader.string();
  return answer;
}

void GatewayLink::shutdown() {
  connection_->socket.shutdown();
}

struct GatewayLinkServer::Impl {
  Impl(const std::string& path, GatewayService& target)
      : service(target),
        server(path, net::LocalListener::For::FolderGroup, [this](net::LocalSocket& socket) { run(socket); }) {}

  void run(net::LocalSocket& socket) {
    const auto session = ++lastSession;
    struct End {
      GatewayService& service;
      std::uint64_t session;
      ~End() { service.sessionEnded(session); }
    } end{service, session};
    serve(socket, service, session);
  }

  GatewayService& service;
  std::atomic<std::uint64_t> lastSession{0};
  SocketServer server;
};

GatewayLinkServer::GatewayLinkServer(const std::string& socketPath, GatewayService& service)
    : impl_(std::make_unique<Impl>(socketPath, service)) {}
GatewayLinkServer::~GatewayLinkServer() {
  stop();
}
void GatewayLinkServer::stop() {
  impl_->server.stop();
}

}  // namespace postern::app
