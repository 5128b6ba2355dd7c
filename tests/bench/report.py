"""The figures as a table for docs/performance.md and as a picture beside it."""
import os
import platform
import re
import statistics
import time
from pathlib import Path
from xml.sax.saxutils import escape

from jobs import JOBS
from measure import ROOT

PAGE, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/performance.svg"
HEAD = ("| job | CPU s for 1,000 | ratio | goal | a second | p50 ms | p99 ms | child MiB | bytes |\n"
        "|---|---|---|---|---|---|---|---|---|")
PICTURES = {"filing": "… its photo decoded, apart", "after filing": "… the receipt drawn, apart", "permit": "… both drawn, apart"}


def spread(values):
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def ratios(samples, job):
    """Of each round: a round's two figures were measured one after the other."""
    if not job.limit or job.name not in samples or job.limit not in samples:
        return None
    return [ours.cpu / limit.cpu for ours, limit in zip(samples[job.name], samples[job.limit])]


def line(bench, job):
    rounds = bench.samples[job.name]
    mid = {field: statistics.median(getattr(s, field) for s in rounds) for field in ("rate", "p50", "p99")}
    ratio = ratios(bench.samples, job)
    times = f"{mid['p50']:.1f} | {mid['p99']:.1f}" if mid["p50"] else " | "
    yield (f"| {job.label} | {spread([s.cpu for s in rounds])} | {f'**{statistics.median(ratio):.2f}**' if ratio else ''} | {job.goal or ''} "
           f"| {mid['rate']:,.{0 if mid['rate'] > 100 else 1}f} | {times} | {max(s.child for s in rounds):.0f} "
           f"| {bench.sizes.get(job.name, '')} |")
    if job.name in PICTURES:
        yield f"| {PICTURES[job.name]} | {spread([s.pictures for s in rounds])} | | | | | | | |"


def table(bench):
    return "\n".join([HEAD, *(one for job in JOBS if job.name in bench.samples for one in line(bench, job))])


def machine():
    model = re.search(r"model name\s+: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))[1])
    return f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}, {memory // 1048576} GiB, Debian 12"


STYLE = """text { font: 13px sans-serif; fill: #1d2433 } .small { font-size: 11px; fill: #5a6478 } .bar { fill: #2f6db3 } .bar.over { fill: #c2571a }
.limit { stroke: #1d2433; stroke-width: 1.5 } .goal { stroke: #064d2a; stroke-width: 2.5 } .goaltext { fill: #064d2a; font-size: 11px }
@media (prefers-color-scheme: dark) { text { fill: #e6e9f0 } .small { fill: #a7b0c2 } .bar { fill: #6aa5e8 } .bar.over { fill: #f0935a }
.limit { stroke: #e6e9f0 } .goal { stroke: #c8ffe3 } .goaltext { fill: #c8ffe3 } }"""
LEFT, WIDTH, ROW, TOP = 290, 430, 26, 46


def bars(benches):
    """(label, ratio, goal) of what has a limit."""
    for job in JOBS:
        for store, bench in benches:
            ratio = ratios(bench.samples, job)
            if ratio:
                yield f"{job.label.split(':')[0]}, {store}", statistics.median(ratio), job.goal


def picture(benches):
    """Horizontal bars: CPU as a multiple of the bare handler's, whose line stands at 1; each one's goal as a line across it."""
    rows = list(bars(benches))
    most = max([ratio for _, ratio, _ in rows] + [2.0])
    step, height = WIDTH / most, TOP + ROW * len(rows) + 12
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 60} {height}" role="img" aria-labelledby="t">',
           '<title id="t">CPU of each job as a multiple of the bare handler\'s, with its goal</title>', f"<style>{STYLE}</style>",
           f'<text class="small" x="{LEFT + step:.1f}" y="18" text-anchor="middle">bare C = 1</text>',
           f'<text class="goaltext" x="{LEFT + step:.1f}" y="34" text-anchor="start" dx="6">| goal</text>']
    for i, (label, ratio, goal) in enumerate(rows):
        y, at = TOP + ROW * i, LEFT + step * goal
        over = " over" if ratio > goal else ""
        out += [f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(label)}</text>',
                f'<rect class="bar{over}" x="{LEFT}" y="{y + 2}" width="{step * ratio:.1f}" height="16" rx="2"/>',
                f'<text x="{LEFT + step * ratio + 6:.1f}" y="{y + 14}">{ratio:.2f}</text>',
                f'<line class="goal" x1="{at:.1f}" x2="{at:.1f}" y1="{y - 1}" y2="{y + 21}"/>']
    out += [f'<line class="limit" x1="{LEFT + step:.1f}" x2="{LEFT + step:.1f}" y1="{TOP - 6}" y2="{height - 8}"/>', "</svg>"]
    return "\n".join(out) + "\n"


def write(text, benches):
    old = PAGE.read_text(encoding="utf-8")
    fresh = (f"<!-- figures -->\nMeasured on {machine()}, {time.strftime('%Y-%m-%d')}.\n\n"
             f"![CPU of each job as a multiple of the bare handler's](performance.svg)\n\n{text}\n<!-- end -->")
    PAGE.write_text(re.sub(r"<!-- figures -->.*<!-- end -->", lambda m: fresh, old, flags=re.S), encoding="utf-8")
    PICTURE.write_text(picture(benches), encoding="utf-8")
