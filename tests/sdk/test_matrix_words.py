"""Words through every pair: whole, in the right order, with the right end and the right bill."""

import anthropic
import pytest
from matrix import CITY, every, model, settings


@every
def test_text_arrives_as_it_was_said(caller, provider, stream):
    text = 'Hallo wörld, 日本語 🦀 "quotes" \\ back\tslash data: [DONE] end'
    answer = caller.ask(model(provider), caller.user(f"say: {text}"), stream)
    assert (answer.text, answer.reason, answer.calls, answer.thinking) == (text, "stop", [], "")
    assert answer.model.endswith(model(provider).split("/")[1])


@every
def test_usage_is_the_vendors_in_the_callers_terms(caller, provider, stream):
    answer = caller.ask(model(provider), caller.user("say: hello"), stream)
    total, cached, output, thought = answer.usage
    assert (total, output) == (1234, 77)
    # Ollama tells of no cache.
    assert cached == (0 if provider == "ollama" else 1000)
    if provider in ("ollama", "bedrock"):
        assert not thought
    else:
        assert thought == 33


@every
def test_the_request_arrives_whole(caller, provider, stream):
    turns = [*caller.user("say: one"), *caller.ask(model(provider), caller.user("say: one")).turn, *caller.user("describe")]
    options = {"system": "Be brief.\nBe kind.", "max_tokens": 3333}
    # Reasoning models of OpenAI take neither.
    if not model(provider).endswith("gpt-5-mini"):
        options |= {"temperature": 0.25, "top_p": 0.75}
    seen = settings(caller.ask(model(provider), turns, stream, **options))
    assert seen["system"] == "Be brief.\nBe kind."
    assert seen["turns"] == [["user", "say: one"], ["assistant", "one"], ["user", "describe"]]
    assert seen["max_tokens"] == 3333
    assert (seen["temperature"], seen["top_p"]) == (options.get("temperature"), options.get("top_p"))


@every
def test_neighbours_of_one_role_are_one_turn(caller, provider, stream):
    turns = [*caller.user("first"), *caller.user("say: second")]
    if (caller.name, provider) == ("messages", "anthropic"):
        # The caller's own bytes go on as they are; the vendor would merge, the simulated one complains.
        with pytest.raises(anthropic.BadRequestError, match="roles must alternate"):
            caller.ask(model(provider), turns, stream)
        return
    assert caller.ask(model(provider), turns, stream).text == "second"


@every
def test_a_stop_sequence_stops(caller, provider, stream):
    if caller.name == "responses":
        pytest.raises(AssertionError, caller.options, stop=["END"])
        return
    if provider == "responses":
        with pytest.raises(Exception) as caught:
            caller.ask(model(provider), caller.user("stop"), stream, stop=["END"])
        assert caught.value.status_code == 400 and "stop" in str(caught.value)
        return
    answer = caller.ask(model(provider), caller.user("stop"), stream, stop=["END", "more"])
    assert answer.text == "one two "
    if caller.name == "messages" and provider in ("anthropic", "bedrock"):
        assert answer.reason == "stop_sequence"
        # Bedrock doesn't tell which.
        assert answer.stop == ("END" if provider == "anthropic" else None)
    else:
        assert answer.reason == "stop"


@every
def test_a_limit_is_told(caller, provider, stream):
    answer = caller.ask(model(provider), caller.user("length"), stream, max_tokens=1000)
    assert (answer.text, answer.reason) == ("one two thr", "length")


@every
def test_a_refusal_is_no_good_end(caller, provider, stream):
    answer = caller.ask(model(provider), caller.user("refuse late"), stream)
    assert answer.text.startswith("I will ")
    # Ollama has no word for it.
    assert answer.reason == ("stop" if provider == "ollama" else "refusal")


@every
def test_a_refusal_without_a_word_is_no_good_end(caller, provider, stream):
    answer = caller.ask(model(provider), caller.user("refuse"), stream)
    assert answer.reason == ("stop" if provider == "ollama" else "refusal")
    assert answer.calls == []


@every
def test_a_prompt_that_is_refused_is_no_good_end(caller, provider, stream):
    if provider == "gemini":
        try:
            answer = caller.ask(model(provider), caller.user("refuse prompt"), stream)
        except Exception as error:
            assert error.status_code == 400 and "PROHIBITED_CONTENT" in str(error)
        else:
            assert answer.reason == "refusal"


@every
def test_structured_output_keeps_to_its_schema(caller, provider, stream):
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "count": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
        "required": ["name", "count", "tags"],
        "additionalProperties": False,
    }
    answer = caller.ask(model(provider), caller.user("json"), stream, schema=schema)
    assert settings(answer) == {"name": CITY, "count": 42, "tags": [CITY]}
