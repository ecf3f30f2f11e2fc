"""Conversations: begun and gone on with over three endpoints, and deleted."""

import http.client
import json

from load import Thing


class Talk(Thing):
    """Its state is what was said: who, what, and whether all of it is there."""

    name = "conversation"

    def write(self, chance):
        if self.known and chance.random() < 0.1:
            return self.delete(chance)
        said = f"{chance.getrandbits(64):016x} " + "word " * chance.randint(*self.caller.load.words)
        chance.choice([self.whole, self.chat, self.stream])(said.strip())

    def delete(self, chance):
        self.attempt([None], "DELETE", f"/api/v1/conversations/{self.id}")
        self.over = True
        self.settle(None)

    def body(self, said):
        return {"message": said, **({"conversation_id": self.id} if self.id else {})}

    def on_the_way(self, said):
        """Of a turn that nobody answered there is nothing, its question, its beginning, or all of it."""
        before = self.known or []

        def possible(found):
            if found is None:
                return not before
            rest = found[len(before):]
            return (found[:len(before)] == before and len(rest) <= 2 and rest[:1] in ([], [("user", said, True)])
                    and all(role == "assistant" and said.startswith(words) and (words == said or not complete)
                            for role, words, complete in rest[1:]))
        return [possible]

    def said(self, said, answer):
        return [*(self.known or []), ("user", said, True), ("assistant", answer, True)]

    def whole(self, said):
        answer = self.attempt(self.on_the_way(said), "POST", "/api/v1/conversations", self.body(said))
        self.id = answer["conversation_id"]
        self.settle(self.said(said, answer["response"]))

    def chat(self, said):
        answer = self.attempt(self.on_the_way(said), "POST", "/api/v1/chat", self.body(said))
        self.id = answer["conversation_id"]
        self.settle(self.said(said, answer["response"]))

    def stream(self, said):
        self.begin(self.on_the_way(said))
        with self.caller.server.asking("POST", "/api/v1/chat/stream", self.body(said), self.caller.key) as response:
            if response.status != 200:
                raise self.caller.load.refuse(response.status, response.read(), "stream")
            # From here on it can be asked for, answered or not.
            self.id = response.headers["X-Conversation-Id"]
            words, ended = [], False
            while line := response.readline():
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    if event["type"] == "error":
                        raise self.caller.load.refuse(503, event, "stream")
                    words.append(event.get("content", ""))
                    ended = event["type"] == "end"
        if not ended:
            raise http.client.IncompleteRead(b"")
        self.settle(self.said(said, "".join(words)))

    def look(self):
        if self.id is None:
            return None
        status, answer = self.caller.ask("GET", f"/api/v1/conversations/{self.id}")
        if status == 404:
            return None
        said = [(message["role"], message["content"], message.get("complete", True)) for message in answer["messages"]]
        return said if answer["message_count"] == len(said) else f"{answer['message_count']} messages: {said}"

    def resolve(self, found):
        super().resolve(found)
        # Nobody goes on where a turn may still be held by whoever is gone.
        self.over = True
