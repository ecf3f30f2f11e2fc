"""What is left of things that aren't there: looked for in the records themselves and among the files, once a server is back.

Records are those of a backup, whose form src/store/backup.rs tells, and their keys those of src/store/spaces.rs.
"""

import ctypes
import ctypes.util
import json
import os
import time
from collections import Counter, defaultdict
from itertools import product

from server import Lost

# What the keys of each space are made of: texts and numbers.
SPACES = {
    "users": (10, "t"), "emails": (11, "t"), "usernames": (12, "t"), "logins": (13, "tt"), "keys": (14, "t"),
    "key hashes": (15, "t"), "keys of users": (16, "tt"), "seen": (18, "t"), "user counts": (19, "tt"), "spent": (20, "ttt"),
    "sessions of owners": (55, "tt"), "session owners": (41, "t"), "session lists": (42, "ttttnt"), "session counts": (43, "tttt"),
    "session totals": (44, "t"), "messages": (45, "ttn"), "tool calls": (46, "ttn"), "leases": (47, "t"),
    "archives": (49, "ttt"), "templates": (50, "tt"), "public templates": (51, "t"), "template lists": (52, "tttnt"),
    "template counts": (53, "ttt"), "responses": (54, "tt"), "runs": (70, "t"), "runs of sessions": (71, "tt"),
    "runs of owners": (72, "tt"), "open runs": (73, "t"), "run events": (74, "tn"), "run messages": (75, "tn"),
    "run inbox": (76, "tn"), "artifacts": (77, "tt"), "artifact contents": (78, "tt"), "files before runs": (79, "tt"),
}
HEAD = b"mortise backup 1\n"
# Behind the messages of a session, under this number, is the session.
SESSION = 2**64 - 1
# Seconds that a server may take after its start to sweep.
PATIENCE = 3


def unpacked(packed, size):
    """A frame of zstd, which Python knows from 3.14 on; Debian's own tools bring the library."""
    try:
        from compression import zstd
        return zstd.decompress(packed)
    except ImportError:
        pass
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(size)
    made = library.ZSTD_decompress(out, ctypes.c_size_t(size), packed, ctypes.c_size_t(len(packed)))
    if made != size:
        raise Lost("a backup can't be unpacked")
    return out.raw


def split(key, shape):
    """The parts of a key. A text ends with 0 1, and a zero in it is written 0 255."""
    parts, at = [], 1
    for kind in shape:
        if kind == "n":
            parts.append(int.from_bytes(key[at:at + 8], "big"))
            at += 8
        else:
            end = key.index(b"\0\1", at)
            parts.append(key[at:end].replace(b"\0\xff", b"\0").decode())
            at = end + 2
    return tuple(parts)


def number(value):
    return int.from_bytes(value, "big", signed=True)


def records(server):
    """All records by space and key; a counter is a number."""
    file = f"{server.home}/looked-at"
    if os.path.exists(file):
        os.remove(file)
    code, words = server.command("store", "backup", file)
    if code != 0:
        raise Lost(f"no backup while serving: {words}")
    with open(file, "rb") as opened:
        data = opened.read()
    if not data.startswith(HEAD):
        raise Lost(f"a backup begins with {data[:20]}")
    by_number = {number: (name, shape) for name, (number, shape) in SPACES.items()}
    found, at = defaultdict(dict), len(HEAD)
    while packed := int.from_bytes(data[at:at + 4], "big"):
        block = unpacked(data[at + 8:at + 8 + packed], int.from_bytes(data[at + 4:at + 8], "big"))
        at, place = at + 8 + packed, 0
        while place < len(block):
            pair = []
            for _ in range(2):
                length = int.from_bytes(block[place:place + 4], "big")
                pair.append(block[place + 4:place + 4 + length])
                place += 4 + length
            key, value = pair
            if key[0] in by_number:
                name, shape = by_number[key[0]]
                parts = split(key, shape)
                if name == "messages" and parts[2] == SESSION:
                    name, parts = "sessions", parts[:2]
                counter = len(value) == 8 and name.endswith(("counts", "totals", "spent"))
                found[name][parts] = number(value) if counter else json.loads(value[1:])
    return found


