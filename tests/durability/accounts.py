"""Users with their logins, keys and sessions, and keys that stand for themselves."""

from load import Thing
from server import Lost

USERS, KEYS, SESSIONS = "/api/v1/admin/users", "/api/v1/admin/keys", "/api/v1/sessions"


class Owner(Thing):
    """Who owns sessions, and has gone only when they have."""

    def __init__(self, caller, chance):
        super().__init__(caller, chance)
        self.sessions, self.begun = [], None

    def attempt_as_admin(self, maybe, method, path, body=None):
        return self.attempt(maybe, method, path, body, self.caller.load.root)

    def own_session(self, key):
        # One that nobody answered may be there or not: it is nobody's but this one's, which is all that is known of it.
        made = self.attempt([self.known], "POST", SESSIONS, {"name": self.label}, key)
        self.sessions.append(made["id"])
        self.settle(self.but(sessions=self.known["sessions"] + 1))

    def take_away(self, path, half):
        """What is cut off leaves somebody who can do nothing, and is done with when it is done again."""
        self.begun = half
        self.attempt_as_admin([None, half], "DELETE", path)
        self.settle(None)
        self.over = True

    def resolve(self, found):
        half = self.begun in self.maybe and found != self.known and self.begun(found)
        super().resolve(found)
        if half:
            path = f"{self.path}/{self.id}"
            status, answer = self.caller.admin("DELETE", path)
            self.known, self.gone = None, True
            self.history.append(None)
            if status != 204 or self.look() is not None:
                raise Lost(f"{path} was deleted by half, and then: {status} {answer}, {self.look()}")
        self.over = self.over or self.known is None

    def alive(self, key):
        return self.caller.ask("GET", f"{SESSIONS}?limit=1", key=key)[0] == 200

    def there(self):
        """How many of its sessions are; administrators may look at them."""
        return sum(self.caller.admin("GET", f"{SESSIONS}/{id}")[0] == 200 for id in self.sessions)

    def listed(self, path, field, value):
        found = [one["id"] for one in self.caller.pages(path, self.caller.load.root) if one[field] == value]
        return found[0] if found else None


class User(Owner):
    """The state of one is what administrators see, and which logins, keys and sessions there are."""

    name = "user"
    path = USERS

    def __init__(self, caller, chance):
        super().__init__(caller, chance)
        self.tokens, self.keys = [], []
        self.email, self.password = f"{self.label}@example.com", f"{chance.getrandbits(64):016x}"

    def write(self, chance):
        if self.known is None:
            return self.create(chance)
        ways = {self.change: 1, self.toggle: 1, self.delete: 1}
        if self.known["is_active"]:
            ways[self.log_in] = 2
            if self.known["logins"]:
                ways |= {self.log_out: 1, self.make_key: 1, self.session: 1}
                if self.known["keys"]:
                    ways[self.delete_key] = 1
        chance.choices(list(ways), list(ways.values()))[0](chance)

    def create(self, chance):
        state = {"full_name": self.label, "is_active": True, "limit": None, "logins": [], "keys": [], "sessions": 0}
        body = {"email": self.email, "username": self.label, "password": self.password, "full_name": self.label}
        self.id = self.attempt_as_admin([state], "POST", chance.choice([USERS, "/api/v1/auth/register"]), body)["id"]
        self.settle(state)

    def patch(self, state, body):
        self.attempt_as_admin([state], "PATCH", f"{USERS}/{self.id}", body)
        self.settle(state)

    def change(self, chance):
        state = self.but(full_name=f"Name {chance.random()}", limit=chance.randint(10**6, 10**9))
        self.patch(state, {"full_name": state["full_name"], "limits": {"tokens_per_day": state["limit"]}})

    def toggle(self, chance):
        active = not self.known["is_active"]
        # Logins end with the account's right to anything, and don't come back; keys do.
        self.patch(self.but(is_active=active, logins=[]), {"is_active": active})

    def log_in(self, chance):
        made = self.attempt([self.known], "POST", "/api/v1/auth/login", {"email": self.email, "password": self.password})
        self.tokens.append(made["access_token"])
        self.settle(self.but(logins=[*self.known["logins"], len(self.tokens) - 1]))

    def token(self, chance):
        return self.tokens[chance.choice(self.known["logins"])]

    def log_out(self, chance):
        place = chance.choice(self.known["logins"])
        state = self.but(logins=[one for one in self.known["logins"] if one != place])
        self.attempt([state], "POST", "/api/v1/auth/logout", {}, self.tokens[place])
        self.settle(state)

    def make_key(self, chance):
        made = self.attempt([self.known], "POST", "/api/auth/api-keys", {"name": self.label}, self.token(chance))
        self.keys.append((made["id"], made["key"]))
        self.settle(self.but(keys=[*self.known["keys"], len(self.keys) - 1]))

    def delete_key(self, chance):
        place = chance.choice(self.known["keys"])
        state = self.but(keys=[one for one in self.known["keys"] if one != place])
        self.attempt([state], "DELETE", f"/api/auth/api-keys/{self.keys[place][0]}", key=self.token(chance))
        self.settle(state)

    def session(self, chance):
        self.own_session(self.token(chance))

    def delete(self, chance):
        self.take_away(f"{USERS}/{self.id}", lambda found: found is not None and not found["is_active"])

    def look(self):
        self.id = self.id or self.listed(USERS, "email", self.email)
        if self.id is None:
            return None
        status, user = self.caller.admin("GET", f"{USERS}/{self.id}")
        logins = [place for place, token in enumerate(self.tokens) if self.alive(token)]
        keys = [place for place, (_, key) in enumerate(self.keys) if self.alive(key)]
        if status == 404:
            left = logins or keys or self.there()
            return f"gone, with logins {logins}, keys {keys}, {self.there()} sessions" if left else None
        if self.known and not user["is_active"]:
            # What it will be again isn't seen as long as it is disabled.
            keys = self.known["keys"]
        return {"full_name": user["full_name"], "is_active": user["is_active"],
                "limit": user["limits"].get("tokens_per_day"), "logins": logins, "keys": keys, "sessions": self.there()}


