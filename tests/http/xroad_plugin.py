"""A plugin of an agency behind X-Road, given to the platform beside the agency's stand-in (tests/agencies)."""
import shutil
import sys

from platform_under_test import ROOT

sys.path.insert(0, str(ROOT / "tests/agencies"))


def attach(platform, program, name, port, provider):
    """`name` is the plugin's in the settings; the platform is started anew with it."""
    keys = platform.folder / f"pki-{name}"
    keys.mkdir()
    for one in ("ca.pem", "client.pem"):
        shutil.copy(program.pki / one, keys / one)
        (keys / one).chmod(0o644)
    before = platform.folder / "before"
    before.mkdir(exist_ok=True)
    (before / f"{name}.conf").write_text("".join(
        [f'FwPermitPlugin {name} {port} "{platform.folder}/lib/plugins/{port}_xroad.so"\n'] +
        [f"FwPermitPluginOption {name} {option} {value}\n" for option, value in (
            ("url", program.url), ("client", "TW/GOV/NIA/permit"), ("provider", provider),
            ("schema", platform.folder / f"share/contracts/{port}-1.xsd"),
            ("http.ca_file", keys / "ca.pem"), ("http.cert_file", keys / "client.pem"))]), encoding="utf-8")
    platform.stop()
    platform.start()
