#!/usr/bin/env python3
"""What a live run survives: kills, full disks, locks, a day of traffic, interfaces that go away.

    endurance.py APNSCOPE FLEET CASE

CASE is a function below. FLEET makes the traffic (tests/fleet). With APNSCOPE_LONG=1 the run is
killed fifty times, and the database is locked for a minute.
"""

import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import time

import stage

LONG = bool(os.environ.get("APNSCOPE_LONG"))
SECOND_NS = 10**9
SETTLE_S = 0.6
# Of facts that a killed run may miss: a second, and what a machine that runs other tests as well
# may let a process wait.
MISSED_S = 1.0 if LONG else 3.0


class Failure(Exception):
    pass


def check(holds, *what):
    if not holds:
        raise Failure(" ".join(map(str, what)))


def make_traffic(fleet, folder, devices, hours):
    path = folder / "fleet.pcap"
    subprocess.run([fleet, "--devices", str(devices), "--hours", str(hours), path], check=True,
                   capture_output=True)
    return path


def is_sound(database):
    connection = sqlite3.connect(database)
    try:
        check(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "integrity_check")
        check(not connection.execute("PRAGMA foreign_key_check").fetchall(), "foreign_key_check")
        return True
    finally:
        connection.close()


def duration_of(capture):
    done = subprocess.run(["capinfos", "-T", "-r", "-u", "-S", str(capture)], capture_output=True,
                          text=True, check=True)
    return float(done.stdout.split()[-1])


def killed(program, fleet, folder):
    """Killed at random moments: the database opens, is sound, and misses a second at most."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 20, 1)
    replay = wire.keep_replaying(capture, 400)
    worst, kills = 0, 50 if LONG else 4
    try:
        for kill in range(kills):
            live = stage.Live(program, wire.far, folder)
            time.sleep(random.uniform(1.5, 4.0))
            killed_ns = time.time_ns()
            live.end(signal.SIGKILL)
            is_sound(live.database)
            row = live.query("SELECT max(id) AS id, state FROM run")[0]
            check(row["state"] == "running", "its last word is", row)
            newest = live.query("SELECT max(last_ns) AS ns FROM flow WHERE run_id = ?", row["id"])
            missed_s = (killed_ns - newest[0]["ns"]) / SECOND_NS
            worst = max(worst, missed_s)
            check(missed_s <= MISSED_S, f"kill {kill}: the last {missed_s:.2f} s are missing")
    finally:
        replay.kill()
    live = stage.Live(program, wire.far, folder)
    live.end()
    states = live.query("SELECT state, count(*) AS count FROM run GROUP BY state ORDER BY state")
    check({row["state"]: row["count"] for row in states}.get("interrupted") == kills, states)
    rows = live.query("SELECT stored_ns, interrupted_ns, state FROM run ORDER BY id")
    check(all((row["state"] == "interrupted") == (row["interrupted_ns"] is not None)
              and row["stored_ns"] for row in rows), rows)
    check(killed_ns - MISSED_S * SECOND_NS < rows[-2]["stored_ns"] < killed_ns + SECOND_NS
          and rows[-2]["interrupted_ns"] > killed_ns - SECOND_NS, rows[-2], "killed at", killed_ns)
    print(f"{kills} kills, at most {worst:.2f} s missing")


def sessions_of(program, capture, folder, options=()):
    database = folder / "file.db"
    subprocess.run([program, "analyze", "--quiet", "--db", database, *options, capture],
                   capture_output=True)
    connection = sqlite3.connect(database)
    count = connection.execute("SELECT count(*) FROM flow").fetchone()[0]
    connection.close()
    return count


def has_all_sessions(program, live, recorder, speed):
    """As many as in the record of the same frames."""
    recorder.end()
    stage.stretch(recorder.path, live.query("SELECT analyzed_ns FROM run")[0]["analyzed_ns"],
                  float(f"{speed:.3f}"))
    count = live.query("SELECT count(*) AS count FROM flow")[0]["count"]
    wanted = sessions_of(program, recorder.path, live.folder)
    check(count == wanted > 0, count, "sessions, not", wanted)
    is_sound(live.database)
    return count


def locked(program, fleet, folder):
    """Another program holds the database: capture goes on, and all rows are stored later."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 20, 1)
    speed = duration_of(capture) / (60 if LONG else 5)
    recorder = stage.Recorder(wire.far, folder / "recorded.pcap")
    live = stage.Live(program, wire.far, folder, ["--replay-speed", f"{speed:.3f}"])
    other = sqlite3.connect(live.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    wire.replay(capture, speed)
    live.wait_for(live.err, "the database cannot be written", 30)
    live.process.send_signal(signal.SIGUSR1)
    live.wait_for(live.err, "packets taken", 10)
    other.execute("ROLLBACK")
    other.close()
    live.wait_for(live.err, "the database can be written again", 30)
    check(live.end() in (0, 1), live.told())
    check(live.query("SELECT state, rows_lost FROM run") == [{"state": "complete", "rows_lost": 0}],
          live.query("SELECT state, rows_lost FROM run"))
    has_all_sessions(program, live, recorder, speed)


def mount_small(folder, size):
    small = folder / "small"
    small.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small],
                          capture_output=True)
    if done.returncode != 0:
        stage.skip("no file system can be mounted here")
    return small


