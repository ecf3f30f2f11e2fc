#!/usr/bin/env python3
"""What the server costs on the whole path, beside nginx, in one run: requests/s, p50 and p99, as ratios.

A stub vendor (nginx, a fixed OpenAI answer), nginx proxying to it, and the server with the openai plugin in front of it: warm,
principal and fresh, all of them bare; and once more warm with keys, limits, metrics and the log on. wrk sends an OpenAI chat of two messages. With many connections load, stub and server share the machine's
cores and nothing is pinned. With one connection everything is pinned to one core: on a virtual machine, waking an idle core
takes longer than the work that is to be measured. Rounds alternate between the candidates, so that a noisy neighbour harms all of them; the median of the rounds counts.

Usage: load.py BINARY [--seconds N] [--rounds N] [--connections N]
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
import urllib.request

ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "Blue light is scattered more than red, so it reaches us from everywhere."}}],
    "usage": {"prompt_tokens": 31, "completion_tokens": 16, "total_tokens": 47},
}
KEY = "key-of-the-bench-0123456789abcdef"
# Nothing but the work.
BARE = """server:
  port: %d
  rate_limit: {enabled: false}
  cors: {enabled: false}
  compression: {enabled: false}
telemetry: {metrics: false}
logging: {level: warn, file: false}
"""
# What stands on the open internet. Nobody is turned away, but everybody is counted.
EVERYTHING = """server:
  port: %d
  auth: {enabled: true, api_key: env:BENCH_KEY}
  rate_limit: {surfaces: {openai: {requests: [100000000/1m, 1000000000/1d], tokens: [1000000000000/1m]}}}
telemetry: {metrics: true}
logging: {level: info, file: true, directory: %s/logs}
"""
# What the design's trial measured on the same path: requests/s at 64 connections.
TRIAL = {"direct": 190_000, "nginx": 80_000, "warm": 39_000, "fresh": 21_000}


def body(model):
    return json.dumps({"model": model, "temperature": 0.5, "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Explain in one sentence why the sky is blue, and in another why the sunset is red."}]})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def need(program, package):
    """The path of a program; as root on Debian it is installed if it isn't there."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/bin")
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], stdout=sys.stderr, check=False)
        path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/bin")
    if path is None:
        sys.exit(f"load: {program} is missing; install it (Debian: apt-get install {package})")
    return path


def wait_for(port, path="/"):
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"load: nobody answers on port {port}")


def nginx_config(folder, stub, proxy):
    answer = json.dumps(ANSWER).replace("'", "")
    return f"""
worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000000;
  upstream vendor {{ server 127.0.0.1:{stub}; keepalive 256; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{stub} reuseport; location / {{ default_type application/json; return 200 '{answer}'; }} }}
  server {{ listen 127.0.0.1:{proxy} reuseport; location / {{
    proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}"""


def measure(wrk, script, port, model, connections, seconds):
    with open(script, "w") as file:
        file.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n')
        file.write(f'wrk.headers["Authorization"] = "Bearer {KEY}"\n')
        file.write(f"wrk.body = [==[{body(model)}]==]\n")
        file.write('done = function(s, l, r)\n  local e = s.errors\n  io.write(string.format("RESULT %f %f %f %d\\n", '
                   's.requests / (s.duration / 1e6), l:percentile(50), l:percentile(99), '
                   'e.connect + e.read + e.write + e.status + e.timeout))\nend\n')
    threads = min(2, connections)
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    out = subprocess.run([wrk, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", script, url],
                         capture_output=True, text=True, check=True).stdout
    rate, p50, p99, errors = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", out).groups()
    if int(errors):
        sys.exit(f"load: {errors} requests failed against port {port} with model {model}")
    return float(rate), float(p50), float(p99)


def pin(processes, cores):
    """Binds every thread of these processes, and of their children, to `cores`."""
    for process in processes:
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout.split()
        for pid in [str(process.pid), *children]:
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), cores)


def medians(rows):
    return tuple(statistics.median(column) for column in zip(*rows))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    nginx, wrk = need("nginx", "nginx-light"), need("wrk", "wrk")
    folder = tempfile.mkdtemp(prefix="mortise-load-")
    stub, proxy, server, full = free_port(), free_port(), free_port(), free_port()
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(nginx_config(folder, stub, proxy))
    provider = f"{{plugin: openai, base_url: 'http://127.0.0.1:{stub}/v1', isolation: %s}}"
    for name, head in (("bare", BARE % server), ("everything", EVERYTHING % (full, folder))):
        with open(f"{folder}/{name}.yaml", "w") as file:
            file.write(f"{head}plugins: {{directory: {folder}/plugins, cache: {folder}/cache}}\n")
            file.write(f"store: {{path: {folder}/{name}/data}}\nproviders:\n")
            for isolation in ("warm", "principal", "fresh"):
                file.write(f"  {isolation}: {provider % isolation}\n")
    candidates = {"direct": (stub, "m"), "nginx": (proxy, "m"), "warm": (server, "warm/m"),
                  "everything": (full, "warm/m"), "principal": (server, "principal/m"), "fresh": (server, "fresh/m")}
    started = []
    try:
        started.append(subprocess.Popen([nginx, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL))
        for name, log in (("bare", None), ("everything", subprocess.DEVNULL)):
            command = [options.binary, "serve", "--config", f"{folder}/{name}.yaml"]
            started.append(subprocess.Popen(command, stderr=log, env={**os.environ, "BENCH_KEY": KEY}))
        wait_for(proxy)
        wait_for(server, "/health")
        wait_for(full, "/health")
        loaded = {name: [] for name in candidates}
        alone = {name: [] for name in candidates}
        for round_number in range(options.rounds + 1):
            for name, (port, model) in candidates.items():
                seconds = options.seconds if round_number else 1
                many = measure(wrk, f"{folder}/post.lua", port, model, options.connections, seconds)
                one_core, all_cores = {min(os.sched_getaffinity(0))}, os.sched_getaffinity(0)
                pin(started, one_core)
                os.sched_setaffinity(0, one_core)
                one = measure(wrk, f"{folder}/post.lua", port, model, 1, max(1, seconds // 2))
                os.sched_setaffinity(0, all_cores)
                pin(started, all_cores)
                # The first round warms up.
                if round_number:
                    loaded[name].append(many)
                    alone[name].append(one)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    report(options, {name: medians(rows) for name, rows in loaded.items()}, {name: medians(rows) for name, rows in alone.items()})


def report(options, loaded, alone):
    base, direct = loaded["nginx"][0], alone["direct"][1]
    print(f"{options.connections} connections, median of {options.rounds} rounds of {options.seconds} s; "
          "load, stub and server share the cores; the runs with one connection are pinned to one core")
    print(f"{'':12}{'requests/s':>12}{'of nginx':>10}{'trial':>8}{'p50 µs':>10}{'p99 µs':>10}   at one connection: {'p50 µs':>8}{'added':>8}")
    for name, (rate, p50, p99) in loaded.items():
        trial = f"{TRIAL[name] / TRIAL['nginx']:.0%}" if name in TRIAL else "–"
        one = alone[name][1]
        print(f"{name:12}{rate:12.0f}{rate / base:10.0%}{trial:>8}{p50:10.0f}{p99:10.0f}   {'':19}{one:8.0f}{one - direct:8.0f}")
    print(f"fresh is {loaded['fresh'][0] / loaded['warm'][0]:.0%} of warm; "
          f"with keys, limits, metrics and the log it is {loaded['everything'][0] / loaded['warm'][0]:.0%} of bare")


if __name__ == "__main__":
    main()
