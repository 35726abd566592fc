"""What the engine says follows rules: the prompt's, the instructions' and the conversation's."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.engine.canned_answers import find_sum
from tests.emulator.engine.generations import ask, make_generation, said


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Hello!", "Hello! How can I help you today?"),
        ("Reply with exactly: pong", "pong"),
        ('"Reply with exactly: pong"', "pong"),
        ('"a" and then reply with exactly "b"', "b"),
        ('Return exactly "ok" and nothing else', "ok"),
        ("Respond with only the word: banana", "banana"),
        ("say X", "X"),
        ("Say 'hi there'", "hi there"),
        ("Please repeat after me: one two", "one two"),
        ("What is the capital of France?", "The capital of France is Paris."),
        ("what is 17*3", "17 * 3 = 51"),
        ("Compute (1 + 2) * 3", "(1 + 2) * 3 = 9"),
        ("count to 5", "1, 2, 3, 4, 5"),
        ("count down from 3 to 1", "3, 2, 1"),
        ("my name is Ada", "Nice to meet you, Ada."),
        (
            "Answer the query.\nQuery: Capital of France?\nAnswer: ",
            "The capital of France is Paris.",
        ),
        ('Reply with ""', 'You wrote: "Reply with """ This is an emulated answer to it.'),
        ("Respond with exactly one of these: APPROVE, REJECT", "APPROVE"),
        ("Classify the mood as one of the labels: 'good', 'bad'.\nText: x", "good"),
        ("Answer with one of: yes or no", "yes"),
        ("", "There is nothing to answer yet."),
        ("thanks a lot", "You are welcome!"),
        ("Is it so, yes or no?", "Yes, as far as a rule can tell."),
        ("My favorite food is soup.", "Noted: your favorite food is soup."),
        ("Say hello", 'You wrote: "Say hello" This is an emulated answer to it.'),
        ("What is 7 / 2?", "7 / 2 = 3.5"),
        ("Lorem ipsum", 'You wrote: "Lorem ipsum" This is an emulated answer to it.'),
    ],
)
def test_a_prompt_is_answered_by_the_rule_that_fits(prompt: str, expected: str) -> None:
    assert said(prompt) == expected


def test_a_story_has_as_many_sentences_as_asked_and_names_its_subject() -> None:
    story = said("Tell me a three sentence bedtime story about a unicorn.")
    assert story.count(".") == 3
    assert story.startswith("Once upon a time, a unicorn")
    assert (story.count("a unicorn"), story.count("the unicorn")) == (1, 2)


@pytest.mark.parametrize(
    ("prompt", "sentences"),
    [
        ("Write a poem", 3),
        ("Write a 5 sentence essay on bees", 5),
        ("Tell me a story in few sentences", 3),
        ("A story of 999 sentences, please", 100),
    ],
)
def test_a_text_has_the_length_that_is_asked_for(prompt: str, sentences: int) -> None:
    assert said(prompt).count(".") == sentences


@pytest.mark.parametrize(
    ("prompt", "instructions", "expected"),
    [
        ("What is the capital of France?", "Answer in one word, in uppercase.", "PARIS"),
        ("what is 6 * 7? Give just the number", "", "42"),
        ("hello", "A single word, please", "Hello"),
        ("Lorem ipsum", "A single word, please", "You"),
        ("Lorem ipsum", "Answer in one word", "You"),
        ("say exactly: one word", "", "one word"),
    ],
)
def test_instructions_shape_the_answer(prompt: str, instructions: str, expected: str) -> None:
    assert said(prompt, instructions=instructions) == expected


