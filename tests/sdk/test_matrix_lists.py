"""What is asked beside chats: models, embeddings, counts of tokens."""

import openai
import pytest
from callers import CALLERS
from matrix import PROVIDERS, TIME, model

CHAT, MESSAGES = CALLERS["chat"](), CALLERS["messages"]()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_models_are_listed_in_both_dialects(provider):
    own = {"ollama": "llama3.2:latest"}.get(provider, PROVIDERS[provider])
    ids = [listed.id for listed in CHAT.client.models.list()]
    assert len(set(ids)) == len(ids)
    if provider == "dated":
        # The dated versions of Azure's API list what may be deployed, not what is.
        return
    assert f"{provider}/{own}" in ids
    assert CHAT.client.models.retrieve(f"{provider}/{own}").id == f"{provider}/{own}"
    shown = [listed.id for listed in MESSAGES.client.models.list(limit=3)]
    assert f"{provider}/{own}" in shown and len(set(shown)) == len(shown)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("form", [None, "float", "base64"])
def test_embeddings_or_a_refusal(provider, form):
    names = {"gemini": "gemini-embedding-001", "ollama": "llama3.2"}
    asked = {"model": f"{provider}/{names.get(provider, 'text-embedding-3-small')}", "input": ["one", "zwei"]}
    if form:
        asked["encoding_format"] = form
    if provider in ("anthropic", "bedrock"):
        with pytest.raises(openai.BadRequestError, match="embed"):
            CHAT.client.embeddings.create(**asked)
        return
    response = CHAT.client.embeddings.create(**asked)
    assert [item.index for item in response.data] == [0, 1]
    if form != "base64":
        assert [item.embedding for item in response.data] == [[0.5, -0.25, 0.125, 1.0], [1.5, -0.25, 0.125, 1.0]]
    if provider != "gemini":
        assert response.usage.total_tokens == 1234


@pytest.mark.parametrize("provider", PROVIDERS)
def test_tokens_are_counted_or_estimated(provider):
    tools = MESSAGES.options(tools=[TIME])["tools"]
    asked = {"model": model(provider), "messages": MESSAGES.user("count me"), "system": "be brief", "tools": tools}
    raw = MESSAGES.client.messages.with_raw_response.count_tokens(**asked)
    counted, estimated = raw.parse().input_tokens, raw.headers.get("x-mortise-estimated")
    if provider in ("anthropic", "gemini", "bedrock"):
        assert (counted, estimated) == (4321, None)
    else:
        assert 0 < counted < 4321 and estimated == "true"
