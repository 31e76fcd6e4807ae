#include "core/crypto/Revocation.h"

#include "core/crypto/OpenSsl.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <ctime>

namespace postern::crypto {

namespace {

using DistPointsPtr = OpenSslPtr<CRL_DIST_POINTS, &CRL_DIST_POINTS_free>;
using AccessPtr = OpenSslPtr<AUTHORITY_INFO_ACCESS, &AUTHORITY_INFO_ACCESS_free>;
using IssuingPointPtr = OpenSslPtr<ISSUING_DIST_POINT, &ISSUING_DIST_POINT_free>;
using OcspRequestPtr = OpenSslPtr<OCSP_REQUEST, &OCSP_REQUEST_free>;
using OcspResponsePtr = OpenSslPtr<OCSP_RESPONSE, &OCSP_RESPONSE_free>;
using OcspBasicPtr = OpenSslPtr<OCSP_BASICRESP, &OCSP_BASICRESP_free>;
using OcspIdPtr = OpenSslPtr<OCSP_CERTID, &OCSP_CERTID_free>;

constexpr std::size_t MaxSources = 4;
constexpr std::size_t MaxUrl = 500;
constexpr int MaxChain = 8;
constexpr std::chrono::minutes ClockSlack{5};
constexpr std::chrono::hours LongestFresh{7 * 24};  // what an issuer promises for longer is asked again
constexpr std::chrono::hours FreshWithoutEnd{12};   // an OCSP answer that names no end
constexpr std::chrono::hours OldestWithoutEnd{24};

struct StackFree {  // the certificates stay
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

RevocationAnswer unknown(std::string detail) {
  return {RevocationState::Unknown, std::move(detail), {}};
}

std::optional<std::string> webAddress(const GENERAL_NAME* name) {
  if (name->type != GEN_URI) return std::nullopt;
  const std::string url(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)),
                        static_cast<std::size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier)));
  const bool web = url.starts_with("http://") || url.starts_with("https://");
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!web || !plain || url.size() > MaxUrl) return std::nullopt;
  return url;
}

void addUrl(std::vector<std::string>& urls, const GENERAL_NAME* name) {
  auto url = webAddress(name);
  if (url && urls.size() < MaxSources) urls.push_back(std::move(*url));
}

std::optional<TimePoint> timeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    clearOpenSslErrors();
    return std::nullopt;
  }
  return TimePoint(std::chrono::seconds(::timegm(&parts)));
}

// The names of a list's own place hold the one that it was fetched from.
bool isFor(const DIST_POINT_NAME& place, std::string_view url) {
  if (place.type != 0) return false;
  for (int i = 0; i < sk_GENERAL_NAME_num(place.name.fullname); ++i)
    if (const auto name = webAddress(sk_GENERAL_NAME_value(place.name.fullname, i)); name && *name == url) return true;
  return false;
}

bool hasUnknownCritical(const X509_CRL* list) {
  for (int i = 0; i < X509_CRL_get_ext_count(list); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(list, i);
    const int name = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && name != NID_issuing_distribution_point) return true;
    if (name == NID_delta_crl) return true;
  }
  return false;
}

X509CrlPtr readList(std::string_view bytes) {
  const auto bio = readOnlyBio(bytes);
  X509CrlPtr list(bytes.find("-----BEGIN") == std::string_view::npos
                      ? d2i_X509_CRL_bio(bio.get(), nullptr)
                      : PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  clearOpenSslErrors();
  return list;
}

bool signedBy(X509_CRL* list, const Certificate& issuer) {
  if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(issuer.handle())) != 0) return false;
  if (const auto usage = issuer.keyUsage(); usage && (*usage & KU_CRL_SIGN) == 0) return false;
  EVP_PKEY* key = X509_get0_pubkey(issuer.handle());
  const bool good = key != nullptr && X509_CRL_verify(list, key) == 1;
  clearOpenSslErrors();
  return good;
}

std::string dayOf(TimePoint at) {
  return formatRfc3339(at).substr(0, 10);
}

}  // namespace