def orphans(all_of_it):
    """Records that belong to something that isn't there, and counts that don't add up: what, and which."""
    get = lambda name: all_of_it.get(name, {})  # noqa: E731
    users, keys, sessions, runs = get("users"), get("keys"), get("sessions"), get("runs")
    owners, ids = {id for (id,) in [*users, *keys]} | {"anonymous"}, {id for _, id in sessions}
    for name in ("sessions", "templates", "responses"):
        yield from ((f"{name} without an owner", key) for key in get(name) if key[0] not in owners)
    for name in ("messages", "tool calls", "archives"):
        yield from ((f"{name} without a session", key[:2]) for key in get(name) if key[:2] not in sessions)
    yield from (("leases without a session", key) for key in get("leases") if key[0] not in ids)
    for name, total in (("messages", "messages"), ("tool calls", "tool_calls")):
        numbers = defaultdict(list)
        for owner, id, number in get(name):
            numbers[owner, id].append(number)
        for key, session in sessions.items():
            if sorted(numbers[key]) != list(range(1, session["totals"][total] + 1)):
                yield f"{name} that don't add up", key
    listed = {key: one for key, one in sessions.items() if one["origin"] != "chat"}
    yield from differ("sessions of owners", set(sessions), get("sessions of owners"))
    yield from differ("session owners", {(id,) for _, id in listed}, get("session owners"))
    # Each of three is there with its value and empty, which is any; it stands in no list of what it has no value of.
    places = Counter((owner, *place) for (owner, id), one in listed.items() for place in
                     {*product((one["status"], ""), (one["mode"], ""), (one.get("provider") or "", ""))})
    yield from adds_up("session counts", places, get("session counts"))
    yield from adds_up("session lists", places, Counter(key[:4] for key in get("session lists")))
    yield from adds_up("session totals", Counter((one["status"],) for one in listed.values()), get("session totals"))
    templates = get("templates")
    public = {(id,) for (_, id), one in templates.items() if one["public"]}
    yield from differ("public templates", public, get("public templates"))
    places = Counter()
    for (owner, _), one in templates.items():
        for category in {one.get("category") or "", ""}:
            lists = [(owner, "shared"), ("", "public")] if one["public"] else [(owner, "private")]
            places.update((*place, category) for place in [(owner, "of"), *lists])
    yield from adds_up("template counts", places, get("template counts"))
    yield from adds_up("template lists", places, Counter(key[:3] for key in get("template lists")))
    yield from differ("emails", {(one["email"],) for one in users.values()}, get("emails"))
    yield from differ("usernames", {(one["username"].lower(),) for one in users.values()}, get("usernames"))
    yield from (("logins without a user", key) for key in get("logins") if key[:1] not in users)
    yield from differ("key hashes", {(one["hash"],) for one in keys.values()}, get("key hashes"))
    of_users = {(one["user"], id) for (id,), one in keys.items() if one.get("user")}
    yield from differ("keys of users", of_users, get("keys of users"))
    for name in ("seen", "spent"):
        known = {f"user:{id}" for (id,) in users} | {f"key:{id}" for (id,) in keys} | {"all"}
        yield from ((f"{name} of nobody", key) for key in get(name) if key[0] not in known)
    active = Counter((one["role"], "active" if one["is_active"] else "disabled") for one in users.values())
    yield from adds_up("user counts", active, get("user counts"))
    yield from (("runs without a session", key) for key, one in runs.items() if one.get("session") not in {*ids, None})
    yield from (("runs without an owner", key) for key, one in runs.items() if one["owner"] not in owners)
    of_sessions = {(one["session"], id) for (id,), one in runs.items() if one.get("session")}
    yield from differ("runs of sessions", of_sessions, get("runs of sessions"))
    yield from differ("runs of owners", {(one["owner"], id) for (id,), one in runs.items()}, get("runs of owners"))
    yield from differ("artifact contents", set(get("artifacts")), get("artifact contents"))
    for name, first in (("run events", 1), ("run messages", 0)):
        numbers = defaultdict(list)
        for id, number in get(name):
            numbers[id].append(number)
        gaps = (id for id, found in numbers.items() if sorted(found) != list(range(first, first + len(found))))
        yield from ((f"{name} with gaps", (id,)) for id in gaps)
    for name in ("open runs", "run events", "run messages", "run inbox", "artifacts", "artifact contents",
                 "files before runs"):
        yield from ((f"{name} without a run", key[:1]) for key in get(name) if key[:1] not in runs)


def differ(name, expected, found):
    yield from ((f"{name} too few", key) for key in expected - set(found))
    yield from ((f"{name} too many", key) for key in set(found) - expected)


def adds_up(name, expected, found):
    for key in {*expected, *found}:
        if expected.get(key, 0) != found.get(key, 0):
            yield f"{name} that don't add up", (*key, found.get(key, 0), "not", expected.get(key, 0))


def strays(server, all_of_it):
    """Files that belong to nothing, and things without their files."""
    sessions, archives = all_of_it.get("sessions", {}), all_of_it.get("archives", {})
    with_files = {id for (_, id), one in sessions.items() if one.get("workspace")}
    folder = f"{server.data}/workspaces"
    names = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    yield from (("workspaces without a session", (name,)) for name in names - with_files)
    yield from (("sessions without their workspace", (id,)) for id in with_files - names)
    folder = f"{server.data}/archives"
    names = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    made = {f"{id}.tar.gz" for (_, _, id), one in archives.items() if one["state"] == "completed"}
    yield from (("archive files without an archive", (name,)) for name in names - made)
    yield from (("archives without their file", (name,)) for name in made - names)
    begun = (key for key, one in archives.items() if one["state"] == "in_progress")
    yield from (("archives that nobody makes any more", key) for key in begun)
    folder = f"{server.data}/scratch"
    yield from (("scratch directories", (name,)) for name in (os.listdir(folder) if os.path.isdir(folder) else ()))


def look(server):
    """All that is left, while nobody writes."""
    all_of_it = records(server)
    return {*orphans(all_of_it), *strays(server, all_of_it)}


class Leftovers:
    """What was found after each start, each once."""

    def __init__(self):
        self.found, self.looks = set(), 0

    def gather(self, server):
        until = time.monotonic() + PATIENCE
        while (left := look(server) - self.found) and time.monotonic() < until:
            time.sleep(0.2)
        self.found |= left
        self.looks += 1

    def none(self):
        if self.found:
            counts = Counter(what for what, _ in self.found)
            first = {what: " ".join(map(str, key)) for what, key in sorted(self.found, key=str)}
            told = "; ".join(f"{count} {what}, such as {first[what]}" for what, count in sorted(counts.items()))
            raise Lost(f"left over after {self.looks} starts: {told}")
