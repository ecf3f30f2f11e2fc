#!/usr/bin/env python3
"""Attacks a server on loopback, bounded, while an innocent caller asks on: does it notice, and does memory come back?

    python3 tests/attacks/attacks.py target/release/mortise [--short] [--only WORD] [--cache DIR] [--cert FILE --key FILE]

Starts the binary on a free port with a configuration of its own and ends only that process. Python's standard library
suffices; where Debian's `slowhttptest` is installed, it has its say too. Exit status 1 if an attack was felt.

Felt is an attack under which the innocent caller's p99 is more than twice that of peace, a request of its fails, or memory doesn't
come back. Peace is the median of several windows, each as long as an attack. What else the machine does can be felt too: an
attack that seems to be felt is done twice more, each time beside a window of peace of its own, and the median of the three counts.

Attacker, server and innocent caller share this machine's processors, as they never would on a network. So the attacker gets
what the others leave (SCHED_IDLE); and where it may be asked for (root), the others don't wait for what else runs here (SCHED_RR),
in peace or under attack. What the server does for the attacker it does with the threads that serve the innocent caller. In the
long form no processor ever sleeps, in peace or under attack: on a virtual machine one is woken when the host pleases, which takes
longer than all that is measured.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import http2  # noqa: E402

KEY = "innocent-0123456789abcdef0123456789abcdef"
INNOCENT, ATTACKER, PROXY = "127.0.0.9", "127.0.0.5", "127.0.0.2"
# The short form runs beside other tests, on binaries that nobody has optimised: it looks for callers who are stalled for this many
# milliseconds, not for slow ones.
FLOOR = 250.0 if "--short" in sys.argv else 0.0
# Windows of peace: how many, and seconds of each.
PEACE = (2, 0.75) if "--short" in sys.argv else (5, 3)
# What the allocator and warm guests may keep, in megabytes; a short run is over before much is given back.
KEPT = 64 if "--short" in sys.argv else 12
TIMEOUT = 1 if "--short" in sys.argv else 3
CONFIG = """
providers: {echo: {}}
default_provider: echo
plugins: {cache: CACHE}
logging: {level: warn, file: false}
server:
  host: 127.0.0.1
  port: PORT
  auth: {api_key_env: ATTACKED_KEY}
  trusted_proxies: [127.0.0.2/32]
  max_connections: 20000
  max_connections_per_address: 2000
  handshake_timeout_secs: SECS
  read_timeout_secs: SECS
  write_timeout_secs: SECS
  idle_timeout_secs: 60
  max_request_body_bytes: 1048576
  max_body_memory: 64MiB
  rate_limit: {callers: 10000, surfaces: {chat: {requests: []}, openai: {per: caller, requests: [100000000/1d], anonymous: [1000000/1d]}}}
"""


class Server:
    """The process under attack."""

    def __init__(self, options):
        self.home = tempfile.mkdtemp(prefix="attacked-")
        self.port, self.tls = free_port(), None
        text = CONFIG.replace("PORT", str(self.port)).replace("SECS", str(TIMEOUT)).replace("CACHE", options.cache or self.home + "/cache")
        if options.cert:
            self.tls = free_port()
            text += f"  ssl: {{cert: '{os.path.abspath(options.cert)}', key: '{os.path.abspath(options.key)}'}}\n"
            text += f"  listen: [{{address: '127.0.0.1:{self.port}', ssl: false}}, {{address: '127.0.0.1:{self.tls}', ssl: true}}]\n"
        path = os.path.join(self.home, "config.yaml")
        with open(path, "w") as file:
            file.write(text)
        environment = {"HOME": self.home, "ATTACKED_KEY": KEY, "PATH": os.environ.get("PATH", "")}
        self.log = open(os.path.join(self.home, "log"), "wb")
        self.process = subprocess.Popen(
            [options.binary, "--config", path], env=environment, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.end()
                    raise SystemExit("the server does not start:\n" + self.said())
                time.sleep(0.05)

    def said(self):
        with open(self.log.name, errors="replace") as file:
            return file.read()[-2000:]

    def megabytes(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# === the innocent caller: a process of its own, so that it doesn't wait for the attacker ===


def innocent(port):
    """Asks every few milliseconds on one connection; prints when, and how long it took; a negative time is a failure."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "are you there"}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    # Callers have machines of their own: this one doesn't wait for a processor that the server keeps busy.
    prefer(2)
    stream = None
    while True:
        began = time.monotonic()
        try:
            if stream is None:
                stream = socket.create_connection(("127.0.0.1", port), 10, source_address=(INNOCENT, 0))
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream.sendall(request)
            reply = b""
            while b"\r\n\r\n" not in reply or len(reply) < end_of(reply):
                piece = stream.recv(65536)
                if not piece:
                    raise OSError("hung up")
                reply += piece
            good = reply.startswith(b"HTTP/1.1 200 ") and b"are you there" in reply
        except OSError:
            good, stream = False, None
        took = (time.monotonic() - began) * 1000
        print(f"{began:.6f} {took if good else -1:.3f}", flush=True)
        time.sleep(0.004)


