"""A WSGI application and a Celery task that use one client, made before the workers are forked."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from azure_responses import AzureResponses

client = AzureResponses()


def ask(word: str) -> str:
    """The server's answer, which is the word."""
    return client.responses.create(model="m", input=word).output_text


# A connection is in the pool when the process forks.
ask("word-preloaded")


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Ask for the word in the path."""
    answer = f"{os.getpid()} {ask(environ['PATH_INFO'].lstrip('/'))}".encode()
    start("200 OK", [("content-type", "text/plain"), ("content-length", str(len(answer)))])
    return [answer]


if folder := os.environ.get("CELERY_FOLDER"):
    from celery import Celery

    celery = Celery(
        "workers", broker="filesystem://", backend=f"file://{folder}", set_as_current=False
    )
    celery.conf.broker_transport_options = {
        "data_folder_in": folder,
        "data_folder_out": folder,
        "control_folder": folder,
    }

    def _ask(word: str) -> str:
        return f"{os.getpid()} {ask(word)}"

    celery_ask = celery.task(_ask, name="ask")


if __name__ == "__main__":
    words = [f"word-{number}" for number in range(100)]
    for word, sent in [(word, celery_ask.delay(word)) for word in words]:
        print(word, sent.get(timeout=60))
