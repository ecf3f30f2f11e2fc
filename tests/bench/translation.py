#!/usr/bin/env python3
"""What translation between dialects costs: processor time of the server a request, and a frame of a stream.

A stub vendor (nginx) answers in OpenAI's and in Anthropic's wire format, whole or as a stream of 64 frames. wrk asks in one dialect
for a model behind the other. Time on the clock says little on shared cores, so the server's own processor time counts, over the
requests that it served. Rounds alternate between the pairs; the median counts. The same-dialect path is what the caller pays anyway.
Fails if translation costs more than the limits below.

Usage: translation.py BINARY [--seconds N] [--rounds N] [--connections N]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from load import ANSWER, BARE, KEY, free_port, need, wait_for

FRAMES = 64
# Microseconds over the path where both sides speak the vendor's dialect.
MOST_REQUEST, MOST_FRAME = 30, 5
WORD = "scattered "
TICK = os.sysconf("SC_CLK_TCK")


def sse(events, named):
    names = (f"event: {event['type']}\n" if named else "" for event in events)
    return "".join(f"{name}data: {json.dumps(event)}\n\n" for name, event in zip(names, events))


def openai_stream():
    def chunk(delta, finish=None):
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    events = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": WORD}) for _ in range(FRAMES)), chunk({}, "stop"),
              {**chunk({}), "choices": [], "usage": ANSWER["usage"]}]
    return sse(events, False) + "data: [DONE]\n\n"


def anthropic_answer():
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "stop_sequence": None,
            "content": [{"type": "text", "text": ANSWER["choices"][0]["message"]["content"]}],
            "usage": {"input_tokens": 31, "output_tokens": 16}}


def anthropic_stream():
    message = {**anthropic_answer(), "content": [], "stop_reason": None}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": WORD}}
    events = [{"type": "message_start", "message": message},
              {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
              *([delta] * FRAMES), {"type": "content_block_stop", "index": 0},
              {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 16}},
              {"type": "message_stop"}]
    return sse(events, True)


def nginx_config(folder, port):
    bodies = {"openai/whole": ("application/json", json.dumps(ANSWER)), "openai/stream": ("text/event-stream", openai_stream()),
              "anthropic/whole": ("application/json", json.dumps(anthropic_answer())),
              "anthropic/stream": ("text/event-stream", anthropic_stream())}
    locations = ""
    for name, (kind, text) in bodies.items():
        path = f"{folder}/{name}"
        os.makedirs(path)
        with open(f"{path}/body", "w") as file:
            file.write(text)
        # A file, because a stream is too long for a directive; served for POST by way of an error page.
        locations += (f"location /{name}/ {{ error_page 405 =200 /{name}/body; root {folder}; default_type {kind}; "
                      f"try_files /{name}/body =404; }}\n")
    # Its workers must be able to read the files, which are this user's.
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""
{user} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000000; open_file_cache max=100;
  server {{ listen 127.0.0.1:{port}; {locations} }}
}}"""


def body(dialect, model, stream):
    messages = [{"role": "user", "content": "Explain in one sentence why the sky is blue, and in another why the sunset is red."},
                {"role": "assistant", "content": "Shall I be brief?"}, {"role": "user", "content": "As brief as you can."}]
    tool = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    if dialect == "anthropic":
        extra = {"system": "You are a helpful assistant.", "tools": [{"name": "weather", "input_schema": tool}]}
    else:
        messages.insert(0, {"role": "system", "content": "You are a helpful assistant."})
        extra = {"tools": [{"type": "function", "function": {"name": "weather", "parameters": tool}}]}
    return json.dumps({"model": model, "max_tokens": 100, "temperature": 0.5, "messages": messages, **extra, "stream": stream})


def processor(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(wrk, script, port, pid, surface, provider, stream, options):
    path = "/openai/v1/chat/completions" if surface == "openai" else "/anthropic/v1/messages"
    with open(script, "w") as file:
        file.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n')
        file.write(f'wrk.headers["Authorization"] = "Bearer {KEY}"\n')
        file.write(f"wrk.body = [==[{body(surface, f'{provider}/m', stream)}]==]\n")
        file.write('done = function(s, l, r)\n  local e = s.errors\n  io.write(string.format("RESULT %d %d\\n", s.requests, '
                   'e.connect + e.read + e.write + e.status + e.timeout))\nend\n')
    before = processor(pid)
    out = subprocess.run([wrk, "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", script,
                          f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True).stdout
    used = processor(pid) - before
    requests, errors = map(int, out.rpartition("RESULT ")[2].split())
    if errors or not requests:
        sys.exit(f"translation: {errors} of {requests} requests failed, {surface} to {provider}")
    return used / requests * 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    nginx, wrk = need("nginx", "nginx-light"), need("wrk", "wrk")
    folder = tempfile.mkdtemp(prefix="mortise-translation-")
    stub, server = free_port(), free_port()
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(nginx_config(folder, stub))
    with open(f"{folder}/config.yaml", "w") as file:
        file.write(f"{BARE % server}store: {{path: {folder}/data}}\nplugins: {{directory: {folder}/plugins, cache: {folder}/cache}}\nproviders:\n")
        for dialect in ("openai", "anthropic"):
            for form in ("whole", "stream"):
                file.write(f"  {dialect}-{form}: {{plugin: {dialect}, base_url: 'http://127.0.0.1:{stub}/{dialect}/{form}'}}\n")
    pairs = [(surface, dialect, stream) for stream in (False, True)
             for surface, dialect in (("openai", "openai"), ("anthropic", "openai"), ("anthropic", "anthropic"), ("openai", "anthropic"))]
    costs = {pair: [] for pair in pairs}
    started = []
    try:
        started.append(subprocess.Popen([nginx, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL))
        process = subprocess.Popen([options.binary, "serve", "--config", f"{folder}/config.yaml"], stderr=subprocess.DEVNULL)
        started.append(process)
        wait_for(stub)
        wait_for(server, "/health")
        for number in range(options.rounds + 1):
            for pair in pairs:
                surface, dialect, stream = pair
                provider = f"{dialect}-{'stream' if stream else 'whole'}"
                cost = measure(wrk, f"{folder}/post.lua", server, process.pid, surface, provider, stream, options)
                # The first round warms up.
                if number:
                    costs[pair].append(cost)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(report(options, {pair: statistics.median(values) for pair, values in costs.items()}))


def report(options, costs):
    print(f"median of {options.rounds} rounds of {options.seconds} s; the server's processor time, {FRAMES} frames a stream")
    print(f"{'caller → vendor':26}{'µs a request':>14}{'over same':>12}{'limit':>8}")
    failed = 0
    for (surface, dialect, stream), cost in costs.items():
        over = cost - costs[dialect, dialect, stream]
        count = FRAMES if stream else 1
        limit = (MOST_FRAME if stream else MOST_REQUEST)
        unit = " a frame" if stream else ""
        failed |= over / count > limit
        name = f"{surface} → {dialect}{', streamed' if stream else ''}"
        print(f"{name:26}{cost:14.1f}{over / count:12.2f}{limit:8}{unit}")
    return int(failed)


if __name__ == "__main__":
    main()
