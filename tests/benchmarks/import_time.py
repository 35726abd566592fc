"""What importing costs, and what it takes to the first answer, each in a fresh interpreter."""

import subprocess
import sys
from importlib.util import find_spec

from tests.benchmarks.bodies import PROMPT
from tests.benchmarks.comparison import Comparison, Contender, Target, compare

__all__ = ["compare_first_calls", "compare_imports"]

_TIMED = (
    "import time\n"
    "wall, cpu = time.perf_counter(), time.process_time()\n"
    "{statements}\n"
    "print(time.perf_counter() - wall, time.process_time() - cpu)"
)
_ASK = f"c.responses.create(model='gpt-5-mini', input={PROMPT!r}).output_text"


class FreshContender(Contender):
    """Statements timed from inside a new interpreter, whose own start does not count."""

    def __init__(self, name: str, statements: str) -> None:
        super().__init__(name, lambda: None, units=1)
        self._command = [sys.executable, "-c", _TIMED.format(statements=statements)]

    def take_turn(self) -> None:
        printed = subprocess.run(self._command, check=True, capture_output=True, text=True)
        wall, cpu = (float(figure) for figure in printed.stdout.split()[-2:])
        self.walls.append(wall * 1e6)
        self.cpus.append(cpu * 1e6)


def compare_imports(_stub: str) -> list[Comparison]:
    """The import statement alone, and with the name that most programs need."""
    peers = [name for name in ("openai", "litellm", "httpx") if find_spec(name)]
    imported = [FreshContender(name, f"import {name}") for name in peers]
    from_peer = [FreshContender("openai", "from openai import AzureOpenAI")]
    ours = FreshContender("azure_responses", "import azure_responses")
    from_ours = FreshContender("azure_responses", "from azure_responses import AzureResponses")
    target = [Target("openai", 0.30)]
    return [
        compare("import", "import", [ours, *imported], target, rounds=7),
        compare("import of the sync client", "import", [from_ours, *from_peer], rounds=7),
    ]


def compare_first_calls(stub: str) -> list[Comparison]:
    """From nothing to the first answer: what a deferred import only puts off shows up here."""
    endpoint = f"{stub}/small"
    ours = (
        "from azure_responses import AzureResponses\n"
        f"c = AzureResponses({endpoint!r}, api_key='k')\n{_ASK}"
    )
    theirs = (
        "from openai import AzureOpenAI\n"
        f"c = AzureOpenAI(azure_endpoint={endpoint!r}, api_key='k', api_version='preview')\n{_ASK}"
    )
    contenders = [FreshContender("azure_responses", ours), FreshContender("openai", theirs)]
    return [compare("import, client and first answer", "start", contenders, rounds=7)]
