"""The scripted model of runs.py: what each run does, whatever was asked before, and what it is told of it."""

import asyncio
import os
import random
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vendors"))
import openai_chat as vendor  # noqa: E402
import wire  # noqa: E402
from script import Said  # noqa: E402
from words import Bad, Call, Result, Text, require  # noqa: E402

# Frame by frame: there are many runs.
wire.PIECES = (1 << 20,)
# Tools that may not be called twice.
EFFECTS = ("terminal", "edit_file")
# What a model is told of a call that was begun when the server ended.
UNKNOWN = ("the server ended during this call; whether it took effect is not known, and it was not repeated: find out before you "
           "go on")
FINDING = "I find out."
STEPS = 6


def task(number):
    return f"Run {number}"


def done(number):
    return f"Run {number} is done."


def program(mark, script):
    return Call(None, "terminal", {"command": "sh", "arguments": ["-c", script.replace("MARK", mark)]})


def first(mark):
    """Killed in the middle, it has been done."""
    return [program(mark, "echo MARK >> effects; sleep 0.1")]


def last(mark):
    """Killed in the middle, it has not, and does not do it when the server is back either."""
    return [program(mark, "sleep 0.3; echo MARK >> effects")]


def both(mark):
    return [*first(f"{mark}a"), *last(f"{mark}b")]


def edit(mark):
    arguments = {"file_path": "notes.txt", "old_string": "\nend\n", "new_string": f"\n{mark}\nend\n"}
    return [Call(None, "edit_file", arguments)]


def write(mark):
    return [Call(None, "write_file", {"file_path": f"{mark}.txt", "content": mark}), *edit(mark)]


def look(mark):
    return [Call(None, "list_directory", {}), Call(None, "read_file", {"file_path": "notes.txt"})]


def plan(mark):
    return [Call(None, "update_plan", {"steps": [{"description": mark}]})]


def mark(arguments):
    """What a call with effects leaves, and in which file."""
    if "arguments" in arguments:
        return re.search(r"echo (\S+)", arguments["arguments"][1])[1], "effects"
    return arguments["new_string"].split("\n")[1], "notes.txt"


def story(seed, number):
    """The calls of a run, answer for answer."""
    chance = random.Random(f"{seed}/{number}")
    begin = [Call(None, "write_file", {"file_path": "notes.txt", "content": "begin\nend\n"}), *plan("begin")]
    kinds = chance.choices([first, last, both, edit, write, look, plan], k=STEPS)
    return [begin, *[kind(f"{number}-{step}") for step, kind in enumerate(kinds)]]


class Model:
    """Asked by all runs at once, on a thread of its own."""

    def __init__(self, seed):
        # How often it was asked, and what was wrong with that.
        self.seed, self.asked, self.odd, self.chance = seed, 0, [], random.Random(seed)
        # The longest conversation that was shown of each run.
        self.shown = {}
        started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(started)), daemon=True).start()
        started.wait()

    async def serve(self, started):
        server = await wire.serve(self.handle)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await server.serve_forever()

    async def handle(self, request):
        try:
            require((request.method, request.path) == ("POST", "/v1/chat/completions"), f"asked for {request.path}")
            vendor.authorised(request.headers)
            heard = vendor.hear(request.body)
            words, calls = self.answer(heard)
        except (Bad, AttributeError) as wrong:
            self.odd.append(wrong)
            return wire.Reply(400, vendor.failure(400, f"{wrong!r}"))
        self.asked += 1
        frames = vendor.stream(Said([Text(words), *calls], "tools" if calls else "stop"), heard)
        # Long enough for the first words to be shown alone.
        return wire.Stream([*frames[:3], self.chance.uniform(0.03, 0.15), *frames[3:]])

    def answer(self, heard):
        number = int(re.fullmatch(r"Run (\d+)", heard.turns[0].parts[0].text)[1])
        turns, before = heard.turns, self.shown.get(number, [])
        parts = [(turn.role, part) for turn in turns for part in turn.parts]
        # What was told once is never told differently.
        require(parts[: len(before)] == before, f"run {number} was told something else: {parts} behind {before}")
        self.shown[number] = parts
        said = [part.text for turn in turns if turn.role == "assistant" for part in turn.parts if isinstance(part, Text)]
        step = sum(words != FINDING for words in said)
        results = ["".join(part.text for part in part.parts) for part in turns[-1].parts if isinstance(part, Result)]
        if any(UNKNOWN in result for result in results):
            return FINDING, [Call(None, "read_file", {"file_path": name}) for name in ("effects", "notes.txt")]
        calls = story(self.seed, number)
        if step < len(calls):
            return f"This is step {step} of run {number}. ", calls[step]
        return done(number), []
