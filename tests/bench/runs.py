#!/usr/bin/env python3
"""Many runs of agents at once, ten calls of tools each: whether one is lost, waits for another's tool, or holds too much.

The model is scripted, behind the `openai` plugin, and answers nobody before all have asked. A fifth of the runs then waits,
half of them for their model and half for a program, until all others are over. How soon those others are is compared with a
round in which nobody waits. What counts as held is resident memory over that of the same server at rest, after rounds that
warm it up, less what was said and done in the run, as its transcript tells it.

Usage: runs.py BINARY [--runs N] [--most-kib KIB] [--most-slower RATIO] [--cache DIR]
"""

import argparse
import asyncio
import http.client
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [f"{HERE}/../durability", f"{HERE}/../vendors"]
import openai_chat as vendor  # noqa: E402
import wire  # noqa: E402
from script import Said  # noqa: E402
from server import SCRIPTED, Server  # noqa: E402
from streams import held  # noqa: E402
from words import Bad, Call, Result, Text  # noqa: E402

# Frame by frame: there are many runs.
wire.PIECES = (1 << 20,)
CALLS = 10
# One of so many waits: one for its model, the next for a program.
WAITING = 5
# Seconds: the longest that anything takes, how long a server at rest may give back what it held, and how often is looked.
LONGEST, REST, LOOK = 300, 3, 0.02
# A pipe in the run's directory, from which nothing comes until somebody writes.
WAIT = "read word < go; echo $word"


def calls(number, waits):
    """The calls of a run, one for each answer of the model."""
    file = {"file_path": "notes.txt"}
    made = [Call(None, "write_file", {**file, "content": f"begin {number}\nend\n"}), Call(None, "read_file", file),
            Call(None, "terminal", {"command": "sh", "arguments": ["-c", WAIT if waits == "program" else "echo on"]}),
            Call(None, "update_plan", {"steps": [{"description": f"run {number}"}]}), Call(None, "list_directory", {})]
    for step in range(CALLS - len(made) - 1):
        edit = {**file, "old_string": "end\n", "new_string": f"step {step}\nend\n"}
        made.append(Call(None, "edit_file", edit))
    return [*made, Call(None, "read_file", file)]


class Model:
    """Asked by all runs at once, on a thread of its own."""

    def __init__(self):
        self.odd, self.ended, self.asked, self.waits = [], {}, 0, {}
        started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(started)), daemon=True).start()
        started.wait()

    async def serve(self, started):
        self.loop, self.all_here, self.go = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        server = await wire.serve(self.handle)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await server.serve_forever()

    def tell(self, event, told=True):
        self.loop.call_soon_threadsafe(event.set if told else event.clear)

    async def handle(self, request):
        try:
            vendor.authorised(request.headers)
            heard = vendor.hear(request.body)
            number = int(re.fullmatch(r"Run (\d+)", heard.turns[0].parts[0].text)[1])
        except (Bad, AttributeError, TypeError) as wrong:
            self.odd.append(repr(wrong))
            return wire.Reply(400, vendor.failure(400, f"{wrong!r}"))
        step = sum(isinstance(part, Result) for turn in heard.turns for part in turn.parts)
        if step == 0:
            self.asked += 1
            await self.all_here.wait()
        waits = self.waits.get(number)
        if waits == "model" and step == CALLS // 2:
            await self.go.wait()
        if step < CALLS:
            said = Said([Text(f"Step {step}. "), calls(number, waits)[step]], "tools")
        else:
            said = Said([Text("Done.")])
            self.ended[number] = time.monotonic()
        return wire.Stream(vendor.stream(said, heard))


class Run:
    def __init__(self, server, number):
        self.server, self.number = server, number
        self.session = self.ask("POST", "/api/sessions", {"name": f"Run {number}"})["id"]

    def begin(self):
        task = {"description": f"Run {self.number}", "model": "openai/gpt-4o-mini"}
        self.id = self.ask("POST", f"/api/sessions/{self.session}/tasks", task)["id"]

    def ask(self, method, path, body=None):
        status, answer = self.server.ask(method, path, body)
        if status != 200:
            sys.exit(f"runs: {method} {path} is answered with {status} {answer}")
        return answer

    def verdict(self):
        """What is wrong with it, and bytes of what was said and done in it."""
        until = time.monotonic() + LONGEST
        while (task := self.ask("GET", f"/api/tasks/{self.id}"))["status"] in ("pending", "running", "waiting"):
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        if task["status"] != "completed" or task["result"]["summary"] != "Done.":
            return f"run {self.number} is {task}", 0
        with self.server.asking("GET", f"/api/tasks/{self.id}/artifacts/transcript.json") as response:
            text = response.read()
        parts = [part for message in json.loads(text) for part in message["parts"]]
        outcomes = [part["outcome"] for part in parts if "outcome" in part]
        failed = [outcome for outcome in outcomes if outcome.get("failed")]
        if len(outcomes) != CALLS or failed or sum("call" in part for part in parts) != CALLS:
            return f"run {self.number} has {len(outcomes)} outcomes, failed: {failed[:1]}", 0
        with open(f"{self.server.data}/workspaces/{self.session}/notes.txt") as file:
            notes = file.read()
        if notes != "".join([f"begin {self.number}\n", *[f"step {step}\n" for step in range(CALLS - 6)], "end\n"]):
            return f"run {self.number} has left {notes!r}", 0
        return None, len(text)


