#!/usr/bin/env python3
"""How many can log in a second, and whether those who chat meanwhile feel it: p99 of chats with logins, beside p99 without.

The server keeps its accounts on disk and tries passwords at the default cost. Chats are answered by the plugin that says what it
was told, over connections that stay open, at a steady pace. Rounds alternate between chats alone and chats beside logins, so
that a noisy neighbour harms both; the median of the rounds counts.

Usage: logins.py BINARY [--rounds N] [--seconds N] [--chats N] [--logins N] [--pace MS] [--most RATIO]
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CONFIG = """server:
  port: %(port)d
  rate_limit: {enabled: false}
  auth: {registration: open, attempts_per_account: 1000000/1m, attempts_per_address: 1000000/1m}
providers: {echo: {}}
store: {engine: redb, path: %(home)s/data}
logging: {level: warn, file: false}
"""
PEOPLE = 8


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Caller:
    """Asks over a connection that stays open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def chats(port, ends, pace, times):
    caller = Caller(port)
    body = {"model": "echo", "messages": [{"role": "user", "content": "one two three four five six seven eight"}]}
    due = time.perf_counter()
    while due < ends:
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        status, answer = caller.post("/v1/chat/completions", body)
        if status != 200:
            raise SystemExit(f"logins: a chat was answered with {status}: {answer!r}")
        times.append(time.perf_counter() - began)
        due = max(due + pace, time.perf_counter())


def logins(port, ends, number, done):
    caller = Caller(port)
    body = {"email": f"u{number % PEOPLE}@example.com", "password": "secret123"}
    while time.perf_counter() < ends:
        status, answer = caller.post("/api/v1/auth/login", body)
        if status == 200:
            done.append(1)
        elif status != 503:
            raise SystemExit(f"logins: a login was answered with {status}: {answer!r}")


def round_of(port, options, with_logins):
    times, done = [], []
    ends = time.perf_counter() + options.seconds
    threads = [threading.Thread(target=chats, args=(port, ends, options.pace / 1000, times)) for _ in range(options.chats)]
    if with_logins:
        threads += [threading.Thread(target=logins, args=(port, ends, n, done)) for n in range(options.logins)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    return {"p50": at(0.5), "p99": at(0.99), "chats": len(times) / options.seconds, "logins": len(done) / options.seconds}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--chats", type=int, default=4, help="callers who chat")
    parser.add_argument("--logins", type=int, default=8, help="callers who log in, one after another")
    parser.add_argument("--pace", type=float, default=10, help="milliseconds between the chats of a caller")
    parser.add_argument("--most", type=float, help="fail if the p99 beside logins is more than so many times the one without")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        config = os.path.join(home, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % {"port": port, "home": home})
        process = subprocess.Popen([options.binary, "--config", config, "serve"], env={"HOME": home},
                                   stdout=subprocess.DEVNULL)
        try:
            caller = None
            for _ in range(600):
                try:
                    caller = Caller(port)
                    caller.connection.connect()
                    break
                except OSError:
                    time.sleep(0.1)
            for number in range(PEOPLE):
                status, answer = caller.post("/api/v1/auth/register", {
                    "email": f"u{number}@example.com", "username": f"u{number}", "password": "secret123"})
                if status != 201:
                    sys.exit(f"logins: no account could be made: {status} {answer!r}")
            round_of(port, options, False)
            alone, beside = [], []
            for _ in range(options.rounds):
                alone.append(round_of(port, options, False))
                beside.append(round_of(port, options, True))
        finally:
            process.terminate()
            process.wait()
    median = lambda rounds, name: statistics.median(one[name] for one in rounds)
    for name, rounds in (("chats alone", alone), ("beside logins", beside)):
        print(f"{name:14} p50 {median(rounds, 'p50'):6.2f} ms   p99 {median(rounds, 'p99'):6.2f} ms   "
              f"{median(rounds, 'chats'):6.1f} chats/s   {median(rounds, 'logins'):5.1f} logins/s")
    ratio = median(beside, "p99") / median(alone, "p99")
    print(f"p99 beside logins / alone: {ratio:.2f}")
    if options.most and ratio > options.most:
        sys.exit(f"logins: more than {options.most}")


if __name__ == "__main__":
    main()
