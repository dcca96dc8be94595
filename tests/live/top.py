#!/usr/bin/env python3
"""The screen of a live run, looked at through tmux: views, keys, sizes, colours, its end.

    top.py APNSCOPE CAPTURES

CAPTURES is the lab's folder. Skipped where tmux is not installed.
"""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import time

import stage
from stage import check, failures

PROGRAM, CAPTURES = (pathlib.Path(word) for word in sys.argv[1:3])
SECONDS = 20


class Terminal:
    """A terminal of its own: tmux without anybody's configuration."""

    def __init__(self, folder, command, width=80, height=24, environment=()):
        self.socket = str(folder / "tmux")
        words = ["env", "-u", "NO_COLOR", "LC_ALL=C.UTF-8", *environment, *map(str, command)]
        line = " ".join(f"'{word}'" for word in words)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height,
                  f"{line}; echo \"status=$?\"; exec sleep 600")

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *map(str, words)], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise RuntimeError(f"tmux {words}: {done.stderr}")
        return done.stdout

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", width, "-y", height)

    def wait_for(self, pattern, why):
        """The screen once it has that."""
        end = time.monotonic() + SECONDS
        while not re.search(pattern, screen := self.screen(), re.MULTILINE):
            if time.monotonic() > end:
                check(False, f"{why}: no {pattern!r} in\n{screen}")
                break
            time.sleep(0.1)
        return screen

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


def watch(folder, wire, options=(), **terminal):
    return Terminal(folder, [PROGRAM, "live", "-i", wire.far, "--db", folder / "top.db", "--top",
                             *options], **terminal)


def replay(wire):
    wire.replay(CAPTURES / "refused-at-campus-firewall.pcap")


def views_and_keys(folder, wire):
    terminal = watch(folder, wire)
    try:
        terminal.wait_for("Nothing found so far", "an empty screen")
        replay(wire)
        screen = terminal.wait_for("fail port-refused +10.20.0.11", "findings")
        check(all(len(line) <= 80 for line in screen.splitlines()), "80 columns")
        check(re.search(r"^findings \d+ fail .*devices .*sessions", screen, re.M), "counts")
        check("dropped 0" in screen and "database ok" in screen, "the capture's state")

        terminal.press("2")
        terminal.wait_for(r"^10\.20\.0\.1\d +(works|degraded|broken)", "devices")
        terminal.press("3")
        terminal.wait_for(r"^10\.20\.0\.1\d:\d+ +17\.", "sessions")
        terminal.press("Tab")
        terminal.wait_for("^LAST +SEV", "Tab goes round")

        terminal.press("s")
        terminal.wait_for("sort SEV", "sort")
        terminal.press("r")
        terminal.wait_for("sort SEV reversed", "reverse")

        terminal.press("/", "FALL", "Enter")
        screen = terminal.wait_for('filter "FALL', "filter")
        check("fallback-443" in screen, "what the filter is for")
        check("port-refused" not in screen, "the filter hides the others")
        terminal.press("Escape")
        terminal.wait_for("port-refused", "Escape clears the filter")

        terminal.press("Enter")
        screen = terminal.wait_for("^Wireshark +", "all about a finding")
        check(re.search("^Because +", screen, re.M), "the reason")
        terminal.press("Escape")
        terminal.press("?")
        terminal.wait_for("^Enter +all about", "help")
        terminal.press("Escape")
        terminal.wait_for("^LAST +SEV", "back to the list")

        terminal.press("p")
        before = terminal.wait_for("PAUSED", "pause")
        wire.replay(CAPTURES / "inspected-courier-tls12.pcap", 4)
        time.sleep(3)
        check("tls-intercepted" not in terminal.screen(), "a pause stands still")
        check("tls-intercepted" not in before, "nothing of the future")
        terminal.press("p")
        terminal.wait_for("tls-intercepted", "the run went on behind the pause")
        every_size(terminal)
        terminal.press("q")
        terminal.wait_for("^status=1", "q ends the run with its verdict")
        check("Fault" in terminal.screen("-S", "-200"), "the verdict is printed")
    finally:
        terminal.close()


def every_size(terminal):
    for width, height in ((200, 60), (40, 12), (30, 6), (12, 3), (2, 2), (80, 24)):
        terminal.resize(width, height)
        time.sleep(0.4)
        check(all(len(line) <= width for line in terminal.screen().splitlines()),
              f"{width} columns")
    terminal.wait_for("1 Findings", "the screen is whole again")


def colours(folder, wire, environment, wanted):
    terminal = watch(folder, wire, environment=environment)
    try:
        terminal.wait_for("1 Findings", "a screen")
        replay(wire)
        terminal.wait_for("fail port-refused", "findings")
        has_red = "\x1b[31m" in terminal.screen("-e")
        check(has_red == wanted, f"red is {'' if has_red else 'not '}there with {environment}")
        terminal.press("q")
        terminal.wait_for("^status=1", "the end")
    finally:
        terminal.close()


def a_terminal_that_goes_away(folder, wire):
    terminal = watch(folder, wire)
    terminal.wait_for("1 Findings", "a screen")
    terminal.close()
    end = time.monotonic() + SECONDS
    found = f"live -i {wire.far} "
    while found in subprocess.run(["ps", "axww"], capture_output=True, text=True).stdout:
        if time.monotonic() > end:
            check(False, "the run goes on without its terminal")
            break
        time.sleep(0.2)


def without_a_terminal(folder, wire):
    done = subprocess.run([PROGRAM, "live", "-i", wire.far, "--db", folder / "top.db", "--top"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    check(done.returncode == 3 and "needs a terminal" in done.stderr, done.stderr)


def play(test):
    with stage.Folder() as folder:
        test(folder, stage.Wire())


def main():
    if not shutil.which("tmux"):
        stage.skip("tmux is not installed (tools/install-packages test)")
    stage.enter()
    tests = (views_and_keys,
             lambda folder, wire: colours(folder, wire, ["TERM=xterm-256color"], True),
             lambda folder, wire: colours(folder, wire, ["TERM=xterm-256color", "NO_COLOR=1"], False),
             lambda folder, wire: colours(folder, wire, ["TERM=vt100", "LC_ALL=C"], False),
             a_terminal_that_goes_away, without_a_terminal)
    with concurrent.futures.ThreadPoolExecutor(len(tests)) as pool:
        for done in [pool.submit(play, test) for test in tests]:
            done.result()
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
