#!/usr/bin/env python3
"""How long the server takes from its start to its first answer, and what it holds when it is idle.

The first start finds no compiled plugins and compiles them; the others find them. A start is over with the first byte of the
answer to GET /health, which is asked for as soon as somebody listens. Memory is read after one chat, at once and when the server has
come to rest (it looks every half a minute): all resident pages (what counts here), those of them that nobody could share or
load again (anonymous).

Usage: start.py BINARY [--rounds N] [--idle SECONDS] [--most-ms MS] [--most-mb MB]
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ASK = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
BODY = json.dumps({"message": "hello", "provider": "echo"}).encode()
CHAT = (b"POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(BODY)) + BODY
# Between two attempts to connect.
PAUSE = 0.0002
LONGEST = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def connect(process, port):
    began = time.perf_counter()
    while process.poll() is None and time.perf_counter() - began < LONGEST:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(PAUSE)
    process.kill()
    sys.exit("start: the server does not start")


def ask(process, port, request):
    with connect(process, port) as stream:
        stream.sendall(request)
        start = stream.recv(12)
        if start != b"HTTP/1.1 200":
            process.kill()
            sys.exit(f"start: the server answers {start!r}")
        while stream.recv(65536):
            pass


def start(binary, home):
    """The running server, its port, and how many milliseconds it took to answer."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen([binary, "serve", "--port", str(port)], env={"HOME": home},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with connect(process, port) as stream:
        stream.sendall(ASK)
        answered = stream.recv(12)
        took = (time.perf_counter() - began) * 1000
    if answered != b"HTTP/1.1 200":
        process.kill()
        sys.exit(f"start: the server answers {answered!r}")
    return process, port, took


def stop(process):
    process.terminate()
    process.wait(10)


def memory(pid):
    """Megabytes by what they are."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        found = dict(re.findall(r"^(\w+): +(\d+) kB", file.read(), re.MULTILINE))
    return {name: int(found[name]) * 1024 / 1e6 for name in ("Rss", "Pss", "Anonymous")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--idle", type=float, default=65)
    parser.add_argument("--most-ms", type=float, default=100)
    parser.add_argument("--most-mb", type=float, default=40)
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    home = tempfile.mkdtemp(prefix="mortise-start-")
    try:
        process, _, first = start(binary, home)
        stop(process)
        took = []
        for _ in range(options.rounds):
            process, port, milliseconds = start(binary, home)
            took.append(milliseconds)
            if len(took) < options.rounds:
                stop(process)
        ask(process, port, CHAT)
        time.sleep(1)
        busy = memory(process.pid)
        time.sleep(options.idle)
        held = memory(process.pid)
        stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    median = statistics.median(took)
    print(f"first start, which compiles the plugins: {first:.0f} ms")
    print(f"start with compiled plugins to the first answer: median {median:.1f} ms of {len(took)}, "
          f"{min(took):.1f} to {max(took):.1f} (at most {options.most_ms:.0f})")
    print(f"idle: {held['Rss']:.1f} MB resident (at most {options.most_mb:.0f}), of them {held['Anonymous']:.1f} anonymous; "
          f"proportional {held['Pss']:.1f}; {busy['Rss']:.1f} right after a chat")
    if median > options.most_ms or held["Rss"] > options.most_mb:
        sys.exit("start: over the limit")


if __name__ == "__main__":
    main()
