#!/usr/bin/env python3
"""Kills the server in the middle of fifty runs that are watched, and looks whether all that was shown is there and goes on.

    python3 tests/durability/runs.py BINARY [--rounds N] [--runs N] [--short] [--cache DIR] [--seed N]

Agents read, write, edit and run programs, each in a workspace of its own; the model is scripted, behind the `openai` plugin. After
each SIGKILL the server is started again on the same store. Each run that was acknowledged must be there and come to a true end;
each event that a watcher was shown must stand where it stood, unchanged; no call that may have effects may be made twice: of one
that was begun, and of which nobody knows, the model is told so, and what it then finds must be so for good. What people said
reaches the model once. Python's standard library suffices. Only processes that were started here are ended. Exit status 1 if
anything is lost.
"""

import http.client
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter

sys.dont_write_bytecode = True
import agents  # noqa: E402
from server import SCRIPTED, Lost, Server, checked, parser, play  # noqa: E402
from verdict import OVER, Ending, Verdict, events  # noqa: E402

# Kills in a round: the share of the model's answers that were asked for by then. Below zero it is while runs are begun.
MOMENTS = [(-0.15, 0.45), (0.5, 0.9)]
# How many of its ends are polite (SIGTERM), and seconds that such an end may take.
POLITE, LONGEST_END = 0.25, 15
# Seconds after which callers hang up who say something and don't wait for an answer.
HASTE = [0, 0.001, 0.002, 0.003, 0.004, 0.006]
# Seconds until whatever can come to its end has done so.
PATIENCE = 60


def with_model(options, home, model):
    """A server whose provider is the scripted model."""
    with open(f"{home}/key", "w") as file:
        file.write("sim-key")
    return Server(options, home, SCRIPTED, UPSTREAM=model.port)


class Run:
    """What somebody knows of one who started it, says something to it perhaps, and watches it."""

    def __init__(self, server, number):
        self.server, self.number, self.kills, self.late = server, number, 0, False
        self.session = self.id = None
        # What was shown, by its number: the very text.
        self.shown, self.over = {}, False
        # After each kill: the newest event that had been shown, and the files.
        self.left = []
        # Behind which events something is said; words that were acknowledged, words that may have arrived.
        self.talks, self.said, self.unsure = [6, 14, 22] if number % 3 == 0 else [], [], []
        self.thread, self.wrong = None, None

    def begin(self):
        """Nobody knows what became of it where this is not answered."""
        self.thread = threading.Thread(target=self.go, daemon=True)
        self.thread.start()

    def go(self):
        try:
            if self.session is None:
                self.session = self.ask("POST", "/api/sessions", {"name": f"Run {self.number}"})["id"]
            if self.id is None:
                # One that was not answered may have been begun all the same.
                begun = self.ask("GET", f"/api/sessions/{self.session}/tasks")
                if len(begun) > 1:
                    raise Lost(f"run {self.number} was begun twice")
                task = {"description": agents.task(self.number), "model": "openai/gpt-4o-mini"}
                self.id = (begun[0] if begun else self.ask("POST", f"/api/sessions/{self.session}/tasks", task))["id"]
            while not self.over:
                self.watch()
                # Nobody works at it yet.
                time.sleep(0.1)
        except (OSError, http.client.HTTPException):
            pass
        except Exception as wrong:
            self.wrong = wrong

    def ask(self, method, path, body=None):
        status, answer = self.server.ask(method, path, body)
        if status == 503:
            raise Ending(answer)
        if status != 200:
            raise Lost(f"run {self.number}: {method} {path} is answered with {status} {answer}")
        return answer

    def watch(self):
        # Some go on behind the last event that they saw, others look at all of it again.
        after = max(self.shown, default=0) if self.number % 2 else 0
        for sequence, text in events(self.server, self.id, after):
            if sequence is None:
                continue
            if sequence != after + 1:
                raise Lost(f"run {self.number}: behind event {after} comes {sequence}")
            after = sequence
            if self.shown.setdefault(sequence, text) != text:
                raise Lost(f"run {self.number}: event {sequence} was {self.shown[sequence]}, and is {text}")
            event = json.loads(text)
            self.over = event["type"] == "status" and event["status"] in OVER
            if self.talks and sequence > self.talks[0]:
                self.say(f"Remember {self.number}-{self.talks.pop(0)}.")

    def say(self, words):
        for seconds in HASTE:
            self.hang_up(f"{words} ({seconds})", seconds)
        self.unsure.append(words)
        status, answer = self.server.ask("POST", f"/api/tasks/{self.id}/input", {"content": words})
        if status == 200:
            self.said.append(words)
        elif status == 409:
            self.unsure.remove(words)
        elif status != 503:
            raise Lost(f"run {self.number}: words are answered with {status} {answer}")

    def hang_up(self, words, seconds):
        """Says it, and is gone before long: whether it was heard or not, the run goes on."""
        self.unsure.append(words)
        body = json.dumps({"content": words})
        head = f"POST /api/tasks/{self.id}/input HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall((head + body).encode())
            time.sleep(seconds)

    def join(self, until=None):
        self.thread.join(max(0.0, until - time.monotonic()) if until else None)
        if self.wrong:
            raise self.wrong if isinstance(self.wrong, Lost) else Lost(f"run {self.number}: {self.wrong!r}")
        return not self.thread.is_alive()

    def files(self):
        """What calls with effects left, line by line."""
        files = {}
        for name in ("effects", "notes.txt"):
            try:
                with open(f"{self.server.data}/workspaces/{self.session}/{name}") as file:
                    files[name] = file.read().split("\n")
            except FileNotFoundError:
                files[name] = []
        return files

    def standing(self):
        """How it is after a kill: never lost, and as it was shown."""
        self.kills += 1
        if self.id is None:
            self.late = True
            return "unanswered"
        status = self.ask("GET", f"/api/tasks/{self.id}")["status"]
        if status not in ("pending", "running", "waiting", *OVER):
            raise Lost(f"run {self.number} is {status}")
        if self.over and status != json.loads(self.shown[max(self.shown)])["status"]:
            raise Lost(f"run {self.number} was over, and is {status}")
        return status


