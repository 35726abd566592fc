"""`azure-responses chat`: a conversation in the terminal."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from azure_responses._sync.client import AzureResponses
from azure_responses.cli.chat_history import ChatHistory, ChatTurn
from azure_responses.cli.client_options import add_connection_arguments, open_client
from azure_responses.cli.entries import Entries, open_entries
from azure_responses.cli.rendering import (
    describe_cost,
    describe_tokens,
    incomplete_reason,
    make_printer,
    texts_of,
)
from azure_responses.cli.terminal import dim, note, report
from azure_responses.errors import AzureResponsesError, BadRequestError, ResponseNotFoundError
from azure_responses.types.response import Response

__all__ = ["add_command"]

_HELP = """\
/model [NAME]         show the deployment, or use another from now on
/save [--force] FILE  write the conversation: JSON for .json, Markdown for .md
/clear                start a new conversation
/help                 show this
/exit                 leave, as Ctrl-D does
A \\ at the end of a line continues it on the next; a paste is one entry.
// at the start sends a text that begins with /.
Ctrl-C stops an answer, not the session."""


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser(
        "chat",
        help="talk with a model; it remembers the conversation",
        description="Talk with a model. /help lists the commands; Ctrl-D leaves.",
    )
    parser.add_argument("--instructions", help="how the model should answer")
    parser.add_argument("--max-output-tokens", type=int, metavar="N", help="of each answer")
    parser.add_argument(
        "--no-store",
        action="store_true",
        help="store nothing at the service; every turn sends the whole conversation",
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Talk until the user leaves; 1 when piped input met an error."""
    conversation = ChatHistory(
        arguments.instructions,
        is_stored=not arguments.no_store,
        max_output_tokens=arguments.max_output_tokens,
        model=arguments.model,
    )
    with open_client(arguments) as client:
        return _ChatSession(client, conversation, is_interactive=sys.stdin.isatty()).run()


class _ChatSession:
    def __init__(
        self, client: AzureResponses, conversation: ChatHistory, *, is_interactive: bool
    ) -> None:
        self._client = client
        self._conversation = conversation
        self._is_interactive = is_interactive
        # Piped turns go on after an error, which only the exit code shows.
        self._has_failed = False
        self._commands: Mapping[str, Callable[[str], None]] = {
            "/model": self._choose_model,
            "/save": self._save,
            "/clear": self._clear,
            "/help": lambda _: note(_HELP),
        }

    def run(self) -> int:
        with open_entries() as entries:
            if self._is_interactive:
                note(dim("/help lists the commands, Ctrl-D leaves"))
            while self._take_turn(entries):
                pass
        return 1 if self._has_failed and not self._is_interactive else 0

    def _take_turn(self, entries: Entries) -> bool:
        """Read and do one thing; False when the user leaves."""
        try:
            return self._do(entries.read())
        except EOFError:
            if self._is_interactive:
                print()
            return False
        except KeyboardInterrupt:
            if not self._is_interactive:
                raise
            note(dim("\nCtrl-D or /exit leaves"))
            return True

    def _do(self, entry: str) -> bool:
        text = entry.strip()
        if "\n" in text:
            # A command is one line; the first line of a paste keeps its indentation.
            self._answer(entry.strip("\n"))
        elif text.startswith("//"):
            self._answer(text[1:])
        elif text.startswith("/"):
            return self._execute(text)
        elif text:
            self._answer(text)
        return True

    def _answer(self, prompt: str) -> None:
        try:
            response = self._stream(prompt)
        except AzureResponsesError as error:
            self._has_failed = True
            report(error)
            return
        if response is not None:
            note(dim(_describe(response)))

    def _stream(self, prompt: str) -> Response | None:
        """The answer, printed; asked for again where the service refused what can be left out."""
        try:
            return self._stream_once(prompt)
        except ResponseNotFoundError:
            # Once only: where the turns were sent already, the response that is missing is another.
            if not self._conversation.forget_stored():
                raise
            note(dim("the service no longer has the conversation; sending it again"))
        except BadRequestError as error:
            if error.param != "include" or not self._conversation.encrypts:
                raise
            # A model that does not reason refuses to encrypt its reasoning.
            self._conversation.encrypts = False
        return self._stream_once(prompt)

    def _stream_once(self, prompt: str) -> Response | None:
        conversation = self._conversation
        # One printer for each answer: it knows what is unfinished on the screen.
        printer = make_printer()
        shown: list[str] = []
        try:
            with self._client.responses.stream(**conversation.parameters(prompt)) as stream:
                for text in texts_of(stream):
                    shown.append(text)
                    printer.write(text)
                response: Response = stream.get_final_response()
        except KeyboardInterrupt:
            if not self._is_interactive:
                raise
            printer.finish()
            self._keep_stopped(prompt, "".join(shown))
            return None
        finally:
            printer.finish()
        conversation.add(ChatTurn(prompt, "".join(shown), conversation.model, response))
        return response

    def _keep_stopped(self, prompt: str, text: str) -> None:
        """Text up to a Ctrl-C stays part of the conversation: the user has read it."""
        if text:
            self._conversation.add(ChatTurn(prompt, text, self._conversation.model))
        note(dim("stopped"))

    def _execute(self, entry: str) -> bool:
        name, _, argument = entry.partition(" ")
        if name in ("/exit", "/quit"):
            return False
        command = self._commands.get(name)
        if command is None:
            note(f"{name} is not a command (see /help); // sends a text that begins with /")
        else:
            command(argument.strip())
        return True

    def _choose_model(self, name: str) -> None:
        if name:
            self._conversation.model = name
        note(dim(f"asking {self._conversation.model or 'the default deployment'}"))

    def _clear(self, _argument: str) -> None:
        self._conversation.clear()
        note(dim("a new conversation"))

    def _save(self, argument: str) -> None:
        forced, _, rest = argument.partition(" ")
        is_forced = forced == "--force"
        path = Path((rest if is_forced else argument).strip()).expanduser()
        writers = {
            ".json": self._conversation.to_json,
            ".md": self._conversation.to_markdown,
            ".markdown": self._conversation.to_markdown,
        }
        writer = writers.get(path.suffix.lower())
        if writer is None:
            note("name a file that ends in .json or .md: /save talk.md")
            return
        try:
            # Mode x never overwrites a file, not even one that was created meanwhile.
            with path.open("w" if is_forced else "x", encoding="utf-8") as file:
                file.write(writer())
        except FileExistsError:
            note(f"{path} exists; /save --force {path} replaces it")
        except OSError as error:
            note(f"cannot write {path}: {error.strerror}")
        else:
            note(dim(f"saved {path}"))


def _describe(response: Response) -> str:
    parts = [describe_tokens(response.usage)]
    if response.cost is not None:
        parts.append(describe_cost(response.cost))
    if reason := incomplete_reason(response):
        parts.append(reason)
    return ", ".join(parts)
