"""Sessions with all that is in them."""

import http.client
import io
import json
import os
import tarfile

from load import Thing
from server import Lost

OVER = ("completed", "terminated")
# What a tool writes beside a file before it stands in its place: one that was cut stays until the next is written there.
BESIDE = ".mortise-"
# An archive that isn't one.
BROKEN_OFF = ("broken off", None)


class Session(Thing):
    """Its state is what it is called, how it stands, what was said and done in it, its files, and what is in its archive."""

    name = "session"
    path = "/api/v1/sessions"
    tools = True

    def write(self, chance):
        if self.known is None:
            return self.create(chance)
        status = self.known["status"]
        ways = {self.rename: 1, self.fork: 1, self.archive: 1, self.delete: 1}
        if status in ("created", "active"):
            ways |= {self.ask: 4, self.pause: 1, self.complete: 0.5}
            ways |= {self.ask_with_tool: 2, self.call: 2} if self.tools else {}
        if status in ("created", "paused"):
            ways[self.resume] = 1
        if status not in OVER and status != "archived":
            ways[self.terminate] = 0.5
        else:
            ways[self.archive] = 4 if status in OVER else 0
        chance.choices(list(ways), list(ways.values()))[0](chance)

    def words(self, chance):
        return f"{chance.getrandbits(64):016x} " + ("word " * chance.randint(*self.caller.load.words)).strip()

    def create(self, chance):
        options = {"allowed_tools": ["write_file"], "permission_mode": "bypassPermissions"}
        body = {"name": self.label, "description": self.words(chance)[:5000], "sdk_options": options}
        state = {"name": self.label, "description": body["description"], "status": "created", "messages": [], "calls": [],
                 "files": {}, "archive": None}
        self.id = self.attempt([state], "POST", self.path, body)["id"]
        self.settle(state)

    def rename(self, chance):
        state = self.but(name=f"{self.label} {chance.random()}")
        self.attempt([state], "PATCH", f"{self.path}/{self.id}", {"name": state["name"]})
        self.settle(state)

    def become(self, status, method, path, body):
        self.attempt([self.but(status=status)], method, f"{self.path}/{self.id}{path}", body)
        self.settle(self.but(status=status))

    def pause(self, chance):
        self.become("paused", "POST", "/pause", {})

    def resume(self, chance):
        self.become("active", "POST", "/resume", {})

    def complete(self, chance):
        self.become("completed", "PATCH", "", {"status": "completed"})

    def terminate(self, chance):
        self.become("terminated", "PATCH", "", {"status": "terminated"})

    def ask(self, chance):
        said = self.words(chance)
        messages = [("user", said, True), ("assistant", said, True)]
        after = self.but(status="active", messages=[*self.known["messages"], *messages])
        self.query(chance, said, after)
        self.settle(after)

    def query(self, chance, said, after):
        """Asks, half of the time for a stream, whose end is the answer's."""
        self.begin([self.turn(after)])
        path = f"{self.path}/{self.id}/query"
        accept = "text/event-stream" if chance.random() < 0.5 else "application/json"
        with self.caller.server.asking("POST", path, {"message": said}, self.caller.key, accept=accept) as response:
            text = response.read()
        if response.status != 200:
            raise self.caller.load.refuse(response.status, text, path)
        if "stream" in accept:
            events = [json.loads(line[6:]) for line in text.split(b"\n") if line.startswith(b"data: ")]
            if not events or events[-1]["type"] != "end":
                raise http.client.IncompleteRead(text)
            if events[-1]["response"] is None:
                raise self.caller.load.refuse(503, events[-2], path)
            text = json.dumps(events[-1]["response"])
        words = json.loads(text)["content"]["text"]
        if words != after["messages"][-1][1]:
            raise Lost(f"{self.label} answers {words!r} to {said!r}")

    def ask_with_tool(self, chance):
        said, file = self.words(chance), self.file(chance)
        what = f"{'wrote' if file['file_path'] in self.known['files'] else 'created'} {file['file_path']} " \
               f"(1 lines, {len(file['content'])} bytes)"
        asked = f'{said} [[tool write_file {{"file_path": "{file["file_path"]}", "content": "{file["content"]}"}}]]'
        # What a tool gave back is no words of a message, but a part of another kind.
        messages = [("user", asked, True), ("assistant", said, True), ("result", "", True), ("assistant", what, True)]
        after = self.but(status="active", messages=[*self.known["messages"], *messages],
                         calls=[*self.known["calls"], ("write_file", file, what, "success")],
                         files={**self.known["files"], file["file_path"]: file["content"]})
        self.query(chance, asked, after)
        self.settle(after)

    def turn(self, after):
        """Of a turn that nobody answered there is nothing, some of its steps, or all of it; the last may be cut off."""
        before = self.known

        def within(found, name):
            least, most = len(before[name]), len(after[name])
            return least <= len(found[name]) <= most and found[name][:-1] == after[name][:max(0, len(found[name]) - 1)]

        def possible(found):
            if found is None or not within(found, "messages") or not within(found, "calls"):
                return False
            last, place = found["messages"][-1:], len(found["messages"]) - 1
            whole = not last or last[0] == after["messages"][place]
            cut = (last and place >= len(before["messages"]) and not last[0][2]
                   and after["messages"][place][1].startswith(last[0][1]))
            fixed = all(found[name] == before[name] for name in ("name", "description", "archive"))
            return (fixed and (whole or cut) and found["calls"] == after["calls"][:len(found["calls"])]
                    and found["files"] in (before["files"], after["files"])
                    and (len(found["calls"]) == len(before["calls"]) or found["files"] == after["files"])
                    and found["status"] in (before["status"], after["status"]))
        return possible

    def file(self, chance):
        content = f"{chance.getrandbits(64):016x}" * chance.choice([1, 4, 300])
        return {"file_path": chance.choice(["a.txt", "b.txt", "notes/c.txt"]), "content": content}

    def call(self, chance):
        file = self.file(chance)
        state = self.but(files={**self.known["files"], file["file_path"]: file["content"]})
        self.attempt([state], "POST", "/api/v1/tools/write_file/call", {"arguments": file, "session_id": self.id})
        self.settle(state)

    def fork(self, chance):
        files, at, messages = chance.random() < 0.7, None, self.known["messages"]
        if not self.known["calls"] and messages and chance.random() < 0.3:
            at = chance.randint(0, len(messages))
        twin = type(self)(self.caller, chance)
        self.caller.things.append(twin)
        body = {"name": twin.label, "include_working_directory": files}
        if at is not None:
            body["fork_at_message"] = at
        state = self.but(name=twin.label, status="created", messages=messages[:at], archive=None)
        state["files"] = state["files"] if files else {}
        twin.id = twin.attempt([state], "POST", f"{self.path}/{self.id}/fork", body)["id"]
        twin.settle(state)

    def archive(self, chance):
        status = "archived" if self.known["status"] in OVER else self.known["status"]
        after = self.but(status=status, archive=("completed", sorted(self.known["files"])))
        # It is begun, made, and then the session is an archived one.
        maybe = [self.but(archive=BROKEN_OFF), self.but(archive=after["archive"]), after]
        self.attempt(maybe, "POST", f"{self.path}/{self.id}/archive", {})
        self.settle(after)

    def delete(self, chance):
        self.attempt([None], "DELETE", f"{self.path}/{self.id}")
        self.settle(None)
        self.over = True

    def resolve(self, found):
        # A turn may still be held by whoever is gone.
        self.over = self.over or found is None or any(map(callable, self.maybe))
        super().resolve(found)

    def look(self):
        if self.id is None:
            found = [one["id"] for one in self.caller.pages(self.path) if one["name"] == self.label]
            if len(found) != 1:
                return f"{len(found)} sessions of that name" if found else None
            self.id = found[0]
        status, session = self.caller.ask("GET", f"{self.path}/{self.id}")
        directory = f"{self.caller.server.data}/workspaces/{self.id}"
        if status == 404:
            return "there no more, but its files are" if self.gone and os.path.exists(directory) else None
        messages = [(one["message_type"], one["content"]["content"], one.get("complete", True))
                    for one in self.caller.pages(f"{self.path}/{self.id}/messages")]
        calls = [(one["tool_name"], one["tool_input"], one["tool_output"], one["status"])
                 for one in self.caller.pages(f"{self.path}/{self.id}/tool-calls")]
        if (session["total_messages"], session["total_tool_calls"]) != (len(messages), len(calls)):
            return f"{session}, with {len(messages)} messages and {len(calls)} calls"
        if not os.path.isdir(directory):
            return "there, without its directory"
        return {"name": session["name"], "description": session["description"],
                "status": "active" if session["status"] == "processing" else session["status"],
                "messages": messages, "calls": calls, "files": self.files(directory), "archive": self.archived()}

    def files(self, directory):
        files = {}
        for folder, _, names in os.walk(directory):
            for name in names:
                if not name.startswith(BESIDE):
                    with open(f"{folder}/{name}") as file:
                        files[os.path.relpath(f"{folder}/{name}", directory)] = file.read()
        return files

    def archived(self):
        status, archive = self.caller.ask("GET", f"{self.path}/{self.id}/archive")
        if status == 404:
            return None
        if archive["status"] != "completed":
            # That nobody makes it any more is found out later where another process may make it.
            return BROKEN_OFF
        with self.caller.server.asking("GET", archive["download_url"], key=self.caller.key) as response:
            try:
                with tarfile.open(fileobj=io.BytesIO(response.read())) as tar:
                    names = [one.name for one in tar if one.isfile() and one.name.startswith("workspace/")]
            except (tarfile.TarError, OSError, EOFError) as wrong:
                return "completed", f"{wrong!r}"
        names = [name.removeprefix("workspace/") for name in names]
        return "completed", sorted(names)
