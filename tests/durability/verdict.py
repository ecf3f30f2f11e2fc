"""What came of a run, looked at from all sides: its events, its calls, its words, what it left on disk."""

import http.client
import json
from collections import Counter

import agents
from server import Lost

OVER = ("completed", "failed", "stopped", "interrupted")
BACK = "the server is back; the task goes on"
# Seconds for which a watcher waits for the next event.
LIMIT = 60


class Ending(http.client.HTTPException):
    """The server is about to end, and takes no more."""


def events(server, id, after):
    """Events of a task as they come, each with its number, as long as the connection holds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    try:
        connection.request("GET", f"/api/tasks/{id}/events", headers={"Last-Event-ID": str(after)})
        response = connection.getresponse()
        if response.status == 503:
            raise Ending(response.read())
        if response.status != 200:
            raise Lost(f"task {id}: its events are answered with {response.status} {response.read()!r}")
        number = text = None
        # What has no end yet was not shown.
        while line := response.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                number = int(value)
            elif name == "data":
                text = value
            elif not name and text is not None:
                yield number, text
                number = text = None
    finally:
        connection.close()


class Verdict:
    """What came of a run that is over: looked at from all sides."""

    def __init__(self, run):
        self.run, self.sums = run, Counter()
        self.task = run.ask("GET", f"/api/tasks/{run.id}")
        self.events = [json.loads(text) for text in self.all_events()]
        _, self.transcript = run.server.ask("GET", f"/api/tasks/{run.id}/artifacts/transcript.json")
        self.status()
        self.calls()
        self.words()
        self.effects()

    def must(self, holds, what):
        if not holds:
            raise Lost(f"run {self.run.number} ({self.run.id}): {what}")

    def all_events(self):
        texts = []
        for sequence, text in events(self.run.server, self.run.id, 0):
            texts.append(text)
            self.must(sequence == len(texts), f"event {len(texts)} has the number {sequence}")
        for sequence, text in self.run.shown.items():
            self.must(sequence <= len(texts), f"event {sequence} was shown, and is lost: {text}")
            self.must(texts[sequence - 1] == text, f"event {sequence} was {text}, and is {texts[sequence - 1]}")
        self.must(len(texts) == max(self.run.shown), "there are more events than were shown")
        self.sums["shown"] += len(self.run.shown)
        return texts

    def status(self):
        status, result = self.task["status"], self.task["result"]
        ends = [event["status"] for event in self.events if event["type"] == "status" and event["status"] in OVER]
        self.must(ends == [status] and self.events[-1]["type"] == "status", f"it is {status}, and its ends are {ends}")
        if status == "interrupted":
            often = result["code"] == "INTERRUPTED" and "times in the middle of the same step" in result["summary"]
            self.must(often and self.run.kills > 3, f"it was interrupted: {result}")
        else:
            self.must(status == "completed" and result["summary"] == agents.done(self.run.number), f"it ended as {self.task}")
        self.sums[status] += 1
        backs = sum(event.get("message") == BACK for event in self.events)
        self.must(backs <= self.run.kills, f"the server came back {backs} times, of {self.run.kills}")
        self.sums["picked up"] += backs

    def calls(self):
        """Each call has one outcome, which is what the model was told."""
        called, results = Counter(), {}
        for event in self.events:
            if event["type"] == "tool_call":
                called[event["call_id"]] += 1
            elif event["type"] == "tool_result":
                self.must(called[event["call_id"]], f"a result without a call: {event}")
                self.must(event["call_id"] not in results, f"a call with two results: {event}")
                results[event["call_id"]] = event
        told, self.wanted = {}, []
        for place, message in enumerate(self.transcript):
            for part in message["parts"]:
                if "call" in part:
                    self.wanted.append((place, part["call"]))
                elif "outcome" in part:
                    told[part["outcome"]["call_id"]] = "".join(inner["text"] for inner in part["outcome"]["parts"])
        ids = {call["id"] for _, call in self.wanted}
        whole = self.task["status"] == "completed"
        self.must(set(called) == ids or not whole, "the calls that were shown are others than those of the model")
        self.must(set(results) == set(told) and (set(told) == ids or not whole), "a call has no outcome")
        self.must(all(told[id] == result["output"] for id, result in results.items()), "the model was told something else")
        self.results = results
        for _, call in self.wanted:
            again = called[call["id"]] - 1
            self.must(again <= 0 or call["name"] not in agents.EFFECTS, f"it was begun twice: {call}")
            self.sums["again"] += max(0, again)
            self.sums["calls"] += 1

    def words(self):
        """What was said and not taken back is what the model said; what people said it was told once."""
        kept = []
        for event in self.events:
            if event.get("discard_after") is not None:
                before = len(kept)
                kept = [(number, text) for number, text in kept if number <= event["discard_after"]]
                self.sums["void"] += before > len(kept)
            if event["type"] == "token":
                kept.append((event["sequence"], event["content"]))
        said = [part["text"] for message in self.transcript if message["role"] == "assistant"
                for part in message["parts"] if "text" in part]
        text = "".join(text for _, text in kept)
        self.must(text == "".join(said), f"the tokens are {text!r}, the model said {said}")
        heard = Counter(part["text"] for message in self.transcript if message["role"] == "user" for part in message["parts"])
        self.must(all(heard[words] == 1 for words in self.run.said), f"of {self.run.said} the model heard {heard}")
        self.must(all(heard[words] <= 1 for words in self.run.unsure), f"of {self.run.unsure} the model heard {heard}")
        self.sums["said"] += len(self.run.said)

    def effects(self):
        """What calls did is on disk, once; what nobody knew is as it was when the server had ended, and as the model found it."""
        files = self.run.files()
        for place, call in self.wanted:
            if call["name"] not in agents.EFFECTS or call["id"] not in self.results:
                continue
            mark, file = agents.mark(json.loads(call["arguments"]))
            result, times = self.results[call["id"]], files[file].count(mark)
            self.sums["effects"] += 1
            self.must(times <= 1, f"it was done {times} times: {call}")
            if result["success"]:
                self.must(times == 1, f"it was done, and is not there: {call}")
                continue
            self.must(result["output"] == agents.UNKNOWN, f"of {call} the model was told {result['output']}")
            self.sums["unknown"] += 1
            left = [files for newest, files in self.run.left if newest < result["sequence"]][-1]
            self.must(times == left[file].count(mark), f"it was done when the server had ended: {call}")
            found = self.found(place, file)
            self.must(found is None or found.count(mark) == times, f"the model found {found}, and there is {files[file]}: {call}")

    def found(self, place, file):
        """What the model read in `file` next; nothing where the run ended before."""
        for later, call in self.wanted:
            if later > place and call["name"] == "read_file" and json.loads(call["arguments"])["file_path"] == file:
                if call["id"] in self.results:
                    result = self.results[call["id"]]
                    return result["output"].split("\n") if result["success"] else []
        return None
