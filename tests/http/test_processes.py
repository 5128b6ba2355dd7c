"""A process beside httpd that ends again and again: started each time, told each time, and serving in the end."""
import os
import signal

import conftest
import flow
from platform_under_test import await_


def signer(platform):
    """Its process, if it runs: until the pause is over it has no command line of its own."""
    found = [pid for pid, line in conftest.processes_of(platform.folder) if "fwpermit-worker signer" in line]
    return found[0] if found else None


def test_a_process_that_ends_in_a_row_is_started_again(platform, broker, reviewers):
    platform.expect(r"FWP0006: signer ended \(status 9\); it is started again, attempt [123]")
    platform.expect("FWP2201 .*the signer is away")
    for attempt in (1, 2, 3):
        pid = await_(f"start {attempt}", lambda: signer(platform))
        os.kill(pid, signal.SIGKILL)
        told = f"FWP0006: signer ended (status 9); it is started again, attempt {attempt}"
        await_(told, lambda line=told: line in platform.error_log())
    case = flow.filed(broker)
    flow.approve(platform, case, reviewers)
    flow.pay(platform, broker, case)
    assert "permit" in {d["kind"] for d in flow.issued(platform, broker, case)["documents"]}