def disk_full(program, fleet, folder):
    """The disk fills up and is given room again: all rows are there in the end."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 60, 6)
    small = mount_small(folder, "700k")
    speed = duration_of(capture) / 5
    recorder = stage.Recorder(wire.far, folder / "recorded.pcap")
    live = stage.Live(program, wire.far, folder, ["--replay-speed", f"{speed:.3f}"],
                      database=small / "live.db")
    wire.replay(capture, speed)
    live.wait_for(live.err, "the database cannot be written", 20)
    check("full" in live.told(), live.told())
    subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
    live.wait_for(live.err, "the database can be written again", 20)
    check(live.end() in (0, 1), live.told())
    check(live.query("SELECT rows_lost FROM run") == [{"rows_lost": 0}], "rows are lost")
    has_all_sessions(program, live, recorder, speed)


def disk_stays_full(program, fleet, folder):
    """It stays full: the run says so, ends with 3, and counts what is missing."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 60, 6)
    small = mount_small(folder, "700k")
    speed = duration_of(capture) / 4
    live = stage.Live(program, wire.far, folder, ["--replay-speed", f"{speed:.3f}"],
                      database=small / "live.db")
    wire.replay(capture, speed)
    live.wait_for(live.err, "the database cannot be written", 20)
    check(live.end() == 3, "exit status", live.process.returncode)
    check("full" in live.told().splitlines()[-1], live.told())
    is_sound(live.database)
    row = live.query("SELECT state FROM run")[0]
    check(row["state"] in ("running", "interrupted"), row)


def day(program, fleet, folder):
    """A day, replayed fast: memory and descriptors stay, every session has its row."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 500 if LONG else 60, 24)
    seconds = 240 if LONG else 10
    speed = duration_of(capture) / seconds
    recorder = stage.Recorder(wire.far, folder / "recorded.pcap")
    live = stage.Live(program, wire.far, folder, ["--replay-speed", f"{speed:.3f}"])
    replay = wire.begin_replay(capture, [f"--multiplier={speed}"])
    samples = []
    while replay.poll() is None:
        time.sleep(seconds / 24)
        samples.append((live.status("VmRSS"), live.descriptors()))
    time.sleep(SETTLE_S)
    check(live.end() in (0, 1), live.told())
    warm, last = samples[len(samples) // 2:len(samples) * 3 // 4], samples[-len(samples) // 4:]
    grown = max(size for size, _ in last) - max(size for size, _ in warm)
    # A short day does not get around the queues, which touch memory for the first time until then.
    check(grown <= (2048 if LONG else 12288), f"{grown} kB more: {samples}")
    # One may be open for a moment when the sample is taken; a leak stays.
    counts = [count for _, count in samples]
    check(min(counts[-len(counts) // 4:]) <= min(counts[len(counts) // 3:]), "descriptors", samples)
    row = live.query("SELECT rows_lost, packets_dropped, state FROM run")[0]
    check(row == {"rows_lost": 0, "packets_dropped": 0, "state": "complete"}, row)
    count = has_all_sessions(program, live, recorder, speed)
    print(f"{count} sessions of a day in {seconds} s, {max(samples)[0]} kB at most, {grown} kB more "
          f"in the second half")


def interface_goes_away(program, fleet, folder):
    """An interface goes down and comes back: it is told, and captured again."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 5, 1)
    live = stage.Live(program, wire.far, folder)
    wire.replay(capture, 0)
    time.sleep(SETTLE_S)
    stage.run("ip", "link", "set", "dev", wire.far, "down")
    live.wait_for(live.err, "went down", 10)
    stage.run("ip", "link", "set", "dev", wire.far, "up")
    live.wait_for(live.err, "is back", 10)
    before = live.query("SELECT packets FROM run")[0]["packets"]
    wire.replay(capture, 0)
    time.sleep(2 * SETTLE_S)
    check(live.end() in (0, 1), live.told())
    after = live.query("SELECT packets FROM run")[0]["packets"]
    check(after >= 2 * before > 0, before, "packets before,", after, "in all")