class Key(Owner):
    """The state of one is its limit, how many sessions it has, and whether all that was answered with it is counted."""

    name = "key"
    path = KEYS

    def __init__(self, caller, chance):
        super().__init__(caller, chance)
        self.key, self.tokens = None, 0

    def write(self, chance):
        if self.known is None:
            return self.create(chance)
        ways = {self.limit: 1, self.session: 2, self.ask: 2, self.delete: 1}
        chance.choices(list(ways), list(ways.values()))[0](chance)

    def create(self, chance):
        state = {"limit": chance.randint(10**6, 10**9), "good": True, "sessions": 0, "counted": True}
        body = {"name": self.label, "limits": {"tokens_per_day": state["limit"]}}
        made = self.attempt_as_admin([state], "POST", KEYS, body)
        self.id, self.key = made["id"], made["key"]
        self.settle(state)

    def limit(self, chance):
        state = self.but(limit=chance.randint(10**6, 10**9))
        self.attempt_as_admin([state], "PATCH", f"{KEYS}/{self.id}", {"limits": {"tokens_per_day": state["limit"]}})
        self.settle(state)

    def session(self, chance):
        self.own_session(self.key)

    def ask(self, chance):
        made = self.attempt([self.known], "POST", "/api/v1/chat", {"message": f"{chance.random()}"}, self.key)
        self.tokens += made["tokens_used"]["total"]
        self.settle(self.known)

    def delete(self, chance):
        self.take_away(f"{KEYS}/{self.id}", lambda found: found is not None and not found["good"])

    def resolve(self, found):
        super().resolve(found)
        # Nobody was told what it is.
        self.over = self.over or self.key is None

    def look(self):
        if self.key is None:
            self.id = self.listed(KEYS, "name", self.label)
        if self.id is None:
            return None
        status, usage = self.caller.admin("GET", f"{KEYS}/{self.id}/usage?days=1")
        good = self.key is None or self.alive(self.key)
        if status == 404:
            # Who was not told that it is done finds what is left of it among the leftovers.
            left = self.key is not None and good or self.gone and self.there()
            return f"gone, and good: {good}, with {self.there()} sessions" if left else None
        limit = next((one["limits"].get("tokens_per_day") for one in self.caller.pages(KEYS, self.caller.load.root)
                      if one["id"] == self.id), "that of one that isn't listed")
        # What was asked in vain may count too: nobody gets more than their limit by it.
        counted = usage["month"]["tokens"] >= self.tokens or self.caller.load.earlier
        return {"limit": limit, "good": good, "sessions": self.there(), "counted": counted or (usage["month"], self.tokens)}
