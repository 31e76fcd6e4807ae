"""A person's key brought into a home of gpgsm."""

import subprocess

# gpgsm 2.2 of Debian 12 misreads about one PKCS#12 file in a hundred, the same file each time: an encrypted octet
# that looks like a tag leads its parser astray. A file made anew has other octets.
TRIES = 6


def import_key(home, key, certificate):
    """Imports a private key with its certificate into `home`, whose agent is started. The passphrase is `x`."""
    subprocess.run(["gpgconf", "--homedir", home, "--launch", "gpg-agent"], check=True)
    for _ in range(TRIES):
        subprocess.run(["openssl", "pkcs12", "-export", "-legacy", "-inkey", key, "-in", certificate, "-passout", "pass:x",
                        "-out", home / "p12"], check=True, capture_output=True)
        done = subprocess.run(["gpgsm", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase-fd", "0",
                               "--disable-crl-checks", "--import", home / "p12"], input=b"x\n", capture_output=True)
        if done.returncode == 0:
            return
    raise AssertionError(f"gpgsm reads none of {TRIES} PKCS#12 files: {done.stderr.decode(errors='replace')}")
