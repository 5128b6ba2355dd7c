"""The card bureau's door: Debian's sshd, one process for each connection (sshd -i), behind a socket that can be made to fail.

The socket forwards bytes both ways. It can be shut, slow or mute; and it cuts a connection when a file is there: `cut_up` before
the client's next bytes go on to sshd, or so many requests later as `skip` says, `cut_down` before sshd's next bytes (its answer)
go back. So a break is at an exact step."""
import contextlib
import os
import pathlib
import pwd
import resource
import select
import shutil
import socket
import subprocess
import threading
import time

SSHD = os.environ.get("SSHD", "/usr/sbin/sshd")
SWITCHES = {"down": False, "mute": False, "slow_ms": 0, "cut_up": "", "skip": 0, "cut_down": "", "key_refused": False, "other_host_key": False,
            "full": 0, "read_only": False}
CHUNK = 65536
CONFIG = """HostKey {folder}/{host_key}
AuthorizedKeysFile {keys}
Subsystem sftp internal-sftp -d {home} -u 0022
ForceCommand internal-sftp -d {home} -u 0022
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
UsePAM {pam}
StrictModes no
PidFile none
LogLevel ERROR
AllowTcpForwarding no
X11Forwarding no
PermitTTY no
"""


def account():
    """(name, uid, gid) that sshd lets in: nobody where we are root, otherwise ourselves, as sshd without root can do no other."""
    entry = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    return entry.pw_name, entry.pw_uid, entry.pw_gid


def make_key(path):
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)


class Door:
    """`folder` gets host keys, the client's key pair and sshd's log; `home` is what SFTP shows."""

    def __init__(self, folder, home, port=0):
        self.folder, self.home = pathlib.Path(folder), pathlib.Path(home)
        self.user, self.uid, self.gid = account()
        self.switches, self.lock = dict(SWITCHES), threading.Lock()
        self.log, self.open, self.taken = self.folder / "sshd.log", set(), 0
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("host_key", "other_key", "client_key"):
            make_key(self.folder / name)
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # for its separation of privileges
        os.chmod(self.folder, 0o711)
        shutil.copy(self.folder / "client_key.pub", self.folder / "authorized_keys")
        os.chmod(self.folder / "authorized_keys", 0o644)
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def fingerprint(self, name="host_key"):
        said = subprocess.run(["ssh-keygen", "-l", "-f", str(self.folder / f"{name}.pub")], check=True, capture_output=True, text=True)
        return said.stdout.split()[1]

    def switch(self, **changes):
        """Sets switches; connections that are open are cut where the change is one of sshd's."""
        if set(changes) - set(SWITCHES):
            raise KeyError(f"no such switch: {set(changes) - set(SWITCHES)}")
        with self.lock:
            self.switches.update(changes)
        if os.getuid() != 0 or "read_only" in changes:
            os.chmod(self.home / "in", 0o555 if self.switches["read_only"] else 0o755)
        if set(changes) & {"down", "key_refused", "other_host_key", "full"}:
            self.cut()

    def cut(self):
        """Ends every connection."""
        with self.lock:
            going, self.open = self.open, set()
        for end in going:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.listener.close()
        self.cut()

    # ---- connections

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.switches["down"]:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _config(self):
        with self.lock:
            self.taken += 1
            path = self.folder / f"sshd_config.{self.taken}"
        keys = "/dev/null" if self.switches["key_refused"] else self.folder / "authorized_keys"
        pam = "no" if os.getuid() == 0 else "yes"  # who may not read /etc/shadow takes every account for locked without it
        path.write_text(CONFIG.format(folder=self.folder, pam=pam, home=self.home, keys=keys, host_key="other_key" if self.switches[
            "other_host_key"] else "host_key"), encoding="ascii")
        return path

    def _limit(self):
        """What a file may have at most: a disk that is full."""
        if self.switches["full"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.switches["full"],) * 2)

    def _serve(self, client):
        ours, theirs = socket.socketpair()
        config = self._config()
        with open(self.log, "ab") as log, client, ours:
            with theirs:
                # with SIGXFSZ ignored, as here, a write beyond the limit fails and ends nobody
                sshd = subprocess.Popen([SSHD, "-i", "-e", "-f", str(config)], stdin=theirs, stdout=theirs, stderr=log, cwd="/",
                                        restore_signals=False, preexec_fn=self._limit)
            with self.lock:
                self.open |= {client, ours}
            with contextlib.suppress(OSError):
                self._forward(client, ours)
            with self.lock:
                self.open -= {client, ours}
        sshd.kill()
        sshd.wait()
        config.unlink()

    def _is_there(self, which):
        pattern = self.switches[which]
        return bool(pattern) and any(self.home.glob(pattern))

    def _forward(self, client, sshd):
        other = {client: (sshd, "cut_up"), sshd: (client, "cut_down")}
        passed = 0
        while True:
            for end in select.select([client, sshd], [], [])[0]:
                to, cut = other[end]
                data = end.recv(CHUNK)
                there = self._is_there(cut)
                if not data or (there and (end is sshd or passed >= self.switches["skip"])):
                    return
                passed += there
                time.sleep(self.switches["slow_ms"] / 1000)
                if not self.switches["mute"]:
                    to.sendall(data)
