"""An agent mends a project whose test fails, watched over a connection that breaks again and again.

The model's end is here, in the simulated vendor's wire format: it says `listening on PORT`, and is then told where the server is
that asks it, as a line of JSON: `{"address": "127.0.0.1:8080", "data": "/the/store"}`. What the model does next depends on what
its tools have returned. Exit status 0 if all of it is as it should be.
"""

import asyncio
import difflib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
import urllib.request
from dataclasses import dataclass, field

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vendors"))
import openai_chat as vendor  # noqa: E402
import wire  # noqa: E402
from script import Said  # noqa: E402
from words import INPUT, OUTPUT, Bad, Call, Result, Text, require  # noqa: E402

LIMIT = 30
TASK = "Mend the shop\n\nIts test fails."
SHOP = '''"""Prices of a shop."""


def total(prices, discount):
    """What all of them cost, less the discount in per cent."""
    return sum(prices) * (1 - discount)
'''
MENDED = SHOP.replace("discount)\n", "discount / 100)\n")
TESTS = '''"""What a shop asks for."""

import unittest

from shop import total


class Total(unittest.TestCase):
    def test_nothing_costs_nothing(self):
        self.assertEqual(total([], 50), 0)

    def test_half_the_price(self):
        self.assertEqual(total([10, 20], 50), 15)
'''
STEPS = ["Look at the project", "Mend it", "Run its tests again"]
COMMAND = "python3 -m unittest"


def plan(*statuses):
    steps = [{"description": step, "status": status} for step, status in zip(STEPS, statuses)]
    return Call(None, "update_plan", {"steps": steps})


def story():
    """What the model says and calls, answer for answer; each time it is handed what its calls returned."""
    [told] = yield "First I make a plan.", plan("in_progress", "pending", "pending")
    require("the plan has 3 steps, 0 completed" in told, f"update_plan: {told}")
    reads = [Call(None, "read_file", {"file_path": name}) for name in ("shop.py", "test_shop.py")]
    listed, shop, tests = yield "Then I look around.", Call(None, "list_directory", {}), *reads
    require("shop.py" in listed and "test_shop.py" in listed, f"list_directory: {listed}")
    require("total([10, 20], 50), 15" in tests, f"read_file: {tests}")
    [told] = yield "Now I run the tests.", Call(None, "terminal", {"command": COMMAND})
    require("AssertionError: -1470 != 15" in told and "FAILED (failures=1)" in told, f"terminal: {told}")
    require(told.endswith("[exit code 1]"), f"terminal: {told}")
    # Nobody but the file says what is to be replaced.
    [wrong] = re.findall(r"1 - discount\b", shop)
    edit = Call(None, "edit_file", {"file_path": "shop.py", "old_string": wrong, "new_string": f"{wrong} / 100"})
    edited, told = yield "The discount is in per cent.", edit, plan("completed", "completed", "in_progress")
    require(edited == "edited shop.py at line 6", f"edit_file: {edited}")
    require("2 completed" in told, f"update_plan: {told}")
    [told] = yield "I run them again.", Call(None, "terminal", {"command": COMMAND})
    require("Ran 2 tests" in told and told.rstrip().endswith("OK"), f"terminal: {told}")
    passed = told.rstrip().splitlines()[-1]
    [told] = yield "They pass, so the plan is done.", plan("completed", "completed", "completed")
    require("3 completed" in told, f"update_plan: {told}")
    yield (f"I divided the discount by 100. The tests say {passed}.",)


class Model:
    """The scripted model. In the middle of each answer it waits until its gate is opened."""

    def __init__(self):
        self.story, self.wrong = story(), None
        # What it has said, and whether it has called something with it.
        self.said, self.calls = [], False
        self.gate, self.asked = asyncio.Event(), asyncio.Event()

    async def handle(self, request):
        try:
            require((request.method, request.path) == ("POST", "/v1/chat/completions"), f"asked for {request.path}")
            vendor.authorised(request.headers)
            heard = vendor.hear(request.body)
            words, *calls = self.story.send(self.results(heard))
        except (Bad, StopIteration, ValueError) as wrong:
            self.wrong = self.wrong or wrong
            self.asked.set()
            return wire.Reply(400, vendor.failure(400, f"{wrong!r}"))
        self.said.append(words)
        self.gate, self.calls = asyncio.Event(), bool(calls)
        self.asked.set()
        frames = vendor.stream(Said([Text(words), *calls], "tools" if calls else "stop"), heard)
        # Behind the first word.
        return wire.Stream([*frames[:2], self.gate, *frames[2:]])

    def results(self, heard):
        last = heard.turns[-1].parts
        if not self.said:
            require(last == [Text(TASK)], f"the task is {last}")
            return None
        require(all(isinstance(part, Result) for part in last), f"after {self.said[-1]!r} comes {last}")
        return ["".join(part.text for part in result.parts) for result in last]

    def speaks(self, event):
        """Whether it waits in the middle of an answer, of which this is the beginning."""
        return not self.gate.is_set() and self.said and event.get("content") == self.said[-1].split(" ")[0] + " "


