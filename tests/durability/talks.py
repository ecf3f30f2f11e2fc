"""Conversations and sessions: what was said in them, message for message."""

import os

from server import Lost
from thing import Thing, by_name, read

SESSIONS = "/api/v1/sessions"
# How a session is that was being asked when the server ended.
BUSY = "processing"


class Talk(Thing):
    """What was said: who, the words (none where they aren't known yet), whether all of them are there, calls of tools in it."""

    def __init__(self, load, own):
        super().__init__(load, own)
        self.said, self.pending, self.turns = [], None, 0
        # Somebody may still be taken to work in it who has ended.
        self.stale = False

    def idle(self):
        return super().idle() and self.pending is None and not self.stale

    def told(self, rows):
        """A turn that was acknowledged."""
        self.said += rows
        self.turns += 1
        self.pending = None
        self.load.acknowledge(self)

    def compare(self, rows, earlier, settle):
        """`rows` are what was acknowledged; of what was being said there may be nothing, its beginning, or all."""
        if earlier:
            known = [*self.said, *([["user", self.pending, True, 0]] if self.pending else [])]
            for number, (row, old) in enumerate(zip(rows, known)):
                begun = number + 1 == len(rows) and not row[2] and (old[1] is None or old[1].startswith(row[1]))
                if not begun and not same(row, old):
                    raise Lost(f"{self}: message {number + 1} is {row}, and was {old}")
            if len(rows) > len(known) and not self.pending:
                raise Lost(f"{self} has something that nobody wrote: {rows[len(known):]}")
            return
        before, rest = rows[:len(self.said)], rows[len(self.said):]
        if len(before) < len(self.said):
            raise Lost(f"{self} has {len(before)} messages of {len(self.said)} that were acknowledged")
        for number, (row, old) in enumerate(zip(before, self.said)):
            if not same(row, old):
                raise Lost(f"{self}: message {number + 1} is {row}, and was {old}")
            # What was left open is so from here on.
            old[1] = row[1]
        if rest and (self.pending is None or rest[0][:3] != ["user", self.pending, True]
                     or any(role not in ("assistant", "result") for role, *_ in rest[1:])
                     or not all(complete for _, _, complete, _ in rest[:-1])):
            raise Lost(f"{self} has something that nobody wrote: {rest}")
        if settle and self.pending is not None:
            whole = len(rest) > 1 and rest[-1][0] == "assistant" and rest[-1][2] and not rest[-1][3]
            self.said += rest
            self.pending, self.stale = None, self.stale or not whole


def same(row, old):
    return row[0] == old[0] and (old[1] is None or row[1] == old[1]) and row[2] == old[2]


class Conversation(Talk):
    """Begun by a name that keeps it, gone on with by way of the chat, deleted."""

    PATH = "/api/v1/conversations"

    def begin(self, chance):
        self.say(chance)

    def go_on(self, chance):
        if chance.random() < 0.08:
            self.attempt(None, 204, "DELETE", f"{self.PATH}/{self.id}")
        else:
            self.say(chance)

    def say(self, chance):
        self.touched, text = True, self.load.text(chance)
        self.pending = text
        server, how = self.load.server, chance.random()
        if self.id is None or how < 0.2:
            body = {"message": text, **({"conversation_id": self.id} if self.id else {})}
            status, answer = server.ask("POST", self.PATH, body)
            response = answer.get("response")
        elif how < 0.7:
            status, answer = server.ask("POST", "/api/v1/chat", {"message": text, "conversation_id": self.id})
            response = answer.get("response")
        else:
            status, answer = server.stream("/api/v1/chat/stream", {"message": text, "conversation_id": self.id})
            response = "".join(event["content"] for event in answer if event["type"] == "token") if status == 200 else None
            errors = [event for event in answer if event["type"] == "error"] if status == 200 else []
            status, answer = (500, errors[0]) if errors else (status, answer)
        if status != 200:
            self.load.refuse(self, status, answer)
            return
        if self.id is None:
            self.id = answer["conversation_id"]
            self.history.append(True)
        self.told([["user", text, True, 0], ["assistant", response, True, 0]])

    def verify(self, server, seen, earlier, settle):
        found = read(server, f"{self.PATH}/{self.id}")
        self.check(found and True, earlier, settle)
        if found:
            rows = [[one["role"], one["content"], one.get("complete", True), 0] for one in found["messages"]]
            if found["message_count"] != len(rows):
                raise Lost(f"{self} counts {found['message_count']} messages, and has {len(rows)}")
            self.compare(rows, earlier, settle)