def prefer(priority):
    """Runs this process, and what it starts, before all that has no such priority, if that is allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
    except PermissionError:
        pass


SPIN = """
import os, sys
os.sched_setaffinity(0, [int(sys.argv[1])])
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[2]):
    pass
"""


def keep_awake():
    """Processes that run on each processor whenever nobody else does, and never longer than this one."""
    mine = str(os.getpid())
    return [subprocess.Popen([sys.executable, "-c", SPIN, str(one), mine]) for one in os.sched_getaffinity(0)]


def end_of(reply):
    head, _, _ = reply.partition(b"\r\n\r\n")
    return len(head) + 4 + int(re.search(rb"content-length: (\d+)", head.lower())[1])


class Watch:
    """Reads what the innocent caller prints."""

    def __init__(self, port):
        command = [sys.executable, os.path.abspath(__file__), "--innocent", str(port), "-"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.times = []
        # Always read, or the caller would wait for a full pipe and not for the server.
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.times.append(tuple(map(float, line.split())))

    def between(self, begin, end):
        """How many failed, how many didn't, and what most of these took at most."""
        times = sorted(took for began, took in list(self.times) if begin <= began < end)
        failed = sum(took < 0 for took in times)
        good = times[failed:]
        return failed, len(good), good[int(len(good) * 0.99)] if good else float("inf")

    def end(self):
        self.process.kill()
        self.process.wait()


# === what an attack is made of ===


class Target:
    def __init__(self, server, short):
        self.port, self.tls, self.short = server.port, server.tls, short

    def some(self, few, many):
        return few if self.short else many

    async def open(self, source=ATTACKER, port=None, receive=None):
        plain = socket.socket()
        plain.setblocking(False)
        if receive:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        plain.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port or self.port))
        return await asyncio.open_connection(sock=plain, limit=1 << 20)


def close(*writers):
    for writer in writers:
        writer.transport.abort()


