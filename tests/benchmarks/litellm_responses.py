"""LiteLLM's `responses` over a chat model, in an interpreter that has LiteLLM.

Run by `converted` with the URL of the stub: it says its version, then reads a number of calls a
line and writes how long that many took, by the clock and in CPU time. It imports nothing of this
project.
"""

import json
import logging
import os
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

__all__ = ["main"]


def main() -> None:
    """Make the calls that each line of standard input asks for."""
    stub, prompt = sys.argv[1:]
    # By name, since nothing of LiteLLM is there to check this against.
    litellm: Any = import_module("litellm")
    # Else it prints to the output that the answers go to.
    litellm.suppress_debug_info = True
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    # LiteLLM has no Responses API for this provider and converts to chat. Others, such as
    # hosted_vllm, have one of their own since.
    model, base = "azure_ai/kimi-k2.5", f"{stub}/chat-small"
    print(json.dumps({"version": version("litellm")}), flush=True)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            litellm.responses(model=model, api_base=base, api_key="key", input=prompt)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"wall": wall, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
