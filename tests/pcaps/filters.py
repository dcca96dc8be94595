#!/usr/bin/env python3
"""Does Wireshark show what a finding says it shows?

    filters.py APNSCOPE FOLDER…

Of every finding in the captures of the folders: its display filter, pasted into Wireshark, shows all
frames that it names as evidence; and of the first finding of each code, `apnscope extract` writes a
capture in which these frames have their comment. Skipped (status 77) where tshark is missing."""
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from agreement import Sharkd

# Findings about a whole capture or network, which no few frames prove.
WITHOUT_FRAMES = {"partial-reachability", "high-loss"}


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)


def findings_of(program, capture, database):
    done = run(program, "analyze", "--quiet", "--db", database, capture)
    if done.returncode > 1:
        return []  # damaged on purpose
    done = run(program, "report", "--db", database, "--json", "-")
    return json.loads(done.stdout)["tables"]["finding"]


asked = itertools.count(1_000_000_000)


def frames_shown(sharkd, display_filter, **columns):
    """sharkd keeps what a filter showed of the capture before: no two filters may be equal."""
    unlike = f"({display_filter}) && frame.number != {next(asked)}"
    return sharkd.ask("frames", filter=unlike, **columns) or []


def complaints_about_filter(sharkd, finding):
    named = {frame["number"] for frame in (finding["evidence"] or {}).get("frames", [])}
    if finding["code"].startswith("capture-"):
        return
    if not named and finding["code"] not in WITHOUT_FRAMES:
        yield "it names no frame"
    if not finding["display_filter"]:
        yield "it has no display filter"
        return
    shown = {frame["num"] for frame in frames_shown(sharkd, finding["display_filter"])}
    if not shown:
        yield f"nothing is shown by {finding['display_filter']}"
    elif named - shown:
        yield f"frames {sorted(named - shown)} are not shown by {finding['display_filter']}"


def complaints_about_extract(program, sharkd, capture, database, finding, out):
    wanted = [frame["shows"] for frame in (finding["evidence"] or {}).get("frames", [])]
    done = run(program, "extract", "--db", database, "--finding", finding["id"], "-o", out, capture)
    if done.returncode != 0:
        yield f"extract: {done.stderr.strip()}"
        return
    if (sharkd.ask("load", file=str(out)) or {}).get("status") != "OK":
        yield "extract: tshark does not read it"
        return
    said = [" ".join(frame["c"]) for frame in
            frames_shown(sharkd, "frame.comment", column0="frame.comment:0")]
    for shows in wanted:
        if not any(shows in comment for comment in said):
            yield f"extract: no packet says {shows!r}, but {said}"


def check(program, captures, folder):
    sharkd, wrong, findings, codes = Sharkd(), 0, 0, set()
    for number, capture in enumerate(captures):
        database = folder / f"{number}.db"
        of_capture = findings_of(program, capture, database)
        loaded = of_capture and sharkd.ask("load", file=str(capture))
        if not loaded or loaded.get("status") != "OK":
            continue
        complaints = []
        for finding in of_capture:
            complaints += [(finding, text) for text in complaints_about_filter(sharkd, finding)]
        for finding in of_capture:
            has_frames = (finding["evidence"] or {}).get("frames")
            if has_frames and finding["code"] not in codes:
                codes.add(finding["code"])
                complaints += [(finding, text) for text in complaints_about_extract(
                    program, sharkd, capture, database, finding, folder / "out.pcapng")]
        findings += len(of_capture)
        for finding, text in complaints:
            print(f"{capture.name}: finding {finding['id']} ({finding['code']}): {text}")
        wrong += len(complaints)
    sharkd.stop()
    print(f"{findings} findings of {len(codes)} codes with frames; {wrong} complaints")
    return wrong


def main():
    program = sys.argv[1]
    if not shutil.which("tshark") or not shutil.which("sharkd"):
        print("tshark is not installed: skipped")
        return 77
    captures = sorted(path for folder in sys.argv[2:] for path in pathlib.Path(folder).glob("*.pcap*"))
    with tempfile.TemporaryDirectory() as folder:
        return 1 if check(program, captures, pathlib.Path(folder)) else 0


if __name__ == "__main__":
    sys.exit(main())