async def gone(reader, seconds):
    """Whether the server ends the connection in time; what it says before that is thrown away."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(65536):
                pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


async def drip(target, opening, drop, count):
    """Holds connections open with a few bytes now and then; each has to be ended by the server."""
    async def one():
        reader, writer = await target.open()
        try:
            writer.write(opening)
            ended = asyncio.ensure_future(gone(reader, TIMEOUT + 6))
            while not ended.done():
                writer.write(drop)
                await asyncio.wait([ended], timeout=0.5)
            return await ended
        finally:
            close(writer)
    outcomes = await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)
    ended = sum(outcome is True or isinstance(outcome, OSError) for outcome in outcomes)
    return ended == count, f"{ended} of {count} ended by the server"


def head(path="/v1/chat/completions", *lines):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines]).encode() + b"\r\n"


GOOD = f"Authorization: Bearer {KEY}"


async def slow_heads(target):
    return await drip(target, head(), b"X-A: b\r\n", target.some(100, 1000))


async def slow_bodies(target):
    return await drip(target, head("/v1/chat/completions", GOOD, "Content-Length: 100000") + b"\r\n{", b" ",
                      target.some(100, 1000))


async def slow_reads(target):
    text = "word " * 4000
    body = json.dumps({"model": "echo", "stream": True, "messages": [{"role": "user", "content": text}]}).encode()
    request = head("/v1/chat/completions", GOOD, f"Content-Length: {len(body)}") + b"\r\n" + body
    held = []
    for _ in range(target.some(10, 100)):
        reader, writer = await target.open(receive=1024)
        reader._transport.pause_reading()
        writer.write(request)
        held.append(writer)
    # Nobody takes anything, and after a while nobody works for them any more.
    active, until = len(held), time.monotonic() + TIMEOUT + 20
    await asyncio.sleep(TIMEOUT)
    while active > 3 and time.monotonic() < until:
        await asyncio.sleep(0.3)
        active = await requests_active(target)
    close(*held)
    return active <= 3, f"{active} of {len(held)} still at work"


async def requests_active(target):
    reader, writer = await target.open()
    writer.write(f"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n{GOOD}\r\nConnection: close\r\n\r\n".encode())
    said = await asyncio.wait_for(reader.read(), 30)
    close(writer)
    return json.loads(said.partition(b"\r\n\r\n")[2])["requests_active"]


async def all_slow(target):
    outcomes = await asyncio.gather(slow_heads(target), slow_bodies(target), slow_reads(target))
    return all(good for good, _ in outcomes), "; ".join(note for _, note in outcomes)


async def slowhttptest(target):
    program = shutil.which("slowhttptest")
    if not program:
        return True, "not installed"
    for mode in (["-H"], ["-B", "-s", "100000"], ["-X", "-w", "10", "-y", "20", "-z", "10"]):
        command = [program, *mode, "-c", "500", "-r", "250", "-i", "1", "-l", "6", "-x", "10", "-p", "3",
                   "-u", f"http://127.0.0.1:{target.port}/v1/models"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        await process.wait()
    return True, "headers, body, read"


async def idle_connections(target):
    count = target.some(1000, 10_000)
    held, refused = [], 0
    for number in range(count):
        try:
            held.append(await target.open(f"127.0.1.{1 + number % 20}"))
        except OSError:
            refused += 1
    await asyncio.sleep(1)
    _, writer = extra = await target.open("127.0.2.1")
    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    reply = await asyncio.wait_for(extra[0].readline(), 10)
    close(writer, *(writer for _, writer in held))
    return b"200" in reply and refused == 0, f"{len(held)} held, a new caller got {reply.split()[1].decode()}"


async def floods(target, count, request, statuses, source=ATTACKER, limit=10):
    """Sends one long request again and again until it is refused; each must be, with one of these statuses or the end."""
    async def one():
        seen = []
        for _ in range(count // 20):
            reader, writer = await target.open(source)
            try:
                for piece in request:
                    writer.write(piece)
                    await asyncio.wait_for(writer.drain(), limit)
                seen.append((await asyncio.wait_for(reader.readline(), limit)).split()[1:2])
            except OSError:
                seen.append([])
            finally:
                close(writer)
        return seen
    seen = [status for some in await asyncio.gather(*(one() for _ in range(20))) for status in some]
    good = sum(not status or status[0] in statuses for status in seen)
    return good == len(seen), f"{good} of {len(seen)} refused"


async def header_bombs(target):
    many = head("/v1/models", *(f"X-{number}: {'y' * 50}" for number in range(20_000)), "", "")
    long = head("/v1/models", "X-Long: " + "y" * 2_000_000, "", "")
    first = await floods(target, target.some(40, 400), [many], [b"431", b"400"])
    second = await floods(target, target.some(40, 400), [long], [b"431", b"400"])
    return first[0] and second[0], f"{first[1]}, {second[1]}"


async def oversized_bodies(target):
    piece = b"y" * 65536
    announced = [head("/v1/chat/completions", GOOD, "Content-Length: 2000000000") + b"\r\n"] + [piece] * 100
    chunked = [head("/v1/chat/completions", GOOD, "Transfer-Encoding: chunked") + b"\r\n"]
    chunked += [b"10000\r\n" + piece + b"\r\n"] * 100
    first = await floods(target, target.some(40, 400), announced, [b"413"])
    second = await floods(target, target.some(40, 200), chunked, [b"413", b"503"])
    return first[0] and second[0], f"announced {first[1]}, chunked {second[1]}"


async def tiny_chunks(target):
    tiny = [head("/v1/chat/completions", GOOD, "Transfer-Encoding: chunked") + b"\r\n"]
    tiny += [b"1;" + b"e" * 200 + b"\r\ny\r\n"] * 2000
    return await floods(target, target.some(40, 200), tiny, [b"400"])


async def two(target, frames, count=4):
    """Sends frames of HTTP/2 for as long as the server takes them, and says how many connections it ended."""
    async def one():
        reader, writer = await target.open()
        reading = asyncio.ensure_future(gone(reader, 60))
        try:
            writer.write(http2.PREFACE)
            sent = 0
            for piece in frames():
                if reading.done() or writer.transport.is_closing():
                    break
                writer.write(piece)
                sent += len(piece)
                await asyncio.wait_for(writer.drain(), 10)
                await asyncio.sleep(0)
            await asyncio.wait([reading], timeout=target.some(0.3, 2))
            return sent, reading.done()
        except (OSError, TimeoutError):
            return sent, True
        finally:
            reading.cancel()
            close(writer)
    outcomes = await asyncio.gather(*(one() for _ in range(count)))
    ended = sum(ended for _, ended in outcomes)
    return True, f"{sum(sent for sent, _ in outcomes) // 1024} KiB sent, {ended} of {count} connections ended"


async def rapid_reset(target):
    return await two(target, lambda: http2.resets(target.some(2000, 20_000), KEY))


async def stream_flood(target):
    return await two(target, lambda: http2.streams(target.some(2000, 20_000), KEY))


async def continuation_flood(target):
    outcome = await two(target, lambda: http2.continuations(target.some(500, 4000)))
    return outcome[1].endswith("4 of 4 connections ended"), outcome[1]


async def settings_flood(target):
    return await two(target, lambda: http2.settings(target.some(5000, 50_000)))


async def ping_flood(target):
    return await two(target, lambda: http2.pings(target.some(5000, 50_000)))


async def no_handshake(target):
    if not target.tls:
        return True, "no certificate was given"

    async def one(opening):
        reader, writer = await target.open(port=target.tls)
        writer.write(opening)
        try:
            return await gone(reader, TIMEOUT + 6)
        finally:
            close(writer)
    count = target.some(50, 500)
    # Silence, and the beginning of a greeting.
    openings = [b"", b"\x16\x03\x01\x02\x00\x01\x00"] * (count // 2)
    ended = sum(await asyncio.gather(*map(one, openings)))
    return ended == count, f"{ended} of {count} ended by the server"


async def smuggling(target):
    hidden = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    both = b"0\r\n\r\n" + hidden
    heads = [
        (head("/v1/chat/completions", GOOD, f"Content-Length: {len(both)}", "Transfer-Encoding: chunked"), both),
        (head("/v1/chat/completions", GOOD, "Transfer-Encoding: chunked", f"Content-Length: {len(both)}"), both),
        (head("/v1/chat/completions", GOOD, "Content-Length: 2", f"Content-Length: {len(hidden) + 2}"), b"{}" + hidden),
        (head("/v1/chat/completions", GOOD, "Transfer-Encoding: xchunked", "Content-Length: 2"), b"{}" + hidden),
        (head("/v1/chat/completions", GOOD, "Transfer-Encoding : chunked", "Content-Length: 2"), b"{}" + hidden),
        (head("/v1/chat/completions", GOOD, "X: y\r\n Content-Length: 2"), b"{}" + hidden),
        (head("/v1/nothing", f"Content-Length: {len(hidden)}"), hidden),
    ]

    async def one(request):
        reader, writer = await target.open()
        writer.write(request)
        said = b""
        try:
            async with asyncio.timeout(TIMEOUT + 6):
                while piece := await reader.read(65536):
                    said += piece
        except (OSError, TimeoutError):
            pass
        close(writer)
        return said.count(b"HTTP/1.1 ") <= 1 and b"smuggled" not in said
    requests = [first + b"\r\n" + body for first, body in heads] * target.some(3, 30)
    good = sum(await asyncio.gather(*map(one, requests)))
    return good == len(requests), f"{good} of {len(requests)} have one answer at most"


async def spoof(target, count, source, line, statuses):
    """Many requests, each with a line of its own, a hundred at a time on each of a few connections."""
    seen = {}

    async def one(worker, number):
        reader, writer = await target.open(source)
        for first in range(0, number, 100):
            lines = (line(worker * number + first + one) for one in range(100))
            writer.write(b"".join(f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n{text}\r\n\r\n".encode() for text in lines))
            await writer.drain()
            for _ in range(100):
                reply = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                length = re.search(rb"content-length: (\d+)", reply.lower())
                await reader.readexactly(int(length[1]))
                status = reply.split()[1]
                seen[status] = seen.get(status, 0) + 1
            await asyncio.sleep(0.01)
        close(writer)
    await asyncio.gather(*(one(worker, count // 4) for worker in range(4)))
    note = ", ".join(f"{number} × {status.decode()}" for status, number in sorted(seen.items()))
    return set(seen) <= set(statuses) and sum(seen.values()) == count, note


async def spoofed_keys(target):
    return await spoof(target, target.some(2000, 100_000), ATTACKER, lambda n: f"X-API-Key: guess-{n:032x}", [b"401", b"429"])


async def spoofed_addresses(target):
    def line(number):
        return f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return await spoof(target, target.some(2000, 100_000), PROXY, line, [b"401", b"429"])


SLOW = [slow_heads, slow_bodies, slow_reads, slowhttptest]
ATTACKS = [idle_connections, header_bombs, oversized_bodies, tiny_chunks, rapid_reset, stream_flood, continuation_flood, settings_flood, ping_flood, no_handshake, smuggling, spoofed_keys,
           spoofed_addresses]


# === the run ===


def settle(server, before, seconds):
    """What the server still holds beyond what it held before, after a while."""
    until = time.monotonic() + seconds
    while server.megabytes() > before + KEPT and time.monotonic() < until:
        time.sleep(0.2)
    return server.megabytes() - before


def peace(server, watch, windows=PEACE[0]):
    """The p99 of windows in which nothing happens: the median, and the worst."""
    _, seconds = PEACE
    found = []
    for _ in range(windows):
        begin = time.monotonic()
        time.sleep(seconds)
        failed, count, p99 = watch.between(begin, time.monotonic())
        if failed or not count:
            raise SystemExit(f"the innocent caller isn't served in peace: {failed} of {count} failed\n{server.said()}")
        found.append(p99)
    return statistics.median(found), max(found)


def strike(one, target, watch):
    """Attacks, and says whether the server did what it should, what came of it, and how the innocent caller fared."""
    begin = time.monotonic()
    try:
        fended, note = asyncio.run(one(target))
        # Enough requests for a p99 that isn't just the slowest.
        while fended and not target.short and one in ATTACKS and time.monotonic() < begin + 3:
            fended, note = asyncio.run(one(target))
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        fended, note = False, f"the attack failed: {error!r}"
    time.sleep(max(0, begin + 0.3 - time.monotonic()))
    return fended, note, *watch.between(begin, time.monotonic())


def attack(server, watch, attacks, short):
    target, well = Target(server, short), True
    # Memory that a server takes once and for all isn't the attacker's doing.
    asyncio.run(spoofed_addresses(Target(server, True)))
    if not short:
        asyncio.run(slow_reads(target))
    quiet, worst = peace(server, watch)
    allowed = max(2 * quiet, FLOOR)
    print(f"in peace: p99 {quiet:.2f} ms, {worst:.2f} ms in the worst window, {server.megabytes():.0f} MB; allowed are {allowed:.2f} ms\n")
    print(f"{'attack':<20} {'':<4} {'p99 ms':>7} {'ratio':>6} {'asked':>6} {'failed':>6} {'kept MB':>8}  what came of it", flush=True)
    for one in attacks:
        before, strikes, calm = server.megabytes(), [strike(one, target, watch)], [quiet]
        while strikes[0][-1] > allowed and len(strikes) < (1 if short else 3):
            calm.append(peace(server, watch, 1)[0])
            strikes.append(strike(one, target, watch))
        p99s = [strike[-1] for strike in strikes]
        # Of three, the one in the middle: how long, and how much longer than in its peace.
        ratio, p99 = sorted((p99 / calm, p99) for p99, calm in zip(p99s, calm))[len(strikes) // 2]
        failed, count = (sum(strike[at] for strike in strikes) for at in (2, 3))
        each = ", ".join(f"{p99:.2f} for {calm:.2f}" for p99, calm in zip(p99s, calm))
        note = strikes[-1][1] + (f" (p99 of three: {each})" if len(strikes) > 1 else "")
        kept = settle(server, before, 5 if short else 30)
        unfelt = ratio <= 2 or p99 <= FLOOR
        good = all(strike[0] for strike in strikes) and failed == 0 and count > 0 and unfelt and kept <= KEPT
        alive = server.process.poll() is None
        well = well and good and alive
        print(f"{one.__name__:<20} {'ok' if good else 'BAD':<4} {p99:>7.2f} {ratio:>6.2f} {count:>6} {failed:>6} "
              f"{kept:>8.1f}  {note}", flush=True)
        if not alive:
            raise SystemExit("the server has ended:\n" + server.said())
    return well


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--short", action="store_true", help="some seconds in all")
    parser.add_argument("--only", default="", help="attacks whose name holds this word")
    parser.add_argument("--cache", help="a directory for compiled plugins that is kept, for a faster start")
    parser.add_argument("--cert", help="a PEM file, for attacks on TLS")
    parser.add_argument("--key", help="the certificate's key")
    parser.add_argument("--innocent", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.innocent:
        return innocent(options.innocent)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 30_000) if hard > 0 else 30_000, hard))
    attacks = ([all_slow] if options.short else SLOW) + ATTACKS
    attacks = [one for one in attacks if options.only in one.__name__]
    if not options.short:
        prefer(1)
    server = Server(options)
    watch, awake = Watch(server.port), [] if options.short else keep_awake()
    # This thread, and whatever it starts, is the attacker from here on. The short form must get on beside other tests.
    if options.short:
        os.nice(10)
    else:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        well = attack(server, watch, attacks, options.short)
    finally:
        for process in awake:
            process.kill()
        watch.end()
        server.end()
        shutil.rmtree(server.home, ignore_errors=True)
    print("\n" + ("nobody noticed" if well else "an attack was felt"))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