RevocationSources revocationSources(const Certificate& certificate) {
  RevocationSources sources;
  const DistPointsPtr points(static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(certificate.handle(), NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
    const auto* point = sk_DIST_POINT_value(points.get(), i);
    // A list of some reasons, or by another issuer, would not be complete.
    if (point->reasons != nullptr || point->CRLissuer != nullptr || point->distpoint == nullptr ||
        point->distpoint->type != 0)
      continue;
    for (int n = 0; n < sk_GENERAL_NAME_num(point->distpoint->name.fullname); ++n)
      addUrl(sources.lists, sk_GENERAL_NAME_value(point->distpoint->name.fullname, n));
  }
  const AccessPtr access(
      static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(certificate.handle(), NID_info_access, nullptr, nullptr)));
  for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
    const auto* entry = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    if (OBJ_obj2nid(entry->method) == NID_ad_OCSP) addUrl(sources.responders, entry->location);
  }
  clearOpenSslErrors();
  return sources;
}

std::vector<Certificate> trustChain(const Certificate& certificate, TimePoint now, const TrustStore& trust) {
  X509StoreContextPtr context(check(X509_STORE_CTX_new(), "build a certificate chain"));
  check(X509_STORE_CTX_init(context.get(), trust.handle(), certificate.handle(), nullptr), "build a certificate chain");
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(parameters, MaxChain);
  check(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY), "build a certificate chain");
  const bool verified = X509_verify_cert(context.get()) == 1;
  clearOpenSslErrors();
  std::vector<Certificate> chain;
  if (!verified) return chain;
  auto* found = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(found); ++i) {
    const int size = i2d_X509(sk_X509_value(found, i), nullptr);
    check(size, "write a certificate");
    std::string der(static_cast<std::size_t>(size), '\0');
    auto* out = bytesOf(der);
    check(i2d_X509(sk_X509_value(found, i), &out), "write a certificate");
    auto parsed = Certificate::parse(der);
    if (!parsed) return {};
    chain.push_back(std::move(*parsed));
  }
  return chain;
}

Result<RevocationList, std::string> RevocationList::parse(std::string_view bytes, const Certificate& issuer,
                                                          std::string_view url, TimePoint now) {
  const auto no = [](const char* why) { return Unexpected(std::string(why)); };
  if (bytes.size() > MaxBytes) return no("the revocation list is too large");
  auto list = readList(bytes);
  if (!list) return no("what was fetched is no revocation list");
  if (auto* entries = X509_CRL_get_REVOKED(list.get()); entries && sk_X509_REVOKED_num(entries) > MaxEntries)
    return no("the revocation list has too many entries");
  if (!signedBy(list.get(), issuer)) return no("the revocation list is not signed by the issuer");
  if (hasUnknownCritical(list.get())) return no("the revocation list is not a complete one that is understood");
  const auto from = timeOf(X509_CRL_get0_lastUpdate(list.get()));
  const auto until = timeOf(X509_CRL_get0_nextUpdate(list.get()));
  if (!from || !until || *from > now + ClockSlack) return no("the revocation list has no sound dates");
  if (*until <= now) return Unexpected("the revocation list ended on " + dayOf(*until));

  RevocationList result;
  int position = -1;
  const IssuingPointPtr place(static_cast<ISSUING_DIST_POINT*>(
      X509_CRL_get_ext_d2i(list.get(), NID_issuing_distribution_point, nullptr, &position)));
  if (!place && X509_CRL_get_ext_by_NID(list.get(), NID_issuing_distribution_point, -1) >= 0)
    return no("the revocation list has a place that does not parse");
  clearOpenSslErrors();
  if (place) {
    if (place->indirectCRL > 0 || place->onlyattr > 0 || place->onlysomereasons != nullptr)
      return no("the revocation list is not complete");
    if (place->distpoint != nullptr && !isFor(*place->distpoint, url))
      return no("the revocation list is for another place than the one it came from");
    result.forUsers_ = place->onlyCA <= 0;
    result.forAuthorities_ = place->onlyuser <= 0;
  }
  result.freshUntil_ = std::min(*until, now + LongestFresh);
  result.list_ = std::shared_ptr<X509_CRL>(std::move(list));
  return result;
}

RevocationAnswer RevocationList::find(const Certificate& certificate) const {
  const bool authority = X509_check_ca(certificate.handle()) > 0;
  clearOpenSslErrors();
  if (authority ? !forAuthorities_ : !forUsers_)
    return unknown("the revocation list is for another kind of certificate");
  X509_REVOKED* entry = nullptr;
  const int found = X509_CRL_get0_by_cert(list_.get(), &entry, certificate.handle());
  clearOpenSslErrors();
  if (found == 1) {
    const auto at = timeOf(X509_REVOKED_get0_revocationDate(entry));
    return {RevocationState::Revoked,
            "The issuer revoked the certificate" + (at ? " on " + dayOf(*at) : std::string()) + ".", freshUntil_};
  }
  return {RevocationState::Good, "", freshUntil_};
}

