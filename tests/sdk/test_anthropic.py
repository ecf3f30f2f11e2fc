"""Anthropic's own SDK, unmodified, against a running server.

The server stands at MORTISE_BASE_URL and has the providers `echo` and `claude`, both the echo plugin: it answers with
the last message of the user, or does what directives in it say.
"""

import os

import anthropic
import pytest
from anthropic import Anthropic

BASE_URL = os.environ.get("MORTISE_BASE_URL", "http://localhost:8080/anthropic")
HELLO = [{"role": "user", "content": "Hello!"}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME = {"name": "get_time", "input_schema": {"type": "object", "properties": {}}}
PIXEL = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


@pytest.fixture
def client():
    with Anthropic(base_url=BASE_URL, api_key="not-needed", max_retries=0, timeout=30) as client:
        yield client


def user(content):
    return [{"role": "user", "content": content}]


def ask(client, content, **options):
    return client.messages.create(**{"model": "claude", "max_tokens": 1000, "messages": user(content), **options})


def test_the_documented_example(capsys):
    client = Anthropic(base_url=BASE_URL, api_key="not-needed")

    message = client.messages.create(
        model="claude",
        max_tokens=1024,
        messages=[{"role": "user", "content": "Hello!"}],
    )

    print(message.content[0].text)
    assert capsys.readouterr().out == "Hello!\n"


def test_an_answer_is_whole(client):
    message = ask(client, "Hello!", system="Be brief.", metadata={"user_id": "u-1"})
    assert message.id.startswith("msg_")
    assert (message.type, message.role, message.stop_reason, message.stop_sequence) == ("message", "assistant", "end_turn", None)
    assert [block.type for block in message.content] == ["text"]
    assert message.usage.input_tokens == 3 and message.usage.output_tokens == 1
    assert message._request_id.startswith("req_")


def test_why_an_answer_ended(client):
    assert ask(client, "[[stop length]] cut").stop_reason == "max_tokens"
    assert ask(client, "[[refuse not that]]").stop_reason == "refusal"
    stopped = ask(client, "one two three", stop_sequences=["two"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "two")


@pytest.mark.parametrize(
    "text",
    ["Hello, dear world!", "naïve café 日本語 🦀", "tabs\tand\nlines\r\n", "event: message_stop\n\n", "[[think first]] then"],
)
def test_a_stream_says_what_the_answer_says(client, text):
    whole = ask(client, text)
    with client.messages.stream(model="claude", max_tokens=1000, messages=user(text)) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
        assert stream.request_id.startswith("req_")
    assert [block.model_dump() for block in final.content] == [block.model_dump() for block in whole.content]
    assert (final.stop_reason, final.model) == (whole.stop_reason, whole.model)
    assert final.usage.model_dump() == whole.usage.model_dump()
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert "text" in kinds


def test_raw_events_come_in_their_order(client):
    events = ask(client, "Hello, world!", stream=True)
    kinds = [event.type for event in events if event.type != "content_block_delta"]
    assert kinds == ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"]


def test_thoughts_can_be_sent_back(client):
    first = ask(client, "[[think deep thoughts]] done", thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000)
    thought, text = first.content
    assert (thought.type, thought.thinking, text.text) == ("thinking", "deep thoughts", "done")
    messages = user("first") + [{"role": "assistant", "content": first.content}] + user("next")
    answer = client.messages.create(model="claude", max_tokens=1000, messages=messages)
    assert answer.content[0].text == "next"


def test_whole_turns_with_several_tools(client):
    text = '[[tool get_weather {"city":"Paris"}]] [[tool get_time]]'
    messages = user(text)
    asked = client.messages.create(model="claude", max_tokens=1000, messages=messages, tools=[WEATHER, TIME])
    assert asked.stop_reason == "tool_use"
    calls = [block for block in asked.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [("get_weather", {"city": "Paris"}), ("get_time", {})]
    with client.messages.stream(model="claude", max_tokens=1000, messages=messages, tools=[WEATHER, TIME]) as stream:
        streamed = stream.get_final_message()
    assert streamed.stop_reason == "tool_use"
    assert [block.model_dump() for block in streamed.content] == [block.model_dump() for block in asked.content]

    results = [
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": [{"type": "text", "text": "18 °C and rain"}]},
        {"type": "tool_result", "tool_use_id": calls[1].id, "content": "no clock", "is_error": True},
    ]
    messages = messages + [{"role": "assistant", "content": asked.content}, {"role": "user", "content": results}]
    answer = client.messages.create(model="claude", max_tokens=1000, messages=messages, tools=[WEATHER, TIME])
    assert answer.stop_reason == "end_turn"
    assert "18 °C and rain" in answer.content[0].text and "no clock" in answer.content[0].text


def test_a_tool_can_be_demanded(client):
    answer = ask(client, "Hello!", tools=[WEATHER, TIME], tool_choice={"type": "tool", "name": "get_time"})
    assert [block.name for block in answer.content if block.type == "tool_use"] == ["get_time"]


def test_images_and_documents_arrive(client):
    content = [
        {"type": "image", "source": PIXEL},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
        {"type": "text", "text": "and words", "cache_control": {"type": "ephemeral"}},
    ]
    text = ask(client, content).content[0].text
    assert "image/png" in text and "text/plain" in text and "and words" in text


def test_tokens_are_counted(client):
    counted = client.messages.count_tokens(model="claude", messages=HELLO, tools=[WEATHER], system="Be brief.")
    assert counted.input_tokens == ask(client, "Hello!", tools=[WEATHER], system="Be brief.").usage.input_tokens


def test_betas_nobody_knows_are_taken(client):
    message = client.beta.messages.create(
        model="claude", max_tokens=1000, messages=HELLO, betas=["no-such-beta-2099-01-01"], extra_body={"more": {"a": 1}}
    )
    assert message.content[0].text == "Hello!"


def test_every_listed_model_answers(client):
    models = list(client.models.list(limit=1))
    assert len(models) >= 4 and len({model.id for model in models}) == len(models)
    for model in models:
        assert model.type == "model" and model.display_name and model.created_at.tzinfo
        assert client.models.retrieve(model.id).id == model.id
        answer = client.messages.create(model=model.id, max_tokens=1000, messages=HELLO)
        assert answer.content[-1].text == "Hello!"


def test_an_unknown_model_is_named(client):
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(client, "Hello!", model="no-such-model")
    assert "no-such-model" in caught.value.message
    assert caught.value.body["error"]["type"] == "not_found_error"
    assert caught.value.request_id.startswith("req_")


@pytest.mark.parametrize(("parameter", "value"), [("messages", []), ("temperature", "warm"), ("max_tokens", -1), ("top_p", 2)])
def test_a_bad_request_names_the_field(client, parameter, value):
    with pytest.raises(anthropic.BadRequestError) as caught:
        ask(client, "Hello!", extra_body={parameter: value})
    assert caught.value.body["error"]["message"].startswith(f"{parameter}: ")


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("invalid-request", 400, anthropic.BadRequestError),
        ("forbidden", 403, anthropic.PermissionDeniedError),
        ("rate-limited", 429, anthropic.RateLimitError),
        ("overloaded", 529, anthropic.InternalServerError),
        ("upstream", 502, anthropic.InternalServerError),
    ],
)
def test_a_providers_refusal_keeps_its_kind_and_words(client, kind, status, expected):
    for stream in (False, True):
        with pytest.raises(expected) as caught:
            ask(client, f"[[fail {kind} not today]]", stream=stream)
        assert caught.value.status_code == status
        assert "not today" in caught.value.message


def test_a_failure_in_the_middle_of_a_stream_is_raised(client):
    seen = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        for event in ask(client, "one [[fail overloaded not today]]", stream=True):
            seen.append(event.type)
    assert "not today" in caught.value.message
    assert "content_block_delta" in seen and "message_stop" not in seen


def test_a_time_out_of_the_caller_leaves_the_server_well(client):
    with pytest.raises(anthropic.APITimeoutError):
        ask(client.with_options(timeout=0.2), "one [[wait 60000]] two")
    assert ask(client, "Hello!").content[0].text == "Hello!"


def test_a_stream_can_be_left(client):
    stream = ask(client, "one [[wait 60000]] two", stream=True)
    stream.close()
    assert ask(client, "Hello!").content[0].text == "Hello!"
