"""Certificates for trials, made by openssl: an authority with a list of what it revoked, another authority, and ends of each kind."""
import os
import pathlib
import subprocess

CNF = """
[ca]
default_ca = one
[one]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
default_md = sha256
default_crl_days = 30
"""
SERVERS = {"server": ("ca", 30), "server-renewed": ("ca", 30), "server-expired": ("ca", 0), "server-revoked": ("ca", 30),
           "server-stranger": ("other", 30)}
CLIENTS = {"client": ("ca", 30), "client-renewed": ("ca", 30), "client-expired": ("ca", 0), "client-revoked": ("ca", 30),
           "client-stranger": ("other", 30)}


def openssl(folder, *args):
    subprocess.run(["openssl", *map(str, args)], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def make_ca(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj",
            f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def make_cert(folder, name, subject, ca="ca", days=30, alternative=None):
    """NAME.pem, which holds the certificate and its key: one file, so that a renewal is one rename."""
    more = ["-addext", f"subjectAltName={alternative}"] if alternative else []
    openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-subj", f"/CN={subject}", *more, "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-copy_extensions", "copy",
            "-days", days, "-out", f"{name}.crt")
    both = folder / f"{name}.both"
    both.write_bytes((folder / f"{name}.crt").read_bytes() + (folder / f"{name}.key").read_bytes())
    os.chmod(both, 0o600)
    both.replace(folder / f"{name}.pem")


def revoke(folder, *names):
    """ca.crl, which has those of them, and none where no name is given."""
    (folder / "index.txt").touch()
    (folder / "crlnumber").write_text("01\n", encoding="ascii")
    (folder / "ca.cnf").write_text(CNF.format(folder=folder), encoding="ascii")
    signer = ("ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem")
    for name in names:
        openssl(folder, *signer, "-revoke", f"{name}.crt")
    openssl(folder, *signer, "-gencrl", "-out", "ca.crl")


def make(folder, host="127.0.0.1", client="permit.test"):
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    kind = "IP" if host.replace(".", "").isdigit() or ":" in host else "DNS"
    for ca in ("ca", "other"):
        make_ca(folder, ca)
    for name, (ca, days) in SERVERS.items():
        make_cert(folder, name, host, ca, days, f"{kind}:{host}")
    make_cert(folder, "server-elsewhere", "elsewhere.test", alternative="DNS:elsewhere.test")
    for name, (ca, days) in CLIENTS.items():
        make_cert(folder, name, client, ca, days)
    make_cert(folder, "client-elsewhere", "fines.test")
    revoke(folder, "server-revoked", "client-revoked")
    return folder
