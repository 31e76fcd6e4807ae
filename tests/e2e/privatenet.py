"""Runs a program where every name of a site leads to the site's web pages on port 443, with a certificate that the
program's machine trusts: namespaces of its own (unshare), so that nothing of the machine changes. As a script: the inside."""
import fcntl
import http.client
import http.server
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import threading

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(listener, connect):
    def work():
        while True:
            try:
                connection, _ = listener.accept()
                site = connect()
            except OSError:
                return
            for one, other in ((connection, site), (site, connection)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()
    threading.Thread(target=work, daemon=True).start()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def run_inside(folder, names, web_port, command):
    """The finished program; `names` lead to the web pages at web_port of this machine."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days",
            "30", "-subj", "/CN=Web CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "web.key", "-out", folder / "web.csr", "-subj",
            f"/CN={names[0]}")
    (folder / "web.cnf").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    openssl("x509", "-req", "-in", folder / "web.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-days", "30",
            "-extfile", folder / "web.cnf", "-out", folder / "web.pem")
    (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in names))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "door"))
        listener.listen()
        serve(listener, lambda: socket.create_connection(("127.0.0.1", web_port)))
        return subprocess.run(["unshare", "--user", "--map-root-user", "--net", "--mount", sys.executable, __file__, folder,
                               *map(str, command)], capture_output=True, timeout=120)


def loopback_up():
    SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8914, 0x41
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP_RUNNING))


class ThroughTheDoor(http.server.BaseHTTPRequestHandler):
    """Hands a request to the site; one thread has each TLS connection to itself, as OpenSSL wants it."""
    timeout = 60

    def setup(self):
        self.request.settimeout(self.timeout)
        self.request.do_handshake()
        super().setup()

    def do_GET(self):
        site = http.client.HTTPConnection("site")
        door = socket.socket(socket.AF_UNIX)
        door.connect(str(self.server.door))
        site.sock = self.server.client.wrap_socket(door)
        site.request(self.command, self.path, headers={"Host": self.headers["Host"]})
        answer = site.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def inside(folder, command):
    loopback_up()
    for source, target in ((folder / "hosts", "/etc/hosts"), (folder / "ca.pem", CA_BUNDLE)):
        subprocess.run(["mount", "--bind", source, target], check=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "web.pem", folder / "web.key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 443), ThroughTheDoor) as web:
        web.socket = server.wrap_socket(web.socket, server_side=True, do_handshake_on_connect=False)
        web.door = folder / "door"
        web.client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        web.client.check_hostname, web.client.verify_mode = False, ssl.CERT_NONE
        threading.Thread(target=web.serve_forever, daemon=True).start()
        done = subprocess.run(command)
    sys.stdout.flush()
    os._exit(done.returncode)


if __name__ == "__main__":
    inside(pathlib.Path(sys.argv[1]), sys.argv[2:])