def test_system_and_developer_messages_instruct_too() -> None:
    for role in ("system", "developer"):
        items = [
            {"role": role, "content": "Reply in all caps."},
            {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        ]
        assert said(items) == "HELLO! HOW CAN I HELP YOU TODAY?"


def _turns(*texts: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for text in texts:
        items += [{"role": "user", "content": text}, {"role": "assistant", "content": "Fine."}]
    return items[:-1]


@pytest.mark.parametrize(
    ("earlier", "question", "expected"),
    [
        ("Hi, my name is Ada and my favorite color is teal.", "What is my name?", "Ada"),
        ("Hi, my name is Ada and my favorite color is teal.", "What's my favorite color?", "teal"),
        ("I'm Grace", "Who am I?", "Grace"),
        ("How is Rome?", "What did I just ask?", "How is Rome?"),
        ("How is Rome?", "What did you say?", "Fine."),
        ("Nothing", "What is my name?", "have not told me"),
    ],
)
def test_earlier_turns_are_remembered(earlier: str, question: str, expected: str) -> None:
    assert expected in said(_turns(earlier, question))
    history = _turns(earlier, "x")[:-1]
    assert expected in said(question, history=history)


def test_what_the_user_did_not_say_of_themselves_is_not_recalled() -> None:
    assert "You wrote" in said("What is the weather like")
    assert "You wrote" in said("What is the plan?")


def test_nothing_was_said_before_the_first_message() -> None:
    assert said("What did I say?") == "Nothing yet: this is the first message."


def test_what_a_tool_returned_is_put_into_words() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": '{"a":1}'}
    output = {"type": "function_call_output", "call_id": "c", "output": "40 C"}
    items = [{"role": "user", "content": "weather?"}, call, output]
    assert said(items) == 'weather for {"a":1} returned: 40 C'


def test_several_outputs_are_listed() -> None:
    items: list[dict[str, Any]] = [{"role": "user", "content": "weather?"}]
    for name in "ab":
        items.append({"type": "function_call", "call_id": name, "name": name, "arguments": "{}"})
    for name in "ab":
        items.append({"type": "function_call_output", "call_id": name, "output": f"{name}!"})
    assert said(items) == "- a returned: a!\n- b returned: b!"


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [
        ("low", "Hello!"),
        ("medium", "Hello! How can I help you today?"),
    ],
)
def test_verbosity_decides_how_much_is_said(verbosity: str, expected: str) -> None:
    assert said("Hello", model="gpt-5.1", text={"verbosity": verbosity}) == expected


def test_high_verbosity_says_more() -> None:
    short, long = (said("what is 1+1", text={"verbosity": v}) for v in ("medium", "high"))
    assert long.startswith(short)
    assert len(long) > len(short)


def test_the_same_turn_has_the_same_answer() -> None:
    assert ask("Hello").response == ask("Hello").response
    assert ask("Hello").events == ask("Hello").events


def test_a_long_prompt_is_answered_quickly() -> None:
    begun = time.perf_counter()
    said("my name is x and " * 50_000)
    said("((((1 + " * 5_000)
    assert time.perf_counter() - begun < 5


def test_a_long_prompt_is_quoted_in_part() -> None:
    assert "..." in said("lorem " * 100)


def test_a_turn_is_built_with_what_it_is_given() -> None:
    generation = make_generation(input="x", dated=True)
    assert generation.dated
    assert generation.request == {"model": "gpt-4.1", "input": "x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what is 17*3", ("17 * 3", "51")),
        ("1 - 5", ("1 - 5", "-4")),
        ("-3 + 5", ("-3 + 5", "2")),
        ("10 / 4", ("10 / 4", "2.5")),
        ("0.1+0.2", ("0.1 + 0.2", "0.3")),
        ("(1 + 2) * -3", ("(1 + 2) * -3", "-9")),
        ("007 + 1", None),
        ("(1 + 2", None),
        ("1 / 0", None),
        ("1+" * 200 + "1", None),
        ("on 2026-01-02 it rains", None),
        ("12/25/2026", None),
        ("no sum here", None),
        ("call 555", None),
    ],
)
def test_sums_are_found_and_solved(text: str, expected: tuple[str, str] | None) -> None:
    assert find_sum(text) == expected


@given(st.integers(-999, 999), st.integers(-999, 999), st.sampled_from("+-*"))
def test_sums_are_right(first: int, second: int, sign: str) -> None:
    expected = {"+": first + second, "-": first - second, "*": first * second}[sign]
    assert (find_sum(f"{first} {sign} ({second})") or ("", ""))[1] == str(expected)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("What is the capital of France? Reply with just the word.", "Paris"),
        ("What is 2 + 2? Answer with only the number.", "4"),
        ("Reply with exactly the word pong.", "pong."),
        ("Reply with just the word: pong", "pong"),
    ],
)
def test_just_the_word_is_a_form_and_no_text(prompt: str, answer: str) -> None:
    assert said(prompt) == answer
