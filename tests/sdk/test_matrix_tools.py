"""Tools in several turns through every pair: calls, parallel calls, results, choices."""

import pytest
from matrix import ASKED, CITY, THOUGHT, TIME, WEATHER, each, every, model, settings


def asked(answer):
    return {call.name: call.arguments for call in answer.calls}


@every
def test_a_conversation_with_a_tool(caller, provider, stream):
    turns = caller.user("tools: what is the weather?")
    answer = caller.ask(model(provider), turns, stream, tools=[WEATHER])
    assert answer.reason == "tools"
    assert asked(answer) == {"get_weather": ASKED["get_weather"]}
    turns += answer.turn + caller.results((answer.calls[0], "18 °C und Regen"))
    answer = caller.ask(model(provider), turns, stream, tools=[WEATHER])
    assert (answer.text, answer.reason, answer.calls) == ("results: get_weather=18 °C und Regen", "stop", [])
    # And on: with a second call, whose id is another.
    turns += answer.turn + caller.user("tools: and now?")
    second = caller.ask(model(provider), turns, stream, tools=[WEATHER])
    turns += second.turn + caller.results((second.calls[0], "snow"))
    assert caller.ask(model(provider), turns, stream, tools=[WEATHER]).text == "results: get_weather=snow"


@every
def test_parallel_calls_and_their_results(caller, provider, stream):
    turns = caller.user("tools: aloud")
    answer = caller.ask(model(provider), turns, stream, tools=[WEATHER, TIME])
    assert answer.reason == "tools"
    assert answer.text == "I will look. "
    assert asked(answer) == ASKED and [call.name for call in answer.calls] == ["get_weather", "get_time"]
    assert len({call.id for call in answer.calls}) == 2
    turns += answer.turn + caller.results((answer.calls[0], "rain"), (answer.calls[1], "noon"))
    answer = caller.ask(model(provider), turns, stream, tools=[WEATHER, TIME])
    assert (answer.text, answer.reason) == ("results: get_weather=rain; get_time=noon", "stop")


@every
def test_a_tool_without_parameters(caller, provider, stream):
    tool = {"name": "ping", "description": "Says pong.", "parameters": {"type": "object", "properties": {}}}
    turns = caller.user("tools: go")
    answer = caller.ask(model(provider), turns, stream, tools=[tool])
    assert (answer.reason, asked(answer)) == ("tools", {"ping": {}})
    turns += answer.turn + caller.results((answer.calls[0], "pong"))
    assert caller.ask(model(provider), turns, stream, tools=[tool]).text == "results: ping=pong"


@each
def test_tools_arrive_as_they_were_described(caller, provider):
    seen = settings(caller.ask(model(provider), caller.user("describe"), tools=[WEATHER, TIME]))
    assert seen["tools"] == {"get_weather": WEATHER["parameters"], "get_time": TIME["parameters"]}
    assert seen["choice"] == "auto"


@each
@pytest.mark.parametrize("choice", ["any", "none", "get_time"])
def test_a_choice_of_tools_is_kept_or_refused(caller, provider, choice):
    try:
        answer = caller.ask(model(provider), caller.user("tools: go"), tools=[WEATHER, TIME], choice=choice)
    except Exception as error:
        # Ollama has no choices; Converse has none for no tool.
        assert provider == "ollama" or (provider, choice) == ("bedrock", "none"), error
        assert error.status_code == 400 and "tool_choice" in str(error)
        return
    wanted = {"any": ["get_weather", "get_time"], "none": [], "get_time": ["get_time"]}[choice]
    assert [call.name for call in answer.calls] == wanted
    assert answer.reason == ("tools" if wanted else "stop")


@each
def test_one_call_at_a_time_is_kept_or_refused(caller, provider):
    try:
        answer = caller.ask(model(provider), caller.user("tools: go"), tools=[WEATHER, TIME], parallel=False)
    except Exception as error:
        assert provider in ("gemini", "ollama", "bedrock"), error
        assert error.status_code == 400 and "parallel" in str(error)
        return
    assert [call.name for call in answer.calls] == ["get_weather"]


@every
def test_thoughts_come_before_words(caller, provider, stream):
    turns = caller.user("think: so it is")
    answer = caller.ask(model(provider), turns, stream, think=True)
    assert (answer.thinking, answer.text, answer.reason) == (THOUGHT, "so it is", "stop")
    # Repeated as they came; the vendor checks their signatures.
    turns += answer.turn + caller.user("say: again")
    assert caller.ask(model(provider), turns, stream, think=True).text == "again"


@every
def test_thoughts_before_a_call_go_back_with_it(caller, provider, stream):
    turns = caller.user("think tools")
    answer = caller.ask(model(provider), turns, stream, think=True, tools=[WEATHER])
    assert (answer.thinking, answer.reason) == (THOUGHT, "tools")
    assert asked(answer) == {"get_weather": {**ASKED["get_weather"], "city": CITY}}
    turns += answer.turn + caller.results((answer.calls[0], "fog"))
    answer = caller.ask(model(provider), turns, stream, think=True, tools=[WEATHER])
    assert answer.text == "results: get_weather=fog"
