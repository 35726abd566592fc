"""What the engine says follows rules: the prompt's, the instructions' and the conversation's."""

import time
from typing import Any

import pytest

from tests.emulator.engine.generations import ask, make_generation, said


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Hello!", "Hello! How can I help you today?"),
        ("thanks a lot", "You are welcome!"),
        ("Reply with exactly: pong", "pong"),
        ('"Reply with exactly: pong"', "pong"),
        ('"a" and then reply with exactly "b"', "b"),
        ('Return exactly "ok" and nothing else', "ok"),
        ("Respond with only the word: banana", "banana"),
        ("say X", "X"),
        ("Say 'hi there'", "hi there"),
        ("Please repeat after me: one two", "one two"),
        ("Say hi in Portuguese", "Olá!"),
        ("Translate 'cat' to French", "chat"),
        ("Translate 'submarine' to French", "[French] submarine"),
        ("What is the capital of France?", "The capital of France is Paris."),
        ("what is 17*3", "17 * 3 = 51"),
        ("What is 12 plus 30?", "12 + 30 = 42"),
        ("Compute (1 + 2) * 3", "(1 + 2) * 3 = 9"),
        ("What is 7 divided by 2?", "7 / 2 = 3.5"),
        ("count to 5", "1, 2, 3, 4, 5"),
        ("count down from 3 to 1", "3, 2, 1"),
        ("list three colors", "1. red\n2. blue\n3. green"),
        ("Name two cities", "1. Paris\n2. London"),
        ("Give me 2 widgets", "1. widget 1\n2. widget 2"),
        ("How many r's in strawberry?", '"strawberry" has the letter r 3 times.'),
        ("How many letters are in 'owl'?", '"owl" has 3 letters.'),
        ("reverse 'abc'", "cba"),
        ("my name is Ada", "Nice to meet you, Ada."),
        ("My favorite food is soup.", "Noted: your favourite food is soup."),
        ("Remember that the door is green.", "I will remember: the door is green."),
        ("Summarize: It rained. We stayed in.", "In short: It rained."),
        ("Who are you?", "I am an emulated model: I answer by rule and without a network."),
        ("Is it?", "Yes, as far as a rule can tell."),
        ("Is it so?", "No, as far as a rule can tell."),
        (
            "Answer the query.\nQuery: Capital of France?\nAnswer: ",
            "The capital of France is Paris.",
        ),
        ('Reply with ""', 'You wrote: "Reply with """ This is an emulated answer to it.'),
        ("Respond with exactly one of these: APPROVE, REJECT", "APPROVE"),
        ("Classify the mood as one of the labels: 'good', 'bad'.\nText: x", "good"),
        ("Answer with one of: yes or no", "yes"),
        ("", "There is nothing to answer yet."),
        ("Lorem ipsum", 'You wrote: "Lorem ipsum" This is an emulated answer to it.'),
    ],
)
def test_a_prompt_is_answered_by_the_rule_that_fits(prompt: str, expected: str) -> None:
    assert said(prompt) == expected


def test_a_story_has_as_many_sentences_as_asked_and_names_its_subject() -> None:
    story = said("Tell me a three sentence bedtime story about a unicorn.")
    assert story.count(".") == 3
    assert story.startswith("Once upon a time, a unicorn")
    assert "the unicorn" in story


@pytest.mark.parametrize(
    ("prompt", "lines"),
    [("Write a haiku about rain", 3), ("Write a poem about the sea", 4)],
)
def test_verse_comes_in_lines(prompt: str, lines: int) -> None:
    assert len(said(prompt).splitlines()) == lines


def test_paragraphs_are_apart() -> None:
    assert said("Write a two paragraph essay about bees").count("\n\n") == 1


@pytest.mark.parametrize(
    ("prompt", "instructions", "expected"),
    [
        ("What is the capital of Denmark?", "Answer in one word, in uppercase.", "COPENHAGEN"),
        ("what is 6 times 7? Give just the number", "", "42"),
        ("hello", "Always call me Bob.", "Bob, hello! How can I help you today?"),
        ("hello", "Reply in French", "Bonjour!"),
        ("my dog is Rex", "Answer in German", "[German] Noted: your dog is Rex."),
        ("hello", "Speak like a pirate", "Arr, matey! Hello! How can I help you today?"),
        ("hello", "End every answer with 'over'", "Hello! How can I help you today? over"),
        ("hello", "Start every answer with 'Well,'", "Well, Hello! How can I help you today?"),
        ("hello", "Write in lowercase, without punctuation", "hello how can i help you today"),
        ("hello", "Use at most three words", "Hello! How can."),
        ("hello", "Reply in one sentence", "Hello!"),
        ("hello", "Reply in few sentences", "Hello! How can I help you today?"),
        ("hello", "In 1 words, please", "Hello"),
        ("Lorem ipsum", "In 1 words, please", "You"),
        ("hello", "Use bullet points", "- Hello!\n- How can I help you today?"),
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
        (
            "Hi, my name is Ada and my favorite color is teal.",
            "What's my favourite colour?",
            "teal",
        ),
        ("I'm Grace", "Who am I?", "Grace"),
        ("I live in Oslo.", "Where do I live?", "Oslo"),
        ("I love cheese.", "What do I love?", "cheese"),
        ("Remember that the code word is plum.", "What is the code word?", "plum"),
        (
            "Please remember: buy milk",
            "What did I ask you to remember?",
            "You asked me to remember: buy milk.",
        ),
        ("How is Rome?", "What did I just ask?", "How is Rome?"),
        ("How is Rome?", "What did you say?", "Fine."),
        ("How is Rome?", "What was my first message?", "How is Rome?"),
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
