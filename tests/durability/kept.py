"""Templates of sessions, tasks of agents, and answers of OpenAI's Responses API that are kept."""

from load import Thing

SESSIONS, RESPONSES = "/api/sessions", "/openai/v1/responses"
STATES = ("pending", "running", "waiting", "completed")


class Template(Thing):
    """Its state is what it says."""

    name = "template"
    path = "/api/v1/session-templates"
    fields = ("name", "description", "category", "is_public", "system_prompt")

    def write(self, chance):
        if self.known and chance.random() < 0.25:
            return self.delete(chance)
        body = {"name": self.label, "description": ("words " * chance.randint(*self.caller.load.words))[:10_000],
                "category": chance.choice(["A", "B", None]), "is_public": chance.random() < 0.5,
                "system_prompt": f"{chance.random()}"}
        if self.known:
            self.attempt([body], "PUT", f"{self.path}/{self.id}", body)
        else:
            self.id = self.attempt([body], "POST", self.path, body)["id"]
        self.settle(body)

    def delete(self, chance):
        self.attempt([None], "DELETE", f"{self.path}/{self.id}")
        self.over = True
        self.settle(None)

    def look(self):
        if self.id is None:
            found = [one["id"] for one in self.caller.pages(self.path) if one["name"] == self.label]
            if not found:
                return None
            self.id = found[0]
        status, found = self.caller.ask("GET", f"{self.path}/{self.id}")
        return None if status == 404 else {name: found[name] for name in self.fields}


class Tasks(Thing):
    """A session of the agent API; its state is what its tasks are to do, in their order; runs.py proves how they go on."""

    name = "agent session"

    def write(self, chance):
        if self.known is None:
            self.id = self.attempt([[]], "POST", SESSIONS, {"name": self.label})["id"]
            return self.settle([])
        if self.known and chance.random() < 0.3:
            self.attempt([None], "DELETE", f"{SESSIONS}/{self.id}")
            self.over = True
            return self.settle(None)
        file = f'{{"file_path": "a.txt", "content": "{chance.getrandbits(64):016x}"}}'
        body = {"description": f"{chance.getrandbits(64):016x} [[tool write_file {file}]]", "model": "echo/echo"}
        state = [*self.known, body["description"]]
        self.attempt([state], "POST", f"{SESSIONS}/{self.id}/tasks", body)
        self.settle(state)

    def look(self):
        if self.id is None:
            found = [one["id"] for one in self.caller.ask("GET", SESSIONS)[1] if one["name"] == self.label]
            if not found:
                return None
            self.id = found[0]
        status, tasks = self.caller.ask("GET", f"{SESSIONS}/{self.id}/tasks")
        if status == 404:
            return None
        wrong = [task for task in tasks if task["status"] not in STATES]
        return wrong or [task["description"] for task in reversed(tasks)]


class Response(Thing):
    """Its state is what was said, and after which one."""

    name = "response"

    def write(self, chance):
        if self.known and chance.random() < 0.3:
            self.attempt([None], "DELETE", f"{RESPONSES}/{self.id}")
            self.over = True
            return self.settle(None)
        # One that goes on is another one.
        made = Response(self.caller, chance) if self.known else self
        if made is not self:
            self.caller.things.append(made)
        # Behind one whose own forerunner may be gone nobody can go on.
        made.make(self.id if self.known and not self.known[1] else None, f"{chance.getrandbits(64):016x}")

    def make(self, before, said):
        # Nobody who was not answered knows what it is called.
        body = {"model": "echo/echo", "input": said, "store": True, **({"previous_response_id": before} if before else {})}
        made = self.attempt([None], "POST", RESPONSES, body)
        self.id = made["id"]
        self.settle((said, before))

    def look(self):
        if self.id is None:
            return None
        status, found = self.caller.ask("GET", f"{RESPONSES}/{self.id}")
        if status == 404:
            return None
        words = "".join(part["text"] for item in found["output"] for part in item.get("content", ()))
        return words, found["previous_response_id"]

    def resolve(self, found):
        self.over = self.over or found is None
        super().resolve(found)
