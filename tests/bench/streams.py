#!/usr/bin/env python3
"""Many paced streams at once: whether each is whole, how long a frame takes through the server, what an open stream holds.

A vendor of our own (OpenAI's wire format, keep-alive) sends each stream a frame every so often, the streams evenly out of step,
and writes into each frame when it left. All streams are asked for at once, over connections that stay; a round before the counted
ones warms up. What counts as held is anonymous memory: the pages of a guest's image that it only reads are one copy for all,
though the kernel counts them for each. Two figures: in all, over a server that has served a single stream (so it holds both
connections of each stream, and what the allocator doesn't give back); and warm, over the same server at rest after the warm-up.
Fails if a stream isn't whole, if frames are late, or if a stream holds too much.

With --http2 the vendor is reached as the real ones are: over TLS and HTTP/2, where nginx stands before it, which takes 100 streams
over a connection.

Of what a stream holds in all, 20 KiB are pages of its guest (stack, data, heap, two tables: one of each), 16 what hyper keeps for
the caller's connection (two buffers), over HTTP/1.1 another 25 for the vendor's (two buffers, and its queue of requests), 11
what the engine knows of an instance, and the rest futures, heads and timers. Over HTTP/2 that was 63 to 65 in all, over HTTP/1.1 77
to 81. Where the vendor is slow all streams begin at once, and the allocator keeps the pages of what that took as long as anything
else is in them: up to 75 over HTTP/2.

Usage: streams.py BINARY [--http2] [--streams N] [--frames N] [--interval MS] [--rounds N] [--most-ms MS] [--most-kib KIB] [--most-warm-kib KIB]
"""

import argparse
import collections
import json
import os
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CONFIG = """server: {port: %d}
logging: {level: warn, file: false}
plugins: {directory: %s/plugins, cache: %s/cache}
store: {engine: memory}
egress: {%s}
providers:
  vendor: {plugin: openai, base_url: "%s/v1"}
"""
NGINX = """worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  http2_max_concurrent_streams 100; keepalive_requests 1000000;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  server {{ listen 127.0.0.1:{port} ssl http2; location / {{
    proxy_pass http://127.0.0.1:{vendor}; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 300; }} }}
}}"""
BODY = json.dumps({
    "model": "vendor/m", "stream": True, "stream_options": {"include_usage": True}, "temperature": 0.5, "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Explain in one sentence why the sky is blue, and in another why the sunset is red."}],
}).encode()
ASK = (b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
       b"Content-Length: %d\r\n\r\n" % len(BODY)) + BODY
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nx-request-id: req_0\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
CHUNK = '{"id":"chatcmpl-%d","object":"chat.completion.chunk","created":1,"model":"m-1","system_fingerprint":"fp_1",%s}'
WORD = re.compile(rb'"content":"(\d+) (\d+) ')
# Nothing takes longer, or it hangs.
LONGEST = 120
# After so many seconds a server at rest has given back what it will.
REST = 2


