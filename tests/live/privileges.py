#!/usr/bin/env python3
"""What a live run may still do: privileges.py [--sanitized] APNSCOPE CAPTURE

Looks at the running process from outside: started with CAP_NET_RAW only, started as root, and as a
service that says that it is alive.
"""
import ctypes
import os
import pathlib
import pwd
import signal
import socket
import sys
import time

import stage
from stage import check, failures

APNSCOPE, CAPTURE = sys.argv[-2:]
SANITIZED = "--sanitized" in sys.argv  # whose runtime starts a process of its own at the end
NOBODY = pwd.getpwnam("nobody")
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
SO_DETACH_FILTER, SO_LOCK_FILTER = 27, 44


def status_of(task):
    lines = (task / "status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def is_confined(process, uid, who):
    tasks = list(pathlib.Path(f"/proc/{process}/task").iterdir())
    check(len(tasks) >= 3, f"{who}: only {len(tasks)} threads: not all have been started")
    for task in tasks:
        status = {name: value.split() for name, value in status_of(task).items()}
        check(status["Uid"] == [str(uid)] * 4, f"{who}: a thread of user {status['Uid']}")
        check(not status["Groups"], f"{who}: groups {status['Groups']}")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            check(int(status[kind][0], 16) == 0, f"{who}: {kind} is {status[kind]}")
        check(status["NoNewPrivs"] == ["1"], f"{who}: new privileges could be had")
        check(status["Seccomp"] == ["2"], f"{who}: no seccomp filter")
    limits = pathlib.Path(f"/proc/{process}/limits").read_text()
    for name in ("Max core file size", "Max processes")[:1 if SANITIZED else 2]:
        line = next(line for line in limits.splitlines() if line.startswith(name))
        check(line[len(name):].split()[:2] == ["0", "0"], f"{who}: {line}")


def filter_is_locked(process):
    """Takes a copy of the packet socket, as somebody inside would have it, and tries."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(SYS_PIDFD_OPEN, process, 0)
    found = 0
    for entry in pathlib.Path(f"/proc/{process}/fd").iterdir():
        if not os.readlink(entry).startswith("socket:"):
            continue
        copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(entry.name), 0)
        if copy < 0:
            print(f"note: pidfd_getfd: {os.strerror(ctypes.get_errno())}")
            return
        with socket.socket(fileno=copy) as theirs:
            if theirs.family != socket.AF_PACKET:
                continue
            found += 1
            check(theirs.getsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER) == 1, "a filter is not locked")
            try:
                theirs.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
                check(False, "the filter could be taken off")
            except PermissionError:
                pass
    check(found == 1, f"{found} packet sockets")


# What systemd gives the service, and not more.
ONLY_NET_RAW = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
                "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw",
                "--bounding-set=-all,+net_raw"]


def belongs_to_nobody(folder):
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)


def captures(live, wire, who):
    wire.send(0, CAPTURE)
    for _ in range(100):
        if live.query("SELECT count(*) AS n FROM flow")[0]["n"]:
            break
        time.sleep(0.1)
    else:
        check(False, f"{who}: no sessions: {live.told()}")
    ended = live.end()
    check(ended in (0, 1), f"{who}: exit status {ended}: {live.told()}")
    check(live.database.stat().st_mode & 0o777 == 0o600, f"{who}: others may read the database")


def needs_only_net_raw(wire, folder):
    belongs_to_nobody(folder)
    live = stage.Live(APNSCOPE, wire.far, folder, prefix=ONLY_NET_RAW)
    is_confined(live.process.pid, NOBODY.pw_uid, "with CAP_NET_RAW only")
    captures(live, wire, "with CAP_NET_RAW only")


def root_becomes_somebody_else(wire, folder):
    belongs_to_nobody(folder)
    live = stage.Live(APNSCOPE, wire.far, folder, ["--user", "nobody"])
    is_confined(live.process.pid, NOBODY.pw_uid, "as root")
    filter_is_locked(live.process.pid)
    captures(live, wire, "as root")


def an_interface_may_go_down(wire, folder):
    """libpcap then asks questions that it does not ask otherwise."""
    belongs_to_nobody(folder)
    live = stage.Live(APNSCOPE, wire.far, folder, ["--user", "nobody"])
    stage.run("ip", "link", "set", "dev", wire.far, "down")
    time.sleep(0.5)
    check(live.process.poll() is None, f"ended when the interface went down: {live.told()}")
    stage.run("ip", "link", "set", "dev", wire.far, "up")
    captures(live, wire, "after the interface came back")


def outputs_come_and_go_inside(wire, folder):
    """What belongs to root at the start could not be opened again by the user."""
    belongs_to_nobody(folder)
    lines, metrics = folder / "lines.json", folder / "metrics"
    live = stage.Live(APNSCOPE, wire.far, folder,
                      ["--user", "nobody", "--json-lines", lines, "--metrics", f"unix:{metrics}",
                       "--evidence", folder / "evidence"])
    is_confined(live.process.pid, NOBODY.pw_uid, "with outputs")
    check(metrics.is_socket() and metrics.stat().st_uid == NOBODY.pw_uid, "no socket for metrics")
    lines.rename(folder / "lines.old")
    live.process.send_signal(signal.SIGHUP)
    captures(live, wire, "with outputs")
    check(lines.exists() and lines.read_text(), "the lines' file was not opened again")
    check(not metrics.exists(), "the socket of the metrics was left behind")


def root_may_stay_root(wire, folder):
    live = stage.Live(APNSCOPE, wire.far, folder, ["--user", "root"])
    is_confined(live.process.pid, 0, "as root that stays")
    captures(live, wire, "as root that stays")


def without_any_it_says_so(wire, folder):
    belongs_to_nobody(folder)
    nothing = [word.replace(",+net_raw", "") for word in ONLY_NET_RAW]
    try:
        stage.Live(APNSCOPE, wire.far, folder, prefix=nothing)
        check(False, "captures without CAP_NET_RAW: nothing is proved")
    except RuntimeError as told:
        check("CAP_NET_RAW" in str(told) or "permi" in str(told), f"without privileges: {told}")


def a_folder_of_roots_is_told(wire, folder):
    os.chmod(folder, 0o755)
    try:
        stage.Live(APNSCOPE, wire.far, folder, ["--user", "nobody"])
        check(False, "nobody wrote in a folder of root's")
    except RuntimeError as told:
        check("goes on as user nobody" in str(told), f"a folder of root's: {told}")


def service_manager_hears_it(wire, folder):
    belongs_to_nobody(folder)
    for name in (str(folder / "notify"), "\0apnscope-stage"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name)
            manager.settimeout(10)
            if name[0] == "/":
                os.chmod(name, 0o777)
            live = stage.Live(APNSCOPE, wire.far, folder, prefix=ONLY_NET_RAW,
                              environment={"NOTIFY_SOCKET": name.replace("\0", "@")})
            words = [manager.recv(200).decode() for _ in range(3)]
            check(words[0] == "READY=1" and "WATCHDOG=1" in words[1:], f"said {words}")
            check(any(word.startswith("STATUS=0 faults, 0 warnings, ") for word in words),
                  f"said {words}")
            live.process.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in words and len(words) < 100:
                words.append(manager.recv(200).decode())
            check("STOPPING=1" in words, f"said {words}")
            live.process.wait(stage.END_S)


def main():
    stage.enter()
    if os.geteuid() != 0:
        stage.skip("changing the user takes root")
    wire = stage.Wire()
    for test in (needs_only_net_raw, root_becomes_somebody_else,
                 an_interface_may_go_down, outputs_come_and_go_inside, root_may_stay_root,
                 without_any_it_says_so, a_folder_of_roots_is_told, service_manager_hears_it):
        with stage.Folder() as folder:
            test(wire, folder)
    print(f"{len(failures)} failures" if failures else "held")
    return 1 if failures else 0


sys.exit(main())