def killed(server, runs, politely=False):
    """Kills it, starts it again, and lets those who watched come back."""
    began = time.monotonic()
    if politely:
        server.end()
    server.kill()
    if time.monotonic() - began > LONGEST_END:
        raise Lost(f"an end took {time.monotonic() - began:.0f} s while runs were watched")
    for run in runs:
        run.join()
    # Programs end with the server, which they look for every few milliseconds.
    time.sleep(0.05)
    for run in runs:
        run.left.append((max(run.shown, default=0), run.files()))
    server.started()
    standing = Counter(run.standing() for run in runs)
    for run in runs:
        if not run.over:
            run.begin()
    return standing


def scene(options, home):
    model, chance = agents.Model(options.seed), random.Random(options.seed)
    server, sums, kills, cut, all_runs = with_model(options, home, model), Counter(), 0, Counter(), []
    server.started()
    try:
        for number in range(options.rounds):
            runs = [Run(server, 1000 * number + one) for one in range(options.runs)]
            asked, total = model.asked, sum(len(agents.story(options.seed, run.number)) + 1 for run in runs)
            for run in runs:
                run.begin()
            for moment in [chance.uniform(*moment) for moment in options.moments]:
                until = time.monotonic() + PATIENCE
                while model.asked - asked < moment * total and time.monotonic() < until:
                    time.sleep(0.002)
                time.sleep(chance.uniform(0, 0.1))
                kills, cut = kills + 1, cut + killed(server, runs, chance.random() < POLITE)
                # In the middle of picking up.
                if chance.random() < 0.3 and not options.shared:
                    time.sleep(chance.uniform(0, 0.1))
                    kills, cut = kills + 1, cut + killed(server, runs)
            until = time.monotonic() + PATIENCE
            late = [run.number for run in runs if not run.join(until) or not run.over]
            if late:
                raise Lost(f"these come to no end: {late}")
            all_runs += runs
        for run in all_runs:
            sums += Verdict(run).sums
        if model.odd:
            raise Lost(f"the model was asked oddly: {model.odd[:3]}")
    except BaseException:
        server.kill()
        raise
    server.end()
    checked(server)
    if not cut["running"] or not (sums["unknown"] or options.shared):
        raise Lost(f"nothing was in the middle of anything: {dict(cut)}, {dict(sums)}")
    name = "runs, shared" if options.shared else "runs"
    late = sum(run.late for run in all_runs)
    print(f"{name}: {kills} kills, {len(all_runs)} runs acknowledged, {late} of them only after a kill, all there; picked up "
          f"{sums['picked up']} times, {sums['completed']} completed, {sums['interrupted']} interrupted")
    print(f"{name}: {sums['shown']} events shown, all there and the same; {sums['void']} halves of answers taken back; "
          f"{sums['said']} words of people acknowledged, each told once")
    print(f"{name}: {sums['calls']} calls, {sums['effects']} of them with effects, none made twice; of {sums['unknown']} nobody "
          f"knew, and the model was told; {sums['again']} without harm were made again")


def main():
    made = parser(__doc__)
    made.add_argument("--rounds", type=int)
    made.add_argument("--runs", type=int, default=50)
    options = made.parse_args()
    rounds = options.rounds or (1 if options.short else 5)

    def alone(options, home):
        options.rounds, options.moments = rounds, MOMENTS
        scene(options, home)

    def shared(options, home):
        options.rounds, options.moments = 1, [(0.3, 0.6)]
        scene(options, home)

    # As in a takeover, where another process may be at work: runs are picked up when its lease is over.
    scenes = [("runs", alone, False)] + ([] if options.short else [("runs, shared", shared, True)])
    return play("runs", options, scenes)


if __name__ == "__main__":
    sys.exit(main())
