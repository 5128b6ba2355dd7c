"""A disk as it may look after the power went, made of what recorder.c recorded: what was synced is there; of what was not nothing,
all or any part, in any order, torn at sectors; a name is safe only once its folder was synced."""
import os
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
LINE = struct.Struct("<cQQII")
FOLDER = "a folder"
SECTORS = (512, 4096)


def build(folder):
    """The library's path."""
    out = pathlib.Path(folder) / "fault-recorder.so"
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes",
                    "-Werror", "-O2", "-g", "-fPIC", "-shared", "-o", str(out), str(HERE / "recorder.c"), "-ldl"], check=True)
    return out


class Line:
    """One call. `path` and `second` are relative to the state folder."""

    def __init__(self, root, what, node, at, payload, second):
        self.what, self.node, self.at, self.payload = what.decode(), node, at, payload
        self.path = os.path.relpath(payload.decode(), root) if self.what not in "WT" else None
        self.second = os.path.relpath(second.decode(), root) if second else None

    def kind(self, disk):
        """The call and whose: "W wal", say."""
        name = self.second or self.path or disk.name_of(self.node)
        for ending, kind in (("-wal", "wal"), (".db", "database"), ("anchor", "anchor"), (".db.lock", "lock")):
            if name.endswith(ending):
                return f"{self.what} {kind}"
        return f"{self.what} {name.split('/')[0]}"


def lines(log, root):
    """Each with the place in the record where it ends."""
    with open(log, "rb") as f:
        while True:
            head = f.read(LINE.size)
            if len(head) < LINE.size:
                return
            what, node, at, n, more = LINE.unpack(head)
            yield Line(root, what, node, at, f.read(n), f.read(more)), f.tell()


def apply(data, at, piece):
    """None for a piece: the file is cut, or made longer, to `at`."""
    end = at if piece is None else at + len(piece)
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    if piece is None:
        del data[at:]
    else:
        data[at:end] = piece


class File:
    def __init__(self, path):
        self.path, self.data, self.waiting = path, bytearray(), []

    def sync(self):
        for at, piece in self.waiting:
            apply(self.data, at, piece)
        self.waiting = []

    def after(self, chosen, sector):
        """The contents with those sectors of what waits that `chosen` is true for."""
        data = bytearray(self.data)
        for at, piece in self.waiting:
            if piece is None:
                if chosen():
                    apply(data, at, None)
                continue
            start = at
            while start < at + len(piece):
                end = min(at + len(piece), (start // sector + 1) * sector)
                if chosen():
                    apply(data, start, piece[start - at:end - at])
                start = end
        return data


class Change:
    """Of a name: to a file, a folder, or None where it is gone. The old name of a file never goes before the new one is there."""

    def __init__(self, path, to, after=None):
        self.path, self.to, self.after, self.is_synced = path, to, after, False


class Disk:
    def __init__(self, *folders):
        self.names, self.files, self.waiting = dict.fromkeys(folders, FOLDER), {}, []

    def name_of(self, node):
        return self.files[node].path if node in self.files else "unknown"

    def play(self, line):
        {"C": self.create, "D": self.make_folder, "W": self.write, "T": self.cut, "S": self.sync, "F": self.sync_folder, "R": self.rename,
         "L": self.link, "U": self.unlink}[line.what](line)

    def create(self, line):
        self.files[line.node] = File(line.path)
        self.waiting.append(Change(line.path, self.files[line.node]))

    def make_folder(self, line):
        self.waiting.append(Change(line.path, FOLDER))

    def write(self, line):
        self.files[line.node].waiting.append((line.at, line.payload))

    def cut(self, line):
        self.files[line.node].waiting.append((line.at, None))

    def sync(self, line):
        self.files[line.node].sync()

    def link(self, line):
        if line.node in self.files:  # else a socket
            self.waiting.append(Change(line.second, self.files[line.node]))

    def rename(self, line):
        self.link(line)
        if line.node in self.files:
            self.waiting.append(Change(line.path, None, after=self.waiting[-1]))
            self.files[line.node].path = line.second

    def unlink(self, line):
        self.waiting.append(Change(line.path, None))

    def sync_folder(self, line):
        rest = []
        for change in self.waiting:
            if os.path.normpath(os.path.dirname(change.path) or ".") == line.path and (not change.after or change.after.is_synced):
                self.names[change.path], change.is_synced = change.to, True
            else:
                rest.append(change)
        self.waiting = rest

    def image(self, chance, mode, sector):
        """What may be there now: {path: FOLDER or bytes}. For each file and for the names a share of its own is drawn."""
        def choice():
            share = {"nothing": 0.0, "all": 1.0, "some": chance.choice((0.0, 0.2, 0.5, 0.8, 1.0))}[mode]
            return lambda: chance.random() < share

        names, kept, chosen = dict(self.names), set(), choice()
        for change in self.waiting:
            if chosen() and (not change.after or change.after.is_synced or change.after in kept):
                kept.add(change)
                names[change.path] = change.to
        found = {}
        for path, thing in sorted(names.items()):
            above = os.path.dirname(path)
            if thing and (not above or found.get(above) == FOLDER):
                found[path] = FOLDER if thing == FOLDER else bytes(thing.after(choice(), sector))
        return found


def lay_out(image, root):
    """The image as files, in a folder that is there and empty."""
    for path, thing in sorted(image.items()):
        if thing == FOLDER:
            (root / path).mkdir(mode=0o700, exist_ok=path == ".")
        else:
            (root / path).write_bytes(thing)
            (root / path).chmod(0o600)
