"""SMTP by the octet: a client that sends whatever it is told, and a server that keeps every octet it was sent."""
import re
import socket
import ssl
import threading
import time

from sitekit import free_port


class Wire:
    """A client on a socket. `say` sends octets as they stand and gives the next reply: (code, text)."""

    def __init__(self, port, seconds=60):
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.buffer = b""
        self.greeting = self.reply()

    def reply(self):
        lines = []
        while True:
            while b"\r\n" not in self.buffer:
                more = self.socket.recv(65536)
                if not more:
                    return 0, b"\n".join(lines)
                self.buffer += more
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            lines.append(line)
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def say(self, octets):
        self.send(octets)
        return self.reply()

    def send(self, octets, pieces=None):
        """In pieces of that many octets, each a segment of its own."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(octets), pieces or len(octets)):
            self.socket.sendall(octets[at:at + (pieces or len(octets))])

    def tls(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def silent(self, seconds=0.5):
        """Whether nothing more comes for so long."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self.buffer = self.socket.recv(65536)
            return self.buffer == b""
        except (socket.timeout, ssl.SSLWantReadError):
            return True
        finally:
            self.socket.settimeout(60)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class WireServer:
    """A mail server that offers `extensions` and keeps of each connection all octets that came in. `after_starttls` is
    sent in one segment with the reply to STARTTLS, which it never follows."""

    def __init__(self, extensions=(), after_starttls=None):
        self.extensions, self.after_starttls = extensions, after_starttls
        self.sessions = []
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        heard = bytearray()
        self.sessions.append(heard)
        connection.sendall(b"220 wire\r\n")
        done, content = 0, False
        while True:
            try:
                more = connection.recv(65536)
            except OSError:
                return
            if not more:
                return
            heard += more
            while True:
                end = heard.find(b"\r\n.\r\n" if content else b"\r\n", max(done - 2, 0) if content else done)
                if end < 0:
                    break
                line, done = bytes(heard[done:end]), end + (5 if content else 2)
                answer, content = (b"250 taken\r\n", False) if content else self.answer(line)
                connection.sendall(answer)

    def answer(self, line):
        verb = line[:4].upper()
        if verb == b"EHLO":
            names = ["wire", *self.extensions]
            return b"".join(f"250{'-' if n < len(names) else ' '}{x}\r\n".encode() for n, x in enumerate(names, 1)), False
        if verb == b"DATA":
            return b"354 go\r\n", True
        if verb == b"STAR" and self.after_starttls is not None:
            return b"220 go\r\n" + self.after_starttls, False
        return (b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"), False

    def contents(self):
        """Of each message: the octets between the reply to DATA and the end of the content."""
        return [found for heard in list(self.sessions)
                for found in re.findall(rb"DATA\r\n(.*?)\r\n\.\r\n", bytes(heard), re.S)]

    def stop(self):
        self.listener.close()


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()