@dataclass
class Watcher:
    """Whoever watches; with a model, it is cut off in the middle of each answer and of each program."""

    address: str
    task: str
    model: Model = None
    seen: list = field(default_factory=list)
    cuts: int = 0

    def last(self):
        return self.seen[-1]["sequence"] if self.seen else 0

    async def watch(self):
        while True:
            async with websockets.connect(f"ws://{self.address}/ws/tasks/{self.task}?after={self.last()}") as connection:
                goes_on = await self.listen(connection)
            if goes_on is None:
                return
            # Every other time it comes back only when the run has gone on without it.
            if goes_on and self.cuts % 2:
                await self.model.asked.wait()

    async def listen(self, connection):
        """None at the end of the run; else whether the model goes on from here, and is asked again."""
        async for text in connection:
            event = json.loads(text)
            assert event["sequence"] == self.last() + 1, f"a gap or a repetition: {event} comes behind {self.last()}"
            self.seen.append(event)
            if self.model and self.model.speaks(event):
                self.cut_off(connection)
                self.model.asked.clear()
                self.model.gate.set()
                return self.model.calls
            if self.model and (event["type"], event.get("tool")) == ("tool_call", "terminal"):
                self.cut_off(connection)
                return False
        assert connection.close_code == 1000, connection.close_code
        return None

    def cut_off(self, connection):
        """As a network does it: reset, without a word."""
        raw = connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.transport.abort()
        self.cuts += 1


class Server:
    def __init__(self, address):
        self.address = address

    def ask(self, path, body=None, method=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://{self.address}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=LIMIT) as response:
            return response.headers.get_content_type(), response.read().decode()

    def json(self, path, body=None):
        return json.loads(self.ask(path, body)[1])

    def events(self, task):
        """All that happens in a task, from its beginning to its end."""
        kind, text = self.ask(f"/api/tasks/{task}/events")
        assert kind == "text/event-stream", kind
        events = []
        for block in text.removesuffix("\n\n").split("\n\n"):
            lines = [line.partition(": ") for line in block.split("\n") if not line.startswith(":")]
            fields = {name: value for name, _, value in lines}
            if fields:
                events.append(json.loads(fields["data"]))
                assert fields["id"] == str(events[-1]["sequence"]) and fields["event"] == events[-1]["type"], fields
        return events


def check_events(events, said):
    told = [(event["type"], event.get("tool")) for event in events if event["type"] not in ("token", "status")]
    call, plan = [("tool_call", "update_plan"), ("tool_result", "update_plan")], ("plan_update", None)
    reads = ["list_directory", "read_file", "read_file"]
    run = [("tool_call", "terminal"), ("tool_result", "terminal")]
    assert told == [
        *call, plan, *[("tool_call", name) for name in reads], *[("tool_result", name) for name in reads], *run,
        ("tool_call", "edit_file"), ("tool_result", "edit_file"), *call, plan, *run, *call, plan,
    ], told
    assert all(event["success"] for event in events if event["type"] == "tool_result"), events
    statuses = [event["status"] for event in events if event["type"] == "status"]
    assert statuses == ["running", "completed"], statuses
    text = "".join(event["content"] for event in events if event["type"] == "token")
    assert text == "".join(said), text
    plans = [[step["status"] for step in event["plan"]["steps"]] for event in events if event["type"] == "plan_update"]
    assert plans == [[a, b, c] for a, b, c in (
        ("in_progress", "pending", "pending"), ("completed", "completed", "in_progress"), ("completed",) * 3)], plans
    assert events[-1]["type"] == "status", events[-1]


def check_artifacts(server, id, task):
    listed = {about["name"]: about for about in server.json(f"/api/tasks/{id}/artifacts")}
    assert {name: about["type"] for name, about in listed.items()} == {
        "plan.json": "plan", "diff.patch": "diff", "transcript.json": "transcript", "final_summary.md": "summary"}, listed
    left = {name: server.ask(f"/api/tasks/{id}/artifacts/{about['id']}") for name, about in listed.items()}
    assert all(len(left[name][1].encode()) == about["size"] for name, about in listed.items()), listed
    kinds = {name: kind for name, (kind, _) in left.items()}
    assert kinds == {"plan.json": "application/json", "diff.patch": "text/x-diff", "transcript.json": "application/json",
                     "final_summary.md": "text/markdown"}, kinds
    assert json.loads(left["plan.json"][1])["steps"] == task["plan"]["steps"]
    assert [(step["description"], step["status"]) for step in task["plan"]["steps"]] == [(s, "completed") for s in STEPS]
    summary = "I divided the discount by 100. The tests say OK."
    assert task["result"] == {"success": True, "summary": summary}, task
    assert left["final_summary.md"][1] == f"# Mend the shop\n\n{summary}\n", left["final_summary.md"]
    lines = difflib.unified_diff(SHOP.splitlines(True), MENDED.splitlines(True), "a/shop.py", "b/shop.py")
    assert left["diff.patch"][1] == "diff --git a/shop.py b/shop.py\n" + "".join(lines), left["diff.patch"][1]
    check_patch(left["diff.patch"][1])
    transcript = json.loads(left["transcript.json"][1])
    roles = [message["role"] for message in transcript]
    one, two, three = (["assistant", *["tool"] * calls] for calls in (1, 2, 3))
    assert roles == ["user", *one, *three, *one, *two, *one, *one, "assistant"], roles
    text = json.dumps(transcript)
    assert "-1470 != 15" in text and text.index("FAILED (failures=1)") < text.index("edited shop.py at line 6")


def check_patch(patch):
    with tempfile.TemporaryDirectory() as copy:
        write(copy)
        applied = subprocess.run(["git", "apply", "-"], cwd=copy, input=patch, text=True, capture_output=True)
        assert applied.returncode == 0, applied.stderr
        assert read(copy) == (MENDED, TESTS)


def write(directory):
    for name, text in (("shop.py", SHOP), ("test_shop.py", TESTS)):
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)