class Vendor:
    """Answers whoever asks with a paced stream."""

    def __init__(self, listener, frames, interval, streams):
        self.listener, self.frames, self.interval, self.streams = listener, frames, interval, streams
        self.poll = select.epoll()
        self.poll.register(listener, select.EPOLLIN)
        self.connections = {}
        # Frames are due in the order in which they were put here, because the interval is the same for all.
        self.due = collections.deque()
        self.joined = []
        self.served = 0

    def run(self):
        while True:
            left = self.due[0][0] - time.monotonic() if self.due else None
            # Rounded up by the kernel: a frame is never early, and late by less than a millisecond.
            for number, _ in self.poll.poll(None if left is None else max(left, 0)):
                if number == self.listener.fileno():
                    self.accept()
                else:
                    self.read(number)
            self.join()
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                when, number, stream, frame = self.due.popleft()
                if self.send(number, stream, frame) and frame + 1 < self.frames:
                    self.due.append((when + self.interval, number, stream, frame + 1))

    def accept(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections[connection.fileno()] = (connection, bytearray())
        self.poll.register(connection, select.EPOLLIN)

    def read(self, number):
        connection, asked = self.connections[number]
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            del self.connections[number]
            connection.close()
            return
        asked += data
        head, found, body = asked.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if found and len(body) >= int(length[1]):
            asked.clear()
            connection.sendall(HEAD)
            self.joined.append((number, self.served))
            self.served += 1

    def join(self):
        """Streams begin out of step: each gets its own place within the interval."""
        if self.joined and not self.due:
            first = time.monotonic() + self.interval / 2
            # Only the first ones find nothing due; the others fall into their places behind them.
            self.epoch = first
        for number, stream in self.joined:
            place = stream % self.streams / self.streams * self.interval
            now = time.monotonic()
            steps = max(0, -(-(now - self.epoch - place) // self.interval))
            item = (self.epoch + place + steps * self.interval, number, stream, 0)
            self.due.append(item)
        if self.joined:
            self.due = collections.deque(sorted(self.due))
            self.joined.clear()

    def send(self, number, stream, frame):
        found = self.connections.get(number)
        if found is None:
            return False
        last = frame + 1 == self.frames
        choice = '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":null}]'
        said = json.dumps({"content": f"{frame} {time.monotonic_ns()} of the words"})
        events = [choice % said]
        if last:
            events.append('"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]')
            events.append('"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":%d,"total_tokens":%d}'
                          % (self.frames, 31 + self.frames))
        data = "".join(f"data: {CHUNK % (stream, event)}\n\n" for event in events).encode()
        if last:
            data += b"data: [DONE]\n\n"
        framed = b"%x\r\n%b\r\n" % (len(data), data) + (b"0\r\n\r\n" if last else b"")
        try:
            return found[0].send(framed) == len(framed)
        except OSError:
            return False


class Stream:
    """One caller's connection, and the answer that comes over it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fault = None

    def ask(self):
        self.buffer, self.body = bytearray(), bytearray()
        self.head, self.over, self.words = None, False, 0
        self.socket.sendall(ASK)

    def read(self, delays):
        data = self.socket.recv(65536)
        now = time.monotonic_ns()
        if not data:
            self.fail("the connection was closed")
            return
        self.buffer += data
        if self.head is None:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.head, self.buffer = bytes(head), rest
            if not head.startswith(b"HTTP/1.1 200") or b"chunked" not in head.lower():
                self.fail(f"the answer begins with {bytes(head[:40])!r}")
                return
        while True:
            size, found, rest = self.buffer.partition(b"\r\n")
            length = int(size, 16) if found else 0
            if not found or len(rest) < length + 2:
                return
            piece, self.buffer = rest[:length], rest[length + 2:]
            if not length:
                self.end()
                return
            for word in WORD.finditer(piece):
                if int(word[1]) != self.words:
                    self.fail(f"word {self.words} is missing")
                self.words += 1
                delays.append(now - int(word[2]))
            self.body += piece

    def end(self):
        self.over = True
        events = [event[6:] for event in bytes(self.body).split(b"\n\n") if event.startswith(b"data: ")]
        self.complete = (events[-1:] == [b"[DONE]"] and any(b'"finish_reason":"stop"' in event for event in events)
                         and any(b'"completion_tokens":%d' % self.words in event for event in events))

    def fail(self, why):
        self.fault, self.over, self.complete = self.fault or why, True, False


def held(pid):
    """KiB by what they are. This file takes no lock; the exact ones would hold up the server."""
    with open(f"/proc/{pid}/status") as file:
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.MULTILINE))
    return {name: int(found[name]) for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem", "VmPTE")}


def play(streams, frames, pid):
    """Asks for all streams and reads them to their ends: delays in ns, and what the server held in the middle."""
    poll = select.epoll()
    by_number = {stream.socket.fileno(): stream for stream in streams}
    for stream in streams:
        stream.ask()
        poll.register(stream.socket, select.EPOLLIN)
    delays, middle, left = [], None, len(streams)
    deadline = time.monotonic() + LONGEST
    while left:
        if time.monotonic() > deadline:
            break
        for number, _ in poll.poll(1):
            stream = by_number[number]
            stream.read(delays)
            if stream.over:
                poll.unregister(number)
                left -= 1
        if middle is None and len(delays) * 2 >= frames * len(streams):
            open_now = sum(bool(stream.words) and not stream.over for stream in streams)
            middle = (held(pid), open_now)
    for stream in streams:
        if not stream.over:
            stream.fail("the answer has no end")
        elif stream.fault is None and (stream.words != frames or not stream.complete):
            stream.fault = f"it has {stream.words} words of {frames}, or no end"
    return delays, middle


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(process, port):
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < LONGEST:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    sys.exit("streams: the server does not start")


def vendor(options):
    """A process that is the vendor, and its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    port = listener.getsockname()[1]
    child = os.fork()
    if child:
        listener.close()
        return child, port
    try:
        Vendor(listener, options.frames, options.interval / 1000, options.streams).run()
    except BaseException as error:
        print(f"streams: the vendor failed: {error!r}", file=sys.stderr)
    finally:
        os._exit(1)


def http2_before(vendor, folder):
    """nginx before the vendor, its address, and the setting with which the server trusts it."""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not os.path.exists(nginx):
        sys.exit("streams: there is no nginx; apt-get install nginx-light")
    port = free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", f"{folder}/key.pem",
                    "-out", f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(NGINX.format(folder=folder, port=port, vendor=vendor))
    process = subprocess.Popen([nginx, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL)
    wait_for(process, port)
    return process, f"https://localhost:{port}", f"ca_file: {folder}/cert.pem"


def percentile(sorted_values, part):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * part))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--http2", action="store_true")
    parser.add_argument("--streams", type=int, default=512)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--interval", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--most-ms", type=float, default=50)
    parser.add_argument("--most-kib", type=float, help="in all; 80 over HTTP/2 and 88 over HTTP/1.1, where nothing is said")
    parser.add_argument("--most-warm-kib", type=float, default=64)
    options = parser.parse_args()
    options.most_kib = options.most_kib or (80 if options.http2 else 88)
    folder = tempfile.mkdtemp(prefix="mortise-streams-")
    child, upstream = vendor(options)
    process = proxy = None
    address, trust = f"http://127.0.0.1:{upstream}", ""
    try:
        if options.http2:
            proxy, address, trust = http2_before(upstream, folder)
        port = free_port()
        with open(f"{folder}/config.yaml", "w") as file:
            file.write(CONFIG % (port, folder, folder, trust, address))
        # What compiling the plugins leaves behind would be room for streams that nobody counted.
        subprocess.run([options.binary, "plugin", "warm", "--config", f"{folder}/config.yaml"],
                       stdout=subprocess.DEVNULL, check=True)
        process = subprocess.Popen([options.binary, "serve", "--config", f"{folder}/config.yaml"])
        wait_for(process, port)
        single = [Stream(port)]
        play(single, options.frames, process.pid)
        before = held(process.pid)
        streams = [Stream(port) for _ in range(options.streams)]
        faults = [stream.fault for stream in single if stream.fault]
        rows, delays, rested = [], [], before
        for number in range(options.rounds + 1):
            late, middle = play(streams, options.frames, process.pid)
            faults += [stream.fault for stream in streams if stream.fault]
            if faults or middle is None or middle[1] != options.streams:
                break
            # The first round warms up.
            if number:
                delays += late
                each = {name: (middle[0][name] - before[name]) / options.streams for name in before}
                rows.append(each | {"warm": (middle[0]["RssAnon"] - rested["RssAnon"]) / options.streams})
            time.sleep(REST)
            rested = held(process.pid)
    finally:
        if process:
            process.terminate()
            process.wait(10)
        if proxy:
            proxy.terminate()
            proxy.wait(10)
        os.kill(child, 9)
        os.waitpid(child, 0)
        shutil.rmtree(folder, ignore_errors=True)
    if faults:
        sys.exit(f"streams: {len(faults)} were not whole, the first: {faults[0]}")
    if len(rows) < options.rounds:
        sys.exit("streams: they were never all open at once")
    report(options, rows, sorted(delays), before, rested)


def report(options, rows, delays, before, rested):
    each = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    p50, p99, most = (value / 1e6 for value in (percentile(delays, 0.5), percentile(delays, 0.99), delays[-1]))
    way = "HTTP/2" if options.http2 else "HTTP/1.1"
    print(f"{options.streams} streams at once of {options.frames} frames, one every {options.interval:.0f} ms, vendor over {way}, "
          f"{options.rounds} rounds: all whole")
    print(f"a frame through the server: p50 {p50:.2f} ms, p99 {p99:.2f} (at most {options.most_ms:.0f}), longest {most:.2f}")
    print(f"an open stream holds {each['RssAnon']:.1f} KiB in all (at most {options.most_kib:.0f}), and {each['warm']:.1f} more "
          f"than a warm server at rest (at most {options.most_warm_kib:.0f})")
    print(f"beside: {each['RssFile'] + each['RssShmem']:.1f} KiB of files that all share, {each['VmPTE']:.1f} of page tables; "
          f"the server is {before['VmRSS'] / 1024:.1f} MiB before, {rested['VmRSS'] / 1024:.1f} at rest after")
    if p99 > options.most_ms or each["RssAnon"] > options.most_kib or each["warm"] > options.most_warm_kib:
        sys.exit("streams: over the limit")


if __name__ == "__main__":
    main()
