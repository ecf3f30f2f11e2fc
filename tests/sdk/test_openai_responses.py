"""The vendor's own SDK and its Responses API, unmodified, against a running server.

See test_openai.py for the server.
"""

import json
import os

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

BASE_URL = os.environ.get("MORTISE_BASE_URL", "http://localhost:8080/openai/v1")
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
}
ASK = '[[tool get_weather {"city":"Paris"}]]'


@pytest.fixture
def client():
    with OpenAI(base_url=BASE_URL, api_key="not-needed", max_retries=0, timeout=30) as client:
        yield client


def test_an_answer_is_whole(client):
    response = client.responses.create(model="claude", input="Hello!", instructions="Be brief.", store=True)
    assert response.id.startswith("resp_")
    assert (response.object, response.status, response.error) == ("response", "completed", None)
    assert response.output_text == "Hello!"
    assert (response.instructions, response.tools, response.tool_choice) == ("Be brief.", [], "auto")
    [message] = response.output
    assert (message.type, message.role, message.status) == ("message", "assistant", "completed")
    usage = response.usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.output_tokens_details.reasoning_tokens == 0 and usage.input_tokens_details.cached_tokens == 0


def test_a_cut_answer_says_so(client):
    response = client.responses.create(model="claude", input="[[stop length]] cut")
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


@pytest.mark.parametrize("text", ["Hello, dear world!", "naïve café 日本語 🦀", "tabs\tand\nlines\r\n", "data: [DONE]\n\n"])
def test_a_stream_says_what_the_answer_says(client, text):
    whole = client.responses.create(model="claude", input=text)
    events = list(client.responses.create(model="claude", input=text, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text
    assert events[-1].response.output_text == whole.output_text == text
    assert events[-1].response.usage == whole.usage


def test_the_sdks_own_helper_reads_the_stream(client):
    text = f"[[think deep thoughts]] both: {ASK}"
    with client.responses.stream(model="claude", input=text, tools=[WEATHER]) as stream:
        kinds = {event.type for event in stream}
        response = stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.output[0].summary[0].text == "deep thoughts"
    assert json.loads(response.output[2].arguments) == {"city": "Paris"}
    assert {"response.output_text.done", "response.function_call_arguments.done", "response.reasoning_summary_text.delta"} <= kinds


@pytest.mark.parametrize("stream", [False, True])
def test_a_whole_turn_with_tools(client, stream):
    def ask(items):
        if not stream:
            return client.responses.create(model="claude", input=items, tools=[WEATHER, PATCH])
        with client.responses.stream(model="claude", input=items, tools=[WEATHER, PATCH]) as events:
            return events.get_final_response()

    items = [{"role": "user", "content": ASK + ' [[tool apply_patch {"input":"*** Begin Patch"}]]'}]
    asked = ask(items)
    call, patch = asked.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_weather", {"city": "Paris"})
    assert (patch.type, patch.name, patch.input) == ("custom_tool_call", "apply_patch", "*** Begin Patch")
    items += [item.model_dump(exclude_none=True) for item in asked.output]
    items += [
        {"type": "function_call_output", "call_id": call.call_id, "output": "18 °C and rain"},
        {"type": "custom_tool_call_output", "call_id": patch.call_id, "output": "done"},
    ]
    answer = ask(items)
    assert answer.status == "completed"
    assert "18 °C and rain" in answer.output_text and "done" in answer.output_text


def test_a_picture_is_seen(client):
    content = [
        {"type": "input_text", "text": "Look:"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"},
    ]
    response = client.responses.create(model="claude", input=[{"role": "user", "content": content}])
    assert "[image/png" in response.output_text


class Weather(BaseModel):
    city: str
    degrees: int


def test_an_answer_is_parsed_into_a_model(client):
    response = client.responses.parse(model="claude", input="Hello!", text_format=Weather)
    assert response.output_parsed == Weather(city="", degrees=0)


@pytest.mark.parametrize(
    ("parameter", "options"),
    [
        ("previous_response_id", {"previous_response_id": "resp_1"}),
        ("conversation", {"conversation": "conv_1"}),
        ("background", {"background": True}),
        ("input", {"input": []}),
        ("temperature", {"temperature": 3}),
    ],
)
def test_a_bad_request_names_the_field(client, parameter, options):
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": "claude", "input": "Hello!", **options})
    assert caught.value.param == parameter
    assert parameter in caught.value.message


@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_refusal_keeps_its_kind_and_words(client, stream):
    with pytest.raises(openai.RateLimitError) as caught:
        client.responses.create(model="claude", input="[[fail rate-limited not today]]", stream=stream)
    assert "not today" in caught.value.message


def test_a_failure_in_mid_stream_is_the_last_event(client):
    events = list(client.responses.create(model="claude", input="one [[fail upstream not today]] two", stream=True))
    assert events[-1].type == "response.failed"
    assert (events[-1].response.status, events[-1].response.error.code) == ("failed", "server_error")
    assert "not today" in events[-1].response.error.message