def read(directory):
    texts = []
    for name in ("shop.py", "test_shop.py"):
        with open(os.path.join(directory, name)) as file:
            texts.append(file.read())
    return tuple(texts)


async def main():
    model = Model()
    upstream = await wire.serve(model.handle)
    print(f"listening on {upstream.sockets[0].getsockname()[1]}", flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        return
    about = json.loads(line)
    server = Server(about["address"])
    session = (await asyncio.to_thread(server.json, "/api/sessions", {"name": "Fixes"}))["id"]
    workspace = os.path.join(about["data"], "workspaces", session)
    write(workspace)
    task = {"description": TASK, "model": "openai/gpt-4o-mini"}
    id = (await asyncio.to_thread(server.json, f"/api/sessions/{session}/tasks", task))["id"]
    watcher = Watcher(server.address, id, model)
    # One whose connection holds sees the same.
    steady = asyncio.create_task(asyncio.to_thread(server.events, id))
    await watcher.watch()
    task = await asyncio.to_thread(server.json, f"/api/tasks/{id}")
    if model.wrong or task["status"] != "completed":
        raise AssertionError(f"{model.wrong!r}\n{task}\n{watcher.seen}")
    check_events(watcher.seen, model.said)
    # Each of seven answers, and each of two programs.
    assert watcher.cuts == 9, watcher.cuts
    assert await steady == watcher.seen
    assert await asyncio.to_thread(server.events, id) == watcher.seen
    late = Watcher(server.address, id)
    await late.watch()
    assert late.seen == watcher.seen
    assert (task["iterations"], task["tool_calls"]) == (7, 9), task
    assert (task["usage"]["input_tokens"], task["usage"]["output_tokens"]) == (7 * INPUT, 7 * OUTPUT), task
    await asyncio.to_thread(check_artifacts, server, id, task)
    assert read(workspace) == (MENDED, TESTS)
    tests = subprocess.run([sys.executable, "-B", "-m", "unittest"], cwd=workspace, capture_output=True, text=True)
    assert tests.returncode == 0, tests.stderr
    print("content")


def run():
    try:
        # Not `asyncio.run`, which waits for threads; they may wait for what never comes.
        asyncio.new_event_loop().run_until_complete(asyncio.wait_for(main(), LIMIT))
        return 0
    except Exception:
        traceback.print_exc()
        return 1


failed = run()
sys.stdout.flush()
os._exit(failed)
