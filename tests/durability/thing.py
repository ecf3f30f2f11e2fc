"""What a caller knows of one thing that is kept: how it was, how it is, and how it may be."""

from server import Lost

UNSURE = object()


class Thing:
    """It has one state after the other, of which the first and perhaps the last is that there is none."""

    def __init__(self, load, own):
        self.load, self.own, self.id, self.touched = load, own, None, True
        # All that it was; and what it is where a request had no answer, or a bad one.
        self.history, self.maybe = [None], UNSURE

    @property
    def state(self):
        return self.history[-1]

    def idle(self):
        """Whether one knows all of it, and it can be gone on with."""
        return self.id is not None and self.state is not None and self.maybe is UNSURE

    def find(self, seen):
        """Its id, where it was made and nobody was told."""

    def attempt(self, after, wanted, method, path, body=None, key=None, audited=()):
        """Makes it `after`; gives the answer where that is acknowledged with the status `wanted`."""
        self.touched, self.maybe = True, after
        status, answer = self.load.server.ask(method, path, body, key=key)
        if status != wanted:
            self.load.refuse(self, status, answer)
            return None
        self.acknowledged(after, audited)
        return answer if answer is not None else True

    def acknowledged(self, after, audited=()):
        self.history.append(after)
        self.maybe = UNSURE
        self.load.acknowledge(self, audited)

    def check(self, found, earlier, settle):
        """It is found as it must be, or as it may be: nothing in between."""
        allowed = [*(self.history if earlier else self.history[-1:]), *([] if self.maybe is UNSURE else [self.maybe])]
        if found not in allowed:
            raise Lost(f"{self} is {found}, and was {self.state}" + ("" if self.maybe is UNSURE else f", perhaps {self.maybe}"))
        if settle and not earlier and self.maybe is not UNSURE:
            if found == self.maybe:
                self.history.append(found)
            self.maybe = UNSURE

    def __str__(self):
        return f"{type(self).__name__} {self.id}"


def read(server, path, key=None):
    """What is at `path`; nothing where there is nothing."""
    status, answer = server.ask("GET", path, key=key)
    if status not in (200, 404):
        raise Lost(f"{path} is answered with {status} {answer}")
    return answer if status == 200 else None


def by_name(seen, name):
    """The id of what is called so."""
    return next((id for id, view in seen.items() if view["name"] == name), None)