def make_anew(wire, other_type=False):
    """The same names, other interfaces: gone at the first step, there at the second."""
    index = pathlib.Path(f"/sys/class/net/{wire.far}/ifindex").read_text()
    stage.run("ip", "link", "del", "dev", wire.far)
    yield
    if other_type:
        stage.run("ip", "tuntap", "add", "dev", wire.far, "mode", "tun")
        stage.run("ip", "link", "set", "dev", wire.far, "up")
    else:
        wire.make()
    check(pathlib.Path(f"/sys/class/net/{wire.far}/ifindex").read_text() != index, "index")


def interface_is_made_anew(program, fleet, folder):
    """The interface is deleted and made anew, slowly and at once: each time it is said and counted,
    and captured on again, promiscuously."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 5, 1)
    live = stage.Live(program, wire.far, folder)
    wire.replay(capture, 0)
    time.sleep(SETTLE_S)
    before = live.query("SELECT packets FROM run")[0]["packets"]
    for time_made, pause_s in ((1, 3), (2, 0)):
        making = make_anew(wire)
        next(making)
        if pause_s:
            live.wait_for(live.err, "is gone", 10)
        time.sleep(pause_s)
        next(making, None)
        live.wait_for(live.err, f"for the {time_made}. time", 10)
        wire.replay(capture, 0)
        time.sleep(2 * SETTLE_S)
        link = subprocess.run(["ip", "-d", "link", "show", "dev", wire.far], capture_output=True,
                              text=True).stdout
        check("promiscuity 0" not in link, link)
    live.process.send_signal(signal.SIGUSR1)
    live.wait_for(live.err, "packets taken", 10)
    check(live.end() in (0, 1), live.told())
    after = live.query("SELECT packets FROM run")[0]["packets"]
    check(after >= 3 * before > 0, before, "packets before,", after, "in all")
    is_sound(live.database)


def interface_is_another(program, fleet, folder):
    """Sockets that share frames cannot be bound anew, and frames of another link type would be read
    wrongly: the run ends by itself, with all rows, so that it is started again."""
    capture = make_traffic(fleet, folder, 5, 1)
    for options, other_type in ((["--workers", 2], False), ([], True)):
        wire = stage.Wire()
        work = folder / str(other_type)
        work.mkdir()
        live = stage.Live(program, wire.far, work, options)
        wire.replay(capture, 0)
        time.sleep(SETTLE_S)
        making = make_anew(wire, other_type)
        next(making)
        live.wait_for(live.err, "is gone", 10)
        check(live.process.poll() is None, "ended already")
        next(making, None)
        check(live.process.wait(30) == 3, live.process.returncode, live.told())
        check("cannot take up" in live.told(), live.told())
        check("start apnscope again" in live.told().splitlines()[-1], live.told())
        check(live.query("SELECT state FROM run") == [{"state": "complete"}], "state")


def last_packets(program, fleet, folder):
    """What came in the last moment before SIGTERM is in the kernel's ring still: it is taken."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 5, 1)
    for workers in (1, 2):
        for attempt in range(3):
            work = folder / f"{workers}-{attempt}"
            work.mkdir()
            live = stage.Live(program, wire.far, work, ["--workers", workers])
            recorder = stage.Recorder(wire.far, work / "recorded.pcap")
            time.sleep(SETTLE_S)
            wire.replay(capture, 0)
            check(live.end() in (0, 1), live.told())
            recorder.end()
            count = live.query("SELECT count(*) AS count FROM flow")[0]["count"]
            ends = live.query("SELECT max(last_ns) AS ns FROM flow")[0]["ns"]
            wanted = sessions_of(program, recorder.path, work)
            check(count == wanted > 0, workers, "workers:", count, "sessions, not", wanted)
            file = sqlite3.connect(work / "file.db")
            check((ends,) == file.execute("SELECT max(last_ns) FROM flow").fetchone(),
                  "the last packets are missing")
            file.close()


