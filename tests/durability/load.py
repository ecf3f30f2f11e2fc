"""Callers who write until they are told to stop, or nobody answers any more; what they know is compared with what is there.

A kind of thing that can be written is a class beside this one: how it is written, and how it looks.
"""

import contextlib
import copy
import http.client
import random
import threading
import time

from server import Lost

CALLERS = 8
# Things that didn't change since they were last looked at, of which so many are looked at again.
SAMPLE = 60


class Refused(Exception):
    """It was answered, and not done."""


class Thing:
    """Something that a caller makes, changes and deletes. A state of it is what `look` finds: plain values, None where it
    isn't there. `known` is what was acknowledged; `maybe` is what may be instead, because nobody answered: states, or
    functions that say whether a state can be."""

    name = "thing"

    def __init__(self, caller, chance):
        self.caller, self.label = caller, f"{self.name}-{chance.getrandbits(64):016x}"
        self.id, self.known, self.maybe, self.history, self.acknowledged = None, None, [], [None], 0
        # Whether it is written to no more, was looked at since it was, and was acknowledged to be gone.
        self.over, self.looked, self.gone = False, False, False

    def write(self, chance):
        """One write: `attempt`, and `settle` where it is acknowledged."""
        raise NotImplementedError

    def look(self):
        raise NotImplementedError

    def begin(self, maybe):
        """From here until `settle` says what came of it, a write may have come to `maybe`."""
        self.maybe, self.looked = maybe, False
        # Of a write that is acknowledged later, a disk may hold what was on the way.
        self.history += [state for state in maybe if callable(state)]

    def attempt(self, maybe, method, path, body=None, key=None):
        self.begin(maybe)
        status, answer = self.caller.ask(method, path, body, key)
        if status not in (200, 201, 204):
            raise self.caller.load.refuse(status, answer, f"{method} {path}")
        return answer

    def settle(self, state):
        self.known, self.maybe, self.gone = state, [], state is None
        self.history.append(copy.deepcopy(state))
        self.acknowledged += 1

    def but(self, **parts):
        """The state that is known, with other parts."""
        return {**copy.deepcopy(self.known), **parts}

    def check(self, earlier):
        found, self.looked = self.look(), True
        possible = [self.known, *self.maybe] if not earlier else [*self.history, *self.maybe]
        if not any(state(found) if callable(state) else state == found for state in possible):
            raise Lost(f"{self.label} ({self.id}): {apart(found, self.known)}; on the way: "
                       f"{[apart(state, self.known) for state in self.maybe]}")
        if not earlier and self.maybe:
            self.resolve(found)

    def resolve(self, found):
        """Nobody answered; from here on it is what it is."""
        self.known, self.maybe = found, []
        self.history.append(copy.deepcopy(found))

    def is_free(self):
        return not self.over and not self.maybe


def apart(found, known):
    """Where a state is another than that which is known, in not too many words."""
    if isinstance(found, dict) and isinstance(known, dict):
        parts = [part for part in known if found.get(part) != known[part]]
        return "; ".join(f"{part}: {apart(found.get(part), known[part])}" for part in parts)
    if isinstance(found, list) and isinstance(known, list):
        equal = (one == other for one, other in zip(found, known))
        first = next((place for place, same in enumerate(equal) if not same), min(len(found), len(known)))
        found, known = (f"{len(many)} with {many[first:first + 3]} from the {first}th on" for many in (found, known))
    return f"found {str(found)[:500]}, not {str(known)[:500]}"


class Caller:
    """Who writes, and what all of it came to. It has a key that nobody takes away."""

    def __init__(self, load, number, key):
        self.load, self.server, self.number, self.key, self.things = load, load.server, number, key, []

    def ask(self, method, path, body=None, key=None):
        return self.server.ask(method, path, body, key or self.key)

    def admin(self, method, path, body=None):
        return self.server.ask(method, path, body, self.load.root)

    def pages(self, path, key=None):
        """All of a list."""
        skip = 0
        while True:
            status, page = self.ask("GET", f"{path}{'&' if '?' in path else '?'}limit=100&skip={skip}", key=key)
            if status != 200:
                raise Lost(f"{path} is answered with {status} {page}")
            yield from page["items"]
            skip += 100
            if skip >= page["total"]:
                return

    def write(self, seed):
        chance = random.Random(seed)
        while not self.load.stop:
            kind = chance.choices(list(self.load.kinds), list(self.load.kinds.values()))[0]
            live = [thing for thing in self.things[-200:] if type(thing) is kind and thing.is_free()]
            if live and chance.random() < self.load.again:
                thing = chance.choice(live)
            else:
                thing = kind(self, chance)
                self.things.append(thing)
            try:
                thing.write(chance)
            except (OSError, http.client.HTTPException):
                # Nobody knows what became of it.
                time.sleep(0.005)
            except Refused:
                time.sleep(0.01)
            except Exception as wrong:
                self.load.wrong.append(wrong)
                return


class Load:
    """`kinds` are the classes of what is written, each with how often it is; `again` is how often one that is there is
    written to. `root` is an administrator's key."""

    def __init__(self, server, root, seed, kinds, words=(1, 60), again=0.8):
        self.server, self.root, self.kinds, self.words, self.again, self.stop = server, root, kinds, words, again, False
        self.refused, self.odd, self.wrong, self.callers, self.earlier = [], [], [], [], False
        self.random = random.Random(seed)

    def enter(self):
        """Callers come in; while a server runs."""
        for number in range(CALLERS):
            body = {"name": f"caller-{number}", "limits": {"tokens_per_day": 10**12}}
            status, made = self.server.ask("POST", "/api/v1/admin/keys", body, self.root)
            if status != 201:
                raise Lost(f"no key is made: {status} {made}")
            self.callers.append(Caller(self, number, made["key"]))

    def things(self):
        return [thing for caller in self.callers for thing in caller.things]

    def run(self):
        self.stop = False
        self.threads = [threading.Thread(target=caller.write, args=(self.random.random(),)) for caller in self.callers]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()
        if self.wrong:
            raise self.wrong[0]

    def delete_half(self):
        """Takes half of what is there away; says how much that is."""
        there = [thing for thing in self.things() if thing.known is not None and thing.is_free()]
        chosen = self.random.sample(there, len(there) // 2)
        for thing in chosen:
            with contextlib.suppress(Refused):
                thing.delete(self.random)
        return len(chosen)

    def refuse(self, status, answer, what):
        # What is refused may have been begun.
        (self.refused if status == 503 else self.odd).append((what, status, answer))
        return Refused(status)

    def acknowledged(self):
        return sum(thing.acknowledged for thing in self.things())

    def by_kind(self):
        sums = {kind.name: 0 for kind in self.kinds}
        for thing in self.things():
            sums[thing.name] = sums.get(thing.name, 0) + thing.acknowledged
        return ", ".join(f"{count} of {name}s" for name, count in sums.items())

    def verify(self, earlier=False, all_of_it=False):
        """Reads what was written since, and some of the rest, or all of it. `earlier` allows all to be as it was at any
        time, where the disk itself was damaged."""
        self.earlier = earlier
        changed = [thing for thing in self.things() if not thing.looked or earlier or all_of_it]
        rest = [thing for thing in self.things() if thing.looked and not (earlier or all_of_it)]
        for thing in changed + self.random.sample(rest, min(SAMPLE, len(rest))):
            thing.check(earlier)
        if self.odd:
            raise Lost(f"odd answers: {self.odd[:3]}")
