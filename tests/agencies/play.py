"""For the tests: the stand-ins of agencies behind X-Road run as programs, and letters and movements of theirs."""
import json
import pathlib
import re
import signal
import subprocess

from shop import fetch

HERE = pathlib.Path(__file__).resolve().parent
EMPLOYER = {"id": "04595257", "name": "大同精密股份有限公司"}
WORKER = {"name_latin": "NGUYEN VAN ANH", "name_native": "Nguyễn Văn Anh", "passport_no": "C1234567", "nationality": "VNM",
          "birth": "1996-04-12", "sex": "M"}
RECRUITMENT = {"kind": "recruitment", "letter_no": "勞動發事字第1150012345號", "state": "valid", "issued": "2026-03-02",
               "valid_from": "2026-03-02", "valid_to": "2026-09-02", "grace_to": "2026-12-02", "employer": EMPLOYER,
               "category": "manufacturing", "nationalities": ["VNM", "IDN"], "quota": 12, "used": 4, "workplace": "臺中市西屯區工業區一路1號"}
EMPLOYMENT = {"kind": "employment", "letter_no": "勞動發事字第1150023456號", "state": "valid", "issued": "2026-11-20",
              "valid_from": "2026-11-12", "valid_to": "2029-11-11", "employer": EMPLOYER, "worker": WORKER,
              "category": "manufacturing", "workplace": "臺中市西屯區工業區一路1號", "recruitment_no": RECRUITMENT["letter_no"]}

MOVEMENT = {"id": "2026-11-12/TPE/004411", "direction": "arrival", "state": "current", "at": "2026-11-12T05:20:00Z", "port": "TPE",
            "person": WORKER, "entry": "resident_visa", "permit_no": "EP1150000012"}


def changed(permit, **more):
    """With other members; None takes one away, a__b is b of a."""
    out = {**permit}
    for name, value in more.items():
        at, _, inner = name.partition("__")
        out[at] = {k: v for k, v in {**out.get(at, {}), inner: value}.items() if v is not None} if inner else value
    return {k: v for k, v in out.items() if v is not None}


class Labour:
    """The program, on free ports."""

    program = "labour"

    def __init__(self, pki, *more):
        self.pki = pathlib.Path(pki)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(HERE / self.program), "--port", "0", "--tls-port", "0", "--pki", str(pki), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        ports = re.fullmatch(r"ready http://127\.0\.0\.1:(\d+) https://127\.0\.0\.1:(\d+)\n", self.line)
        assert ports, self.line + self.process.stderr.read()
        self.desk, self.url = f"http://127.0.0.1:{ports[1]}", f"https://127.0.0.1:{ports[2]}"

    def control(self, verb, **ask):
        status, text, _ = fetch(f"{self.desk}/control/{verb}", json.dumps(ask).encode(), "application/json")
        answer = json.loads(text)
        assert (status == 200) == answer["ok"], text
        return status, answer

    def done(self, verb, **ask):
        status, answer = self.control(verb, **ask)
        assert status == 200, answer
        return answer.get("done")

    def switch(self, **wanted):
        return self.control("switch", **wanted)

    def books(self):
        return json.loads(fetch(self.desk + "/books")[1])

    def requests(self):
        return self.books()["requests"]

    def stop(self):
        """(exit code, what else was printed, errors)."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err


class Fines(Labour):
    """The fines system's stand-in, likewise."""

    program = "fines"


class Border(Labour):
    """The border's stand-in, likewise."""

    program = "border"