namespace {

// SHA-1 only names the issuer here, and it is what every responder knows (RFC 5019 §2.1.1).
OcspIdPtr idOf(const Certificate& certificate, const Certificate& issuer) {
  return OcspIdPtr(
      check(OCSP_cert_to_id(EVP_sha1(), certificate.handle(), issuer.handle()), "name a certificate for OCSP"));
}

bool signedForIssuer(OCSP_BASICRESP* answer, const Certificate& issuer, TimePoint now) {
  const X509StorePtr store(check(X509_STORE_new(), "make a trust store"));
  check(X509_STORE_add_cert(store.get(), issuer.handle()), "trust an issuer");
  check(X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN), "trust an issuer");
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()),
                             std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  const std::unique_ptr<STACK_OF(X509), StackFree> known(check(sk_X509_new_null(), "trust an issuer"));
  check(sk_X509_push(known.get(), issuer.handle()), "trust an issuer");
  const bool good = OCSP_basic_verify(answer, known.get(), store.get(), OCSP_PARTIAL_CHAIN) == 1;
  clearOpenSslErrors();
  return good;
}

}  // namespace

OcspQuestion::OcspQuestion(Certificate certificate, Certificate issuer)
    : certificate_(std::move(certificate)), issuer_(std::move(issuer)) {
  const OcspRequestPtr request(check(OCSP_REQUEST_new(), "ask by OCSP"));
  auto id = idOf(certificate_, issuer_);
  check(OCSP_request_add0_id(request.get(), id.get()), "ask by OCSP");
  static_cast<void>(id.release());  // the request owns it now
  const int size = i2d_OCSP_REQUEST(request.get(), nullptr);
  check(size, "ask by OCSP");
  der_.resize(static_cast<std::size_t>(size));
  auto* out = bytesOf(der_);
  check(i2d_OCSP_REQUEST(request.get(), &out), "ask by OCSP");
}

RevocationAnswer OcspQuestion::read(std::string_view bytes, TimePoint now) const {
  if (bytes.size() > MaxAnswerBytes) return unknown("the answer of the responder is too large");
  const auto* in = bytesOf(bytes);
  const OcspResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &in, static_cast<long>(bytes.size())));
  clearOpenSslErrors();
  if (!response) return unknown("the responder did not answer as one");
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return unknown(std::string("the responder says: ") +
                   OCSP_response_status_str(OCSP_response_status(response.get())));
  const OcspBasicPtr answer(OCSP_response_get1_basic(response.get()));
  clearOpenSslErrors();
  if (!answer || !signedForIssuer(answer.get(), issuer_, now))
    return unknown("the answer of the responder is not signed for the issuer");
  const auto id = idOf(certificate_, issuer_);
  int status = 0, reason = 0;
  ASN1_GENERALIZEDTIME *revokedAt = nullptr, *from = nullptr, *until = nullptr;
  if (OCSP_resp_find_status(answer.get(), id.get(), &status, &reason, &revokedAt, &from, &until) != 1)
    return unknown("the responder answered about another certificate");
  const auto start = timeOf(from);
  const auto end = timeOf(until);
  if (!start || *start > now + ClockSlack || (end && *end <= now) || (!end && *start < now - OldestWithoutEnd))
    return unknown("the answer of the responder is out of date");
  const auto fresh = end ? std::min(*end, now + LongestFresh) : now + FreshWithoutEnd;
  if (status == V_OCSP_CERTSTATUS_REVOKED) {
    const auto at = timeOf(revokedAt);
    return {RevocationState::Revoked,
            "The issuer revoked the certificate" + (at ? " on " + dayOf(*at) : std::string()) + ".", fresh};
  }
  if (status == V_OCSP_CERTSTATUS_GOOD) return {RevocationState::Good, "", fresh};
  return unknown("the responder does not know the certificate");
}

bool samePublicKey(const Certificate& a, const Certificate& b) {
  const bool same = EVP_PKEY_eq(X509_get0_pubkey(a.handle()), X509_get0_pubkey(b.handle())) == 1;
  clearOpenSslErrors();
  return same;
}

}  // namespace postern::crypto