def clock_is_set(program, fleet, folder):
    """The wall clock is set by an hour while the run goes on, back and ahead: packets are taken, rows
    stored and the state told as ever."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 5, 1)
    shim = os.environ["APNSCOPE_SET_CLOCK"]
    for workers, hours in ((1, -1), (2, -1), (2, 1)):
        work = folder / f"{workers}-{hours}"
        work.mkdir()
        offset = work / "offset"
        offset.write_bytes(bytes(8))
        live = stage.Live(program, wire.far, work, ["--workers", workers],
                          environment={"LD_PRELOAD": shim, "SET_CLOCK": str(offset),
                                       "ASAN_OPTIONS": "verify_asan_link_order=0"})
        time.sleep(SETTLE_S)
        with open(offset, "r+b") as file:
            file.write((hours * 3600 * SECOND_NS).to_bytes(8, "little", signed=True))
        time.sleep(SETTLE_S)
        wire.replay(capture, 0)
        time.sleep(3 * SETTLE_S)
        row = live.query("SELECT packets, (SELECT count(*) FROM flow) AS flows FROM run")[0]
        check(row["packets"] > 100 and row["flows"] > 0, workers, hours, "while it runs:", row)
        live.process.send_signal(signal.SIGUSR1)
        live.wait_for(live.err, "packets taken", 10)
        live.wait_for(live.err, "time stamps of the host", 30)
        check("a clock that is 1 h" in live.told(), live.told())
        check(live.end() in (0, 1), live.told())


def time_stamps(program, fleet, folder):
    """What is asked for is used and said, or refused with what there is."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 5, 1)
    live = stage.Live(program, wire.far, folder, ["--time-stamps", "host"])
    wire.replay(capture, 0)
    live.wait_for(live.err, "time stamps of the host", 30)
    check(live.end() in (0, 1), live.told())
    check("clock" not in live.told(), live.told())
    notes = live.query("SELECT capture_notes AS notes FROM run")[0]["notes"]
    check("time stamps of the host" in notes, notes)
    for asked, status, sentence in (("adapter_unsynced", 3, "not offered; it has: host"),
                                    ("sundial", 2, "pcap-tstamp(7)")):
        done = subprocess.run([program, "live", "--db", folder / "refused.db", "-i", wire.far,
                               "--time-stamps", asked], capture_output=True, text=True, timeout=60)
        check(done.returncode == status and sentence in done.stderr, asked, done.returncode,
              done.stderr)


def signals(program, fleet, folder):
    """SIGUSR1 tells the state, SIGHUP changes nothing, SIGINT ends the run."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 5, 1)
    live = stage.Live(program, wire.far, folder)
    wire.replay(capture, 0)
    time.sleep(SETTLE_S)
    live.process.send_signal(signal.SIGUSR1)
    live.wait_for(live.err, "packets taken", 10)
    check(f"{wire.far}: " in live.told(), live.told())
    live.process.send_signal(signal.SIGHUP)
    time.sleep(SETTLE_S)
    check(live.process.poll() is None, "SIGHUP ended it")
    check(live.end(signal.SIGINT) in (0, 1), live.told())
    check(live.query("SELECT state FROM run") == [{"state": "complete"}], "state")


def refused(program, fleet, folder):
    """What cannot be captured on is refused with a sentence that helps."""
    wire = stage.Wire()
    stage.run("ip", "link", "set", "dev", wire.near, "down")
    cases = [(["-i", "nosuch0"], 3, "no such interface"),
             (["-i", wire.far, "-i", wire.far], 2, "twice"),
             ([], 2, "needs an interface"),
             (["-i", wire.far, "--filter", "vlan 7"], 2, "link headers"),
             (["-i", wire.far, "--also", "no such word"], 2, "not valid"),
             (["-i", wire.far, "--db", "/nowhere/a.db"], 3, "/nowhere/a.db"),
             (["-i", wire.far, "--duration", "300ms"], 3, "none of 0 packets")]
    for options, status, sentence in cases:
        done = subprocess.run([program, "live", "--db", folder / "refused.db", *options],
                              capture_output=True, text=True, timeout=60)
        check(done.returncode == status, options, "exit status", done.returncode, done.stderr)
        check(sentence in done.stderr, options, "says", done.stderr)

    if os.geteuid() == 0:
        done = subprocess.run([program, "live", "-i", wire.far, "--db", "/dev/null"],
                              capture_output=True, text=True, timeout=60, user=65534)
        check(done.returncode == 3 and "no permission to capture" in done.stderr, done.stderr)


def other_interfaces(program, fleet, folder):
    """All interfaces at once (any, without Ethernet headers), loopback, and one without link
    headers at all: the same sessions."""
    wire = stage.Wire()
    capture = make_traffic(fleet, folder, 10, 1)
    stage.run("ip", "link", "set", "dev", "lo", "up")
    for interface, workers in (("any", 1), ("any", 2), ("lo", 1), ("lo", 2)):
        work = folder / f"{interface}-{workers}"
        work.mkdir()
        live = stage.Live(program, interface, work, ["--workers", workers])
        if interface == "lo":
            wire.near = "lo"
        recorder = stage.Recorder(wire.far if interface == "any" else "lo", work / "recorded.pcap")
        wire.replay(capture, 0)
        time.sleep(SETTLE_S)
        check(live.end() in (0, 1), live.told())
        recorder.end()
        count = live.query("SELECT count(*) AS count FROM flow")[0]["count"]
        wanted = sessions_of(program, recorder.path, work)
        check(count == wanted > 0, interface, workers, "workers:", count, "sessions, not", wanted)


def main():
    program, fleet, case = sys.argv[1:]
    stage.enter()
    with stage.Folder() as folder:
        try:
            globals()[case](program, fleet, folder)
        except (Failure, RuntimeError) as failure:
            print(f"{case}: {failure}")
            sys.exit(1)
        finally:
            subprocess.run(["umount", folder / "small"], capture_output=True)


main()