class Session(Talk):
    """Made, asked with tools, forked, paused and resumed, named anew, ended, deleted."""

    def begin(self, chance):
        self.name = f"session {chance.getrandbits(64):016x}"
        options = {"provider": "echo", "allowed_tools": ["calculate"]}
        self.made({"name": self.name, "status": "created"}, SESSIONS, {"name": self.name, "sdk_options": options})

    def made(self, after, path, body):
        answer = self.attempt(after, 201, "POST", path, body)
        self.id = answer["id"] if answer else None
        if answer and answer["total_messages"] != len(self.said):
            raise Lost(f"{self} was made with {answer['total_messages']} messages of {len(self.said)}")

    def go_on(self, chance):
        path, status, what = f"{SESSIONS}/{self.id}", self.state["status"], chance.random()
        if what < 0.06:
            self.attempt(None, 204, "DELETE", path)
        elif what < 0.18:
            self.fork(chance)
        elif what < 0.23:
            self.name = f"session {chance.getrandbits(64):016x}"
            self.attempt({**self.state, "name": self.name}, 200, "PATCH", path, {"name": self.name})
        elif status == "paused":
            self.attempt({**self.state, "status": "active"}, 200, "POST", f"{path}/resume")
        elif status == "terminated":
            pass
        elif what < 0.33:
            self.attempt({**self.state, "status": "paused"}, 200, "POST", f"{path}/pause")
        elif what < 0.35:
            self.attempt({**self.state, "status": "terminated"}, 200, "PATCH", path, {"status": "terminated"})
        else:
            self.ask(chance)

    def fork(self, chance):
        one, at = Session(self.load, self.own), chance.choice([None, chance.randint(0, len(self.said))])
        one.name = f"session {chance.getrandbits(64):016x}"
        one.said = self.said[:len(self.said) if at is None else at]
        body = {"name": one.name, **({} if at is None else {"fork_at_message": at})}
        self.load.add(one).made({"name": one.name, "status": "created"}, f"{SESSIONS}/{self.id}/fork", body)

    def ask(self, chance):
        text, rows = self.load.text(chance), []
        if chance.random() < 0.3:
            sum_ = [chance.randint(1, 99), chance.randint(1, 99)]
            text += ' [[tool calculate {"expression": "%d+%d"}]]' % tuple(sum_)
            rows = [["assistant", None, True, 1], ["result", str(sum(sum_)), True, 0]]
        elif chance.random() < 0.3:
            # Word by word: what was said until the end of the server stays, and is called incomplete.
            text = "[[wait 5]] " + text
        self.touched, self.pending = True, text
        path = f"{SESSIONS}/{self.id}/query"
        if chance.random() < 0.5:
            status, answer = self.load.server.ask("POST", path, {"message": text})
        else:
            status, answer = self.load.server.stream(path, {"message": text})
            if status == 200:
                errors = [event for event in answer if event["type"] == "error"]
                status, answer = (500, errors[0]) if errors else (200, answer[-1]["response"])
        if status != 200:
            self.load.refuse(self, status, answer)
            return
        if len(answer["tool_calls"]) != sum(row[3] for row in rows):
            raise Lost(f"{self}: {text!r} is answered with {answer}")
        self.history.append({**self.state, "status": "active"})
        self.told([["user", text, True, 0], *rows, ["assistant", answer["content"]["text"], True, 0]])

    def find(self, seen):
        if seen and not self.id:
            self.id = by_name(seen["sessions"], self.name)

    def verify(self, server, seen, earlier, settle):
        found = read(server, f"{SESSIONS}/{self.id}")
        if not earlier and (seen["sessions"].get(self.id) is None) != (found is None):
            raise Lost(f"{self} is {'not ' if found is None else ''}there, and is {'' if found is None else 'not '}listed")
        if found is None:
            self.check(None, earlier, settle)
            self.gone(server)
            return
        was, now = self.pending is not None or self.stale, {"name": found["name"], "status": found["status"]}
        if not earlier:
            if was and now["status"] in (BUSY, "active"):
                # It was being asked, and is, or was, or nobody noticed.
                self.stale = self.stale or now["status"] == BUSY
                now["status"] = self.state["status"]
            self.check(now, earlier, settle)
        rows, calls = self.messages(server), self.items(server, "tool-calls")
        if (found["total_messages"], found["total_tool_calls"]) != (len(rows), len(calls)):
            raise Lost(f"{self} has {len(rows)} messages and {len(calls)} calls, and counts {found}")
        if not earlier and not self.turns <= found["turn_count"] <= self.turns + was:
            raise Lost(f"{self} counts {found['turn_count']} turns of {self.turns}")
        before = len(self.said)
        self.compare(rows, earlier, settle)
        if settle and not earlier:
            self.turns = found["turn_count"]
            self.settle_calls(rows[before:], len(calls))
            if was and found["status"] == "active":
                self.history.append({**self.state, "status": "active"})
        known = sum(row[3] for row in self.said)
        if not earlier and self.pending is None and len(calls) != known:
            raise Lost(f"{self} has {len(calls)} calls of {known}")

    def settle_calls(self, rest, calls):
        """A call that the model asked for, and that was not made."""
        more = sum(row[3] for row in self.said) - calls
        for row in reversed(rest):
            less = min(row[3], max(more, 0))
            row[3] -= less
            more -= less

    def messages(self, server):
        rows = []
        for number, one in enumerate(self.items(server, "messages")):
            if one["sequence_number"] != number + 1:
                raise Lost(f"{self}: message {number + 1} has the number {one['sequence_number']}")
            content = one["content"]
            blocks = content.get("blocks", [])
            words = content["content"] + "".join(block["content"] for block in blocks if block["type"] == "tool_result")
            calls = sum(block["type"] == "tool_use" for block in blocks)
            rows.append([one["message_type"], words, one.get("complete", True), calls])
        return rows

    def items(self, server, what):
        items, link = [], f"{SESSIONS}/{self.id}/{what}?limit=100"
        while link:
            page = read(server, link)
            if page is None:
                raise Lost(f"{self} is there, and its {what} are not")
            items += page["items"]
            link = page["links"]["next"]
        if page["total"] != len(items):
            raise Lost(f"{self} has {len(items)} {what}, and {page['total']} are counted")
        return items

    def gone(self, server):
        """Nothing of it is left where that was acknowledged."""
        if len(self.history) > 1 and read(server, f"{SESSIONS}/{self.id}/messages"):
            raise Lost(f"{self} is gone, and its messages are not")
        if self.state is None and len(self.history) > 2 and os.path.exists(f"{server.data}/workspaces/{self.id}"):
            self.load.left.append(self.id)
