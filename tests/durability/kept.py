"""Templates of sessions, and answers of the Responses API."""

from thing import Thing, by_name, read

TEMPLATES = "/api/v1/session-templates"
RESPONSES = "/openai/v1/responses"


class Template(Thing):
    """Made, written anew, taken out."""

    def begin(self, chance):
        self.name = f"template {chance.getrandbits(64):016x}"
        self.put(chance, "POST", TEMPLATES, 201)

    def go_on(self, chance):
        if chance.random() < 0.2:
            self.attempt(None, 204, "DELETE", f"{TEMPLATES}/{self.id}")
        else:
            self.put(chance, "PUT", f"{TEMPLATES}/{self.id}", 200)

    def put(self, chance, method, path, wanted):
        words = {"name": self.name, "description": self.load.text(chance), "category": chance.choice(["A", "B"]),
                 "is_public": chance.random() < 0.3, "system_prompt": None, "default_mode": "interactive",
                 "sdk_options": {"provider": "echo", "allowed_tools": ["calculate"]}}
        answer = self.attempt(words, wanted, method, path, words)
        self.id = answer["id"] if answer else self.id

    def find(self, seen):
        if seen and not self.id:
            self.id = by_name(seen["templates"], self.name)

    def verify(self, server, seen, earlier, settle):
        found = read(server, f"{TEMPLATES}/{self.id}")
        self.check(found and {name: found[name] for name in self.last()}, earlier, settle)
        if not earlier:
            self.check(found and self.state if self.id in seen["templates"] else None, earlier, settle)

    def last(self):
        return next((state for state in reversed(self.history) if state), None) or self.maybe


class Response(Thing):
    """Given and kept, gone on from, taken out. One that nobody was told of is nobody's to look for."""

    previous, followed = None, False

    def begin(self, chance):
        body = {"model": "echo", "input": self.load.text(chance), "store": True}
        if self.previous:
            body["previous_response_id"] = self.previous.id
        streamed = chance.random() < 0.4
        if streamed:
            status, answer = self.load.server.stream(RESPONSES, {**body, "stream": True})
            if status == 200:
                answer = answer[-1].get("response") if answer[-1]["type"] == "response.completed" else answer[-1]
        else:
            status, answer = self.load.server.ask("POST", RESPONSES, body)
        if status != 200 or answer.get("status") != "completed":
            self.load.refuse(self, status, answer)
        elif not answer["store"]:
            # The caller is told that it isn't kept.
            self.load.refuse(self, 503, answer)
        else:
            self.id = answer["id"]
            self.acknowledged(answer)

    def go_on(self, chance):
        if chance.random() < 0.15 and not self.followed:
            self.attempt(None, 200, "DELETE", f"{RESPONSES}/{self.id}")
            return
        # Whoever goes on from it needs all before it too.
        self.followed, one = True, Response(self.load, self.own)
        one.previous = self
        self.load.add(one).begin(chance)

    def verify(self, server, seen, earlier, settle):
        self.check(read(server, f"{RESPONSES}/{self.id}"), earlier, settle)
