"""The card bureau as a folder (bureau.c): orders come there, and what it says is put there."""
import subprocess

from platform_under_test import ROOT


def books(platform):
    return platform.folder / "books"


def conf(platform):
    return platform.folder / "before/card.conf"


def build(platform):
    """The platform's plugin of port card, its books, its settings; for the platform's next start."""
    library = platform.folder / "lib/plugins/books.so"
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-D_GNU_SOURCE",
                    f"-I{ROOT}/plugins", str(ROOT / "tests/http/bureau.c"), "-o", str(library), "-ljansson", "-lcrypto"], check=True)
    library.chmod(0o644)
    for name in (".", "orders", "jobs", "says"):
        (books(platform) / name).mkdir(exist_ok=True)
        (books(platform) / name).chmod(0o777)
    conf(platform).parent.mkdir(exist_ok=True)
    conf(platform).write_text(
        f'FwPermitPlugin books card "{library}"\nFwPermitPluginOption books books "{books(platform)}"\n', encoding="utf-8")
    return library
