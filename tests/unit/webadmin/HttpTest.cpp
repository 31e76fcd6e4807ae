#include "webadmin/Http.h"

using namespace postern::webadmin;

BOOST_AUTO_TEST_SUITE(webadmin_http)

BOOST_AUTO_TEST_CASE(reads_forms_and_refuses_broken_escapes) {
  const auto form = parseUrlEncoded("a=1&b=%C3%A4+x&empty=&bare&&a=2");
  BOOST_REQUIRE(form);
  BOOST_TEST(form->get("a") == "1");
  BOOST_TEST(form->get("b") == "\xC3\xA4 x");
  BOOST_TEST(form->has("empty"));
  BOOST_TEST(form->has("bare"));
  BOOST_TEST(form->items().size() == 5u);
  for (const auto* broken : {"a=%", "a=%4", "a=%zz", "%=1", "a=%00"}) BOOST_TEST(!parseUrlEncoded(broken));
  BOOST_TEST(parseUrlEncoded("a=%41")->get("a") == "A");
}

BOOST_AUTO_TEST_CASE(a_form_of_thousands_of_fields_is_refused) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "a=1&";
  BOOST_TEST(!parseUrlEncoded(text));
}

BOOST_AUTO_TEST_CASE(reads_an_uploaded_file_byte_by_byte) {
  const std::string file("\x30\x82\x00\r\n--no\xff", 10);
  const auto body =
      "--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n--XX\r\n"
      "content-disposition: form-data; name=\"file\"; filename=\"a;name=csrf.cer\"\r\nContent-Type: x/y\r\n\r\n" +
      file + "\r\n--XX--\r\n";
  const auto form = parseForm(body, "multipart/form-data; boundary=\"XX\"");
  BOOST_REQUIRE(form);
  BOOST_TEST(form->get("csrf") == "token");
  BOOST_TEST(form->get("file") == file);
  BOOST_TEST(form->get("file.name") == "a;name=csrf.cer");
  BOOST_TEST(form->get("file.type") == "x/y");
  BOOST_TEST(!form->has("csrf.name"));
}

BOOST_AUTO_TEST_CASE(refuses_malformed_uploads) {
  const std::string part = "Content-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
  BOOST_TEST(parseMultipart("--B\r\n" + part + "--B--", "multipart/form-data; boundary=B").has_value());
  BOOST_TEST(!parseMultipart("--B\r\n" + part + "--B", "multipart/form-data; boundary=B"));
  BOOST_TEST(!parseMultipart("--B\r\n" + part, "multipart/form-data; boundary=B"));
  BOOST_TEST(!parseMultipart("x--B\r\n" + part + "--B--", "multipart/form-data; boundary=B"));
  BOOST_TEST(!parseMultipart("--B\r\n" + part + "--B--", "multipart/form-data"));
  BOOST_TEST(!parseMultipart("--B\r\n" + part + "--B--", "multipart/form-data; boundary="));
  BOOST_TEST(!parseMultipart("--B\r\nContent-Type: x\r\n\r\nx\r\n--B--", "multipart/form-data; boundary=B"));
  BOOST_TEST(!parseForm("a=1", "text/plain"));
  BOOST_TEST(!parseForm("a=1", ""));
}

BOOST_AUTO_TEST_CASE(reads_cookies_and_keeps_the_first_of_a_name) {
  const auto cookies = parseCookies("a=1; b=two=2 ;c; a=9");
  BOOST_TEST(cookies.get("a") == "1");
  BOOST_TEST(cookies.get("b") == "two=2");
  BOOST_TEST(!cookies.has("c"));
}

BOOST_AUTO_TEST_CASE(a_redirect_stays_on_the_site) {
  for (const auto* good : {"/", "/lists?kind=open", "/posts/%3Ca@b%3E"}) BOOST_TEST(isLocalPath(good));
  for (const auto* bad : {"", "lists", "//evil.example", "/\\evil.example", "https://evil.example", "/a\\b", "/a b",
                          "/a\r\nSet-Cookie: x=1", "javascript:alert(1)"})
    BOOST_TEST(!isLocalPath(bad));
}

BOOST_AUTO_TEST_CASE(percent_encoding_goes_both_ways) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  BOOST_TEST(*percentDecode(percentEncode(all), false) == all);
  BOOST_TEST(percentEncode("<a+b@c>/?&") == "%3Ca%2Bb@c%3E%2F%3F%26");
}

BOOST_AUTO_TEST_SUITE_END()
