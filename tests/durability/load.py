"""Callers who write all sorts of things until they are told to stop, and who look afterwards whether all of it is there."""

import http.client
import json
import random
import threading
import time
from collections import Counter

from accounts import Member, Robot
from kept import Response, Template
from server import Lost
from talks import Conversation, Session

CALLERS = 8
# What is written how often, and how often that is done to one that is there.
KINDS = {Conversation: (30, 0.8), Session: (40, 0.85), Response: (12, 0.7), Template: (6, 0.6), Member: (10, 0.85), Robot: (5, 0.85)}
# Of those that nobody has touched since they were last looked at, so many are looked at again; at the end, all.
AGAIN = 25
# Those of a caller that are still gone on with.
REMEMBERED = 80


class Load:
    """See the file."""

    def __init__(self, server, seed, words=(1, 60)):
        self.server, self.words, self.stop = server, words, False
        self.things, self.refused, self.odd, self.lock = [], [], [], threading.Lock()
        self.random = random.Random(seed)
        self.own = [[] for _ in range(CALLERS)]
        # What was acknowledged, by kind; what the audit log has to say of it.
        self.counts, self.audited = Counter(), Counter()

    def run(self):
        self.stop = False
        self.threads = [threading.Thread(target=self.write, args=(own, self.random.random())) for own in self.own]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()

    def write(self, own, seed):
        chance = random.Random(seed)
        kinds, weights = list(KINDS), [weight for weight, _ in KINDS.values()]
        while not self.stop:
            kind = chance.choices(kinds, weights)[0]
            idle = [one for one in own[-REMEMBERED:] if type(one) is kind and one.idle()]
            try:
                if idle and chance.random() < KINDS[kind][1]:
                    chance.choice(idle).go_on(chance)
                else:
                    self.add(kind(self, own)).begin(chance)
            except (OSError, http.client.HTTPException):
                # Nobody knows what became of it.
                time.sleep(0.005)

    def add(self, thing):
        thing.own.append(thing)
        with self.lock:
            self.things.append(thing)
        return thing

    def text(self, chance):
        return f"{chance.getrandbits(64):016x} " + " ".join(["word"] * chance.randint(*self.words))

    def acknowledge(self, thing, audited=()):
        with self.lock:
            self.counts[type(thing).__name__] += 1
            self.audited.update(audited)

    def refuse(self, thing, status, answer):
        # What is refused may have been begun.
        code = answer.get("error_code") if isinstance(answer, dict) else None
        with self.lock:
            (self.refused if status == 503 or code == "OVERLOADED" else self.odd).append((type(thing).__name__, status, answer))
        time.sleep(0.01)

    def acknowledged(self):
        return sum(self.counts.values())

    def of(self, kind):
        return [thing for thing in self.things if type(thing) is kind]

    def verify(self, earlier=False, whole=False, settle=True):
        """Reads again what was written, `whole` or what is new of it and some of the rest.

        `earlier` allows the end of it to be missing, where the disk itself was damaged. What nobody knew is known from here on,
        where `settle` says that nothing more comes of it.
        """
        old = [thing for thing in self.things if not thing.touched]
        chosen = set(self.things if whole or earlier else self.random.sample(old, min(AGAIN, len(old))))
        chosen.update(thing for thing in self.things if thing.touched)
        seen = {} if earlier else self.lists()
        for thing in self.things:
            thing.find(seen)
        for thing in self.things:
            if thing in chosen and thing.id:
                thing.verify(self.server, seen, earlier, settle)
                thing.touched = thing.touched and (earlier or not settle)
        if not earlier:
            self.totals(seen)

    def lists(self):
        """All that is listed, each list read to its end: nothing stands in it twice, and it is as long as it says."""
        admin, seen = self.server.admin, {}
        for name, path, key in [("sessions", "/api/v1/sessions", None), ("templates", "/api/v1/session-templates", None),
                                ("users", "/api/v1/admin/users", admin), ("keys", "/api/v1/admin/keys", admin)]:
            items, link = [], f"{path}?limit=100"
            while link:
                status, page = self.server.ask("GET", link, key=key)
                if status != 200:
                    raise Lost(f"{link} is answered with {status} {page}")
                items += page["items"]
                link = page["links"]["next"]
            seen[name] = {item["id"]: item for item in items}
            if len(seen[name]) != len(items) or page["total"] != len(items):
                raise Lost(f"{path} says {page['total']}, and lists {len(items)}, {len(seen[name])} of them different")
        return seen

    def totals(self, seen):
        """Nothing is listed that nobody made, and what is counted is what there is."""
        names = {"sessions": Session, "templates": Template}
        for name, kind in names.items():
            strange = set(seen[name]) - {thing.id for thing in self.of(kind)}
            if strange:
                raise Lost(f"{name} that nobody made: {sorted(strange)[:3]}")
        statuses = Counter(view["status"] for view in seen["sessions"].values())
        for status in ("created", "active", "paused", "terminated"):
            total = self.server.ask("GET", f"/api/v1/sessions?limit=1&status={status}")[1]["total"]
            if total != statuses[status]:
                raise Lost(f"{statuses[status]} sessions are {status}, and {total} are counted")
        stats = self.server.ask("GET", "/api/v1/admin/stats", key=self.server.admin)[1]
        sessions = len(seen["sessions"]) + sum(robot.present(self.server) for robot in self.of(Robot))
        if (stats["total_users"], stats["total_sessions"]) != (len(seen["users"]), sessions):
            raise Lost(f"there are {len(seen['users'])} users and {sessions} sessions, and {stats} are counted")

    def audit(self):
        """The log of security events knows each that was acknowledged."""
        text = self.server.read("GET", "/api/v1/admin/audit", key=self.server.admin, timeout=120)[1]
        events = Counter()
        for line in text.splitlines():
            event = json.loads(line)
            events[event["action"], event["subject"]] += event["outcome"] == "ok"
        missing = self.audited - events
        if missing:
            raise Lost(f"the audit log doesn't know of {list(missing)[:3]}")

