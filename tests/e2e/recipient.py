"""Somebody outside who picks up mail with a browser without JavaScript: links, forms, cookies, nothing else."""
import email
import email.policy
import html
import http.client
import re
import ssl
import urllib.parse

PASSWORD = "four words nobody says"


def link_in(raw):
    """The link of an envelope mail or of a mail that was asked for."""
    text = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",)).get_content()
    return re.search(r"https://\S+/pickup/open\?token=\S+", text).group(0)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def place(self):
        return self.headers.get("Location", "")


class Recipient:
    def __init__(self, site, agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"):
        self.site, self.agent, self.cookies = site, agent, {}

    def ask(self, method, path, form=None):
        """One request; follows nothing."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.site.web_port, timeout=30, context=context)
        host = f"localhost:{self.site.web_port}"
        headers = {"Host": host, "User-Agent": self.agent}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{host}"})
            body = urllib.parse.urlencode(form)
        parts = urllib.parse.urlsplit(path)
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    def get(self, path):
        """A page, after at most five redirects."""
        answer = self.ask("GET", path)
        for _ in range(5):
            if answer.status not in (302, 303):
                break
            answer = self.ask("GET", answer.place)
        return answer

    def send(self, page, action, **fields):
        """Fills the form of a page that leads to `action`, hidden fields as they are, and presses its button."""
        body = next(form for form in re.findall(r"<form\b.*?</form>", page.text, re.S)
                    if f'action="{html.escape(action)}"' in form and (not fields or f'name="{next(iter(fields))}"' in form))
        hidden = {name: html.unescape(value) for name, value in
                  re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body)}
        answer = self.ask("POST", action, {**hidden, **fields})
        return self.get(answer.place) if answer.status in (302, 303) else answer

    def first_visit(self, link, password=PASSWORD):
        page = self.send(self.get(link), "/pickup/open")
        assert "How you sign in from now on" in page.text
        return self.send(page, "/pickup/set-up", password=password, repeat=password)

    def sign_in(self, address, password=PASSWORD):
        return self.send(self.get("/pickup/"), "/pickup/sign-in", address=address, password=password)

    def subjects(self):
        """What the inbox offers for reading: {subject: path}, newest first."""
        page = self.get("/pickup/messages")
        return {html.unescape(subject): path for path, subject in
                re.findall(r'<a href="(/pickup/messages/\d+)">([^<]*)</a>', page.text)}