class Round:
    """Runs that begin at once, and what the server holds from then on."""

    def __init__(self, server, model, numbers, waiting):
        self.server, self.model, self.peak = server, model, {}
        kinds = {number: ("model", "program")[place % 2] for place, number in enumerate(waiting)}
        model.waits, model.asked = kinds, 0
        model.tell(model.all_here, False)
        model.tell(model.go, False)
        runs = [Run(server, number) for number in numbers]
        pipes = [f"{server.data}/workspaces/{run.session}/go" for run in runs if kinds.get(run.number) == "program"]
        for pipe in pipes:
            os.mkfifo(pipe)
        for run in runs:
            run.begin()
        self.until(lambda: model.asked == len(runs), "not all runs ask their model at once")
        began = time.monotonic()
        model.tell(model.all_here)
        self.until(lambda: all(number in model.ended for number in numbers if number not in kinds),
                   "runs that don't wait do not end while others do")
        early = [number for number in kinds if number in model.ended]
        self.took = sorted(model.ended[number] - began for number in numbers if number not in kinds)
        model.tell(model.go)
        for pipe in pipes:
            try:
                with open(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "w") as file:
                    file.write("on\n")
            except OSError as error:
                sys.exit(f"runs: a program that should wait doesn't read: {error}")
        self.until(lambda: all(number in model.ended for number in numbers), "runs that waited do not go on")
        verdicts = [run.verdict() for run in runs]
        self.wrong = [wrong for wrong, _ in verdicts if wrong] + [f"run {number} did not wait" for number in early]
        self.content = statistics.mean(size for _, size in verdicts) / 1024

    def until(self, holds, otherwise):
        """Waits, and looks at what is held meanwhile."""
        end = time.monotonic() + LONGEST
        while not holds():
            if time.monotonic() > end:
                sys.exit(f"runs: {otherwise}; the model was asked oddly: {self.model.odd[:1]}")
            for name, value in held(self.server.process.pid).items():
                self.peak[name] = max(value, self.peak.get(name, 0))
            time.sleep(LOOK)


def measure(options, home):
    model = Model()
    with open(f"{home}/key", "w") as file:
        file.write("sim-key")
    server = Server(options, home, SCRIPTED, UPSTREAM=model.port)
    count = options.runs
    try:
        # What compiling the plugins leaves behind would be room for runs that nobody counted.
        server.command("plugin", "warm")
        if not server.start():
            sys.exit(f"runs: the server does not start: {server.log()[-2000:]}")
        Round(server, model, [3 * count], [])
        time.sleep(REST)
        single = held(server.process.pid)
        rounds = {"warming up": Round(server, model, range(count), [])}
        rounds["nobody waits"] = Round(server, model, range(count, 2 * count), [])
        time.sleep(REST)
        rest = held(server.process.pid)
        numbers = range(2 * count, 3 * count)
        rounds["others wait"] = Round(server, model, numbers, numbers[::WAITING])
        time.sleep(REST)
        after = held(server.process.pid)
    finally:
        server.end()
    return rounds, (single, rest, after), model.odd


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--most-kib", type=float, default=1024)
    parser.add_argument("--most-slower", type=float, default=1.25)
    parser.add_argument("--cache")
    options = parser.parse_args()
    home = tempfile.mkdtemp(prefix="mortise-runs-")
    options.shared, options.cache = False, os.path.abspath(options.cache) if options.cache else f"{home}/cache"
    try:
        rounds, at_rest, odd = measure(options, home)
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"runs: the server can't be asked: {error!r}")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report(options, rounds, at_rest, odd)


def report(options, rounds, at_rest, odd):
    single, rest, after = at_rest
    wrong = [fault for one in rounds.values() for fault in one.wrong] + odd
    beside, alone = rounds["others wait"], rounds["nobody waits"]
    waiting = options.runs - len(beside.took)
    print(f"{options.runs} runs at once, {CALLS} calls of tools each; {waiting} wait, half of them for their model, half "
          "for a program")
    print(f"{'':14}{'runs':>6}{'median':>10}{'last':>10}   (s, of those that don't wait)")
    for name, one in rounds.items():
        print(f"{name:14}{len(one.took):6}{statistics.median(one.took):10.2f}{one.took[-1]:10.2f}")
    over = (beside.peak["VmRSS"] - rest["VmRSS"]) / options.runs - beside.content
    first = (rounds["warming up"].peak["VmRSS"] - single["VmRSS"]) / options.runs - beside.content
    slower = beside.took[-1] / alone.took[-1]
    print(f"a run holds {over:.0f} KiB over a warm server at rest (at most {options.most_kib:.0f}), beside the "
          f"{beside.content:.0f} that were said and done; {first:.0f} over a server that has seen a single run")
    print("the server is {:.1f} MiB after a single run, {:.1f} warm at rest, {:.1f} at most, {:.1f} at rest after".format(
        *(one["VmRSS"] / 1024 for one in (single, rest, beside.peak, after))))
    print(f"beside those that wait the last is over after {slower:.2f} of the time without (at most {options.most_slower})")
    if wrong:
        sys.exit(f"runs: {len(wrong)} are lost or wrong, the first: {wrong[0]}")
    if over > options.most_kib or slower > options.most_slower:
        sys.exit("runs: over the limit")


if __name__ == "__main__":
    main()
