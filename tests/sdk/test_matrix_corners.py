"""Corners where gateways lose something: names and ids that a vendor doesn't take, failed tools, what can't be translated."""

import anthropic
import openai
import pytest
from callers import CALLERS
from matrix import ASKED, PROVIDERS, THOUGHT, TIME, WEATHER, each, every, model, settings

CHAT, MESSAGES = CALLERS["chat"](), CALLERS["messages"]()
OPENAI = ("openai", "responses", "azure", "dated")
providers = pytest.mark.parametrize("provider", PROVIDERS)


@each
def test_thoughts_are_replayed_to_the_model_that_made_them(caller, provider):
    turns = caller.user("think tools")
    asked = caller.ask(model(provider), turns, think=True, tools=[TIME])
    turns += asked.turn + caller.results((asked.calls[0], "late"))
    told = caller.ask(model(provider), turns, think=True, tools=[TIME])
    turns += told.turn + caller.user("describe")
    seen = settings(caller.ask(model(provider), turns, think=True, tools=[TIME]))
    said = seen["turns"][1]
    assert said[0] == "assistant" and said[-1].startswith("get_time(")
    if provider in ("anthropic", "bedrock", "responses"):
        assert said[1] == f"({THOUGHT})", said


@providers
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_long_names_of_tools_come_back_whole(provider, stream):
    # Anthropic takes 128 characters, others 64.
    names = ["look_into_" + "a" * 90 + "_one", "look_into_" + "a" * 90 + "_two"]
    tools = [{**TIME, "name": name} for name in names]
    turns = MESSAGES.user("tools: go")
    answer = MESSAGES.ask(model(provider), turns, stream, tools=tools)
    assert [(call.name, call.arguments) for call in answer.calls] == [(name, ASKED["get_time"]) for name in names]
    turns += answer.turn + MESSAGES.results((answer.calls[0], "1"), (answer.calls[1], "2"))
    assert MESSAGES.ask(model(provider), turns, stream, tools=tools).text.count("=") == 2


@providers
def test_ids_that_a_vendor_does_not_take_are_carried(provider):
    calls = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id, name, arguments in [("call:1/ä", "get_time", '{"zone":"x"}'), ("call:1/ö", "get_weather", "{}")]
    ]
    turns = [
        *CHAT.user("tools: go"),
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call:1/ö", "content": "rain"},
        {"role": "tool", "tool_call_id": "call:1/ä", "content": "noon"},
    ]
    text = CHAT.ask(model(provider), turns, tools=[TIME, WEATHER]).text
    assert sorted(text.removeprefix("results: ").split("; ")) == ["get_time=noon", "get_weather=rain"]


@providers
def test_a_failed_tool_is_said_to_have_failed(provider):
    turns = MESSAGES.user("tools: go")
    asked = MESSAGES.ask(model(provider), turns, tools=[TIME])
    result = {"type": "tool_result", "tool_use_id": asked.calls[0].id, "content": "no such zone", "is_error": True}
    turns += [*asked.turn, {"role": "user", "content": [result]}]
    text = MESSAGES.ask(model(provider), turns, tools=[TIME]).text
    assert "no such zone" in text
    if provider in ("anthropic", "bedrock", "gemini"):
        assert text == "results: get_time!no such zone"
    else:
        # The dialect has no mark for it, so words say it.
        assert text != "results: get_time=no such zone" and "failed" in text, text


@providers
def test_results_and_words_of_one_turn_arrive_in_their_order(provider):
    turns = MESSAGES.user("tools: go")
    asked = MESSAGES.ask(model(provider), turns, tools=[TIME, WEATHER])
    results = MESSAGES.results(*[(call, "ok") for call in asked.calls])[0]["content"]
    turns += [*asked.turn, {"role": "user", "content": [*results, {"type": "text", "text": "and be quick"}]}]
    answer = MESSAGES.ask(model(provider), turns, tools=[TIME, WEATHER])
    assert answer.text == "results: get_time=ok; get_weather=ok"
    turns += [*answer.turn, *MESSAGES.user("describe")]
    seen = settings(MESSAGES.ask(model(provider), turns, tools=[TIME, WEATHER]))
    assert seen["turns"][2] == ["user", "get_time=ok", "get_weather=ok", "and be quick"]


@providers
def test_cache_marks_and_blocks_of_system_are_taken_by_all(provider):
    marked = {"cache_control": {"type": "ephemeral"}}
    answer = MESSAGES.client.messages.create(
        model=model(provider),
        max_tokens=100,
        system=[{"type": "text", "text": "one", **marked}, {"type": "text", "text": "two"}],
        messages=[{"role": "user", "content": [{"type": "text", "text": "describe", **marked}]}],
        tools=[{"name": "f", "description": "Does.", "input_schema": {"type": "object", "properties": {}}, **marked}],
        metadata={"user_id": "somebody"},
    )
    assert '"system":"one\\n\\ntwo"' in answer.content[0].text or '"system":"one\\ntwo"' in answer.content[0].text


@providers
def test_several_answers_are_had_or_refused_by_name(provider):
    with pytest.raises(openai.BadRequestError) as caught:
        CHAT.client.chat.completions.create(model=model(provider), messages=CHAT.user("say: hi"), n=2)
    # The simulated model of OpenAI has one answer only, and says so itself.
    assert "n" in caught.value.message and (caught.value.param == "n" or provider in OPENAI), caught.value


@providers
@pytest.mark.parametrize(("field", "value"), [("logprobs", True), ("logit_bias", {"50256": -100})])
def test_what_a_vendor_lacks_is_refused_by_name(provider, field, value):
    asked = {"model": model(provider), "messages": CHAT.user("say: hi"), field: value}
    if provider in ("openai", "azure", "dated"):
        assert CHAT.client.chat.completions.create(**asked).choices[0].message.content == "hi"
        return
    with pytest.raises(openai.BadRequestError, match=field):
        CHAT.client.chat.completions.create(**asked)


@each
def test_an_unknown_field_breaks_nothing_it_should_not(caller, provider):
    """A provider of the same dialect gets it; another ignores it or says so."""
    same = {"chat": ("openai", "azure", "dated"), "responses": ("openai", "responses", "azure"), "messages": ("anthropic",)}
    error = anthropic.BadRequestError if caller.name == "messages" else openai.BadRequestError
    ask = {"extra_body": {"field_of_tomorrow": 1}}
    if provider in same[caller.name]:
        # What knows its own fields only is the simulator.
        with pytest.raises(error, match="field_of_tomorrow"):
            caller.ask(model(provider), caller.user("say: hi"), **ask)
        return
    try:
        assert caller.ask(model(provider), caller.user("say: hi"), **ask).text == "hi"
    except error as refused:
        assert "field_of_tomorrow" in str(refused)


@every
def test_an_answer_of_nothing_but_calls_goes_back_as_it_came(caller, provider, stream):
    turns = caller.user("tools: go")
    for result in ("one", "two", "three"):
        asked = caller.ask(model(provider), turns, stream, tools=[TIME])
        assert not asked.text and len(asked.calls) == 1
        turns += asked.turn + caller.results((asked.calls[0], result))
        told = caller.ask(model(provider), turns, stream, tools=[TIME])
        assert told.text == f"results: get_time={result}"
        turns += told.turn + caller.user("tools: again")
