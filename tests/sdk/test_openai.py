"""The vendor's own SDK, unmodified, against a running server.

The server stands at MORTISE_BASE_URL and has the providers `echo` and `claude`, both the echo plugin: it answers with
the last message of the user, or does what directives in it say.
"""

import json
import os

import openai
import pytest
from openai import OpenAI

BASE_URL = os.environ.get("MORTISE_BASE_URL", "http://localhost:8080/openai/v1")
HELLO = [{"role": "user", "content": "Hello!"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASK = [{"role": "user", "content": '[[tool get_weather {"city":"Paris"}]]'}]


@pytest.fixture
def client():
    with OpenAI(base_url=BASE_URL, api_key="not-needed", max_retries=0, timeout=30) as client:
        yield client


def user(text):
    return [{"role": "user", "content": text}]


def test_the_documented_example(capsys):
    client = OpenAI(base_url=BASE_URL, api_key="not-needed")

    response = client.chat.completions.create(
        model="claude",
        messages=[{"role": "user", "content": "Hello!"}],
    )

    print(response.choices[0].message.content)
    assert capsys.readouterr().out == "Hello!\n"


def test_an_answer_is_whole(client):
    response = client.chat.completions.create(model="claude", messages=HELLO)
    assert response.id.startswith("chatcmpl-")
    assert response.object == "chat.completion"
    assert response.created > 1_700_000_000
    choice = response.choices[0]
    assert (len(response.choices), choice.index, choice.finish_reason) == (1, 0, "stop")
    assert (choice.message.role, choice.message.tool_calls) == ("assistant", None)
    usage = response.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_cut_answer_says_so(client):
    response = client.chat.completions.create(model="claude", messages=user("[[stop length]] cut"))
    assert response.choices[0].finish_reason == "length"


@pytest.mark.parametrize("text", ["Hello, dear world!", "naïve café 日本語 🦀", "tabs\tand\nlines\r\n", "data: [DONE]\n\n"])
def test_a_stream_says_what_the_answer_says(client, text):
    whole = client.chat.completions.create(model="claude", messages=user(text)).choices[0].message.content
    chunks = list(client.chat.completions.create(model="claude", messages=user(text), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole == text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {(chunks[0].id, chunks[0].created, chunks[0].model)}
    assert all(chunk.usage is None for chunk in chunks)


def test_the_sdks_own_helper_reads_the_stream(client):
    with client.chat.completions.stream(model="claude", messages=HELLO) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_completion().choices[0].message.content == "Hello!"
    assert "content.delta" in kinds and "content.done" in kinds


def test_usage_comes_last_and_only_if_asked(client):
    whole = client.chat.completions.create(model="claude", messages=HELLO)
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="claude", messages=HELLO, stream=True, stream_options=options))
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens


def test_a_whole_turn_with_a_tool(client):
    asked = client.chat.completions.create(model="claude", messages=ASK, tools=[WEATHER])
    assert asked.choices[0].finish_reason == "tool_calls"
    [call] = asked.choices[0].message.tool_calls
    assert (call.type, call.function.name, json.loads(call.function.arguments)) == (
        "function",
        "get_weather",
        {"city": "Paris"},
    )
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 °C and rain"}
    messages = ASK + [asked.choices[0].message, result]
    answer = client.chat.completions.create(model="claude", messages=messages, tools=[WEATHER])
    assert answer.choices[0].finish_reason == "stop"
    assert "18 °C and rain" in answer.choices[0].message.content


def test_a_tool_call_in_a_stream(client):
    with client.chat.completions.stream(model="claude", messages=ASK, tools=[WEATHER]) as stream:
        kinds = [event.type for event in stream]
        [choice] = stream.get_final_completion().choices
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
    assert call.id
    assert "tool_calls.function.arguments.done" in kinds


def test_every_listed_model_answers(client):
    models = list(client.models.list())
    assert models and len({model.id for model in models}) == len(models)
    for model in models:
        assert (model.object, type(model.created)) == ("model", int)
        assert model.owned_by
        assert client.models.retrieve(model.id).id == model.id
        answer = client.chat.completions.create(model=model.id, messages=HELLO)
        assert answer.choices[0].message.content == "Hello!"


@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
def test_embeddings(client, options):
    vectors = client.embeddings.create(model="claude", input=["one", "two"], encoding_format="float")
    assert [item.index for item in vectors.data] == [0, 1]
    assert vectors.data[0].embedding != vectors.data[1].embedding
    again = client.embeddings.create(model="claude", input="one", **options)
    assert again.object == "list" and again.usage.total_tokens > 0
    expected = vectors.data[0].embedding
    if options.get("encoding_format") == "base64":
        assert isinstance(again.data[0].embedding, str)
    else:
        assert again.data[0].embedding == pytest.approx(expected, rel=1e-6)


def test_an_unknown_model_is_named(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=HELLO)
    assert "no-such-model" in caught.value.message
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("no-such-model")
    assert "no-such-model" in caught.value.message


@pytest.mark.parametrize(
    ("parameter", "options"),
    [
        ("messages", {"messages": []}),
        ("temperature", {"temperature": "warm"}),
        ("max_tokens", {"max_tokens": -1}),
        ("n", {"n": 2}),
    ],
)
def test_a_bad_request_names_the_field(client, parameter, options):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": "claude", "messages": HELLO, **options})
    assert parameter in caught.value.message
    assert caught.value.param == parameter
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("invalid-request", openai.BadRequestError),
        ("forbidden", openai.PermissionDeniedError),
        ("rate-limited", openai.RateLimitError),
        ("overloaded", openai.InternalServerError),
        ("upstream", openai.InternalServerError),
    ],
)
def test_a_providers_refusal_keeps_its_kind_and_words(client, kind, expected):
    for stream in (False, True):
        with pytest.raises(expected) as caught:
            client.chat.completions.create(model="claude", messages=user(f"[[fail {kind} not today]]"), stream=stream)
        assert "not today" in caught.value.message


def test_a_time_out_of_the_caller_leaves_the_server_well(client):
    hasty = client.with_options(timeout=0.2)
    with pytest.raises(openai.APITimeoutError):
        hasty.chat.completions.create(model="claude", messages=user("one [[wait 60000]] two"))
    assert client.chat.completions.create(model="claude", messages=HELLO).choices[0].message.content == "Hello!"


def test_a_stream_can_be_left(client):
    stream = client.chat.completions.create(model="claude", messages=user("one [[wait 60000]] two"), stream=True)
    stream.close()
    assert client.chat.completions.create(model="claude", messages=HELLO).choices[0].message.content == "Hello!"
