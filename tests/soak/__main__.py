"""`python -m tests.soak`: a soak, and its figures."""

import argparse
from collections import Counter
from pathlib import Path

from tests.soak.soak import Figures, soak


def main() -> int:
    """Run it; the exit code says whether all was right."""
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where configuration and logs are kept")
    parser.add_argument("--redis", metavar="URL", help="where state is shared; empty")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    figures = soak(
        arguments.calls,
        at_once=arguments.at_once,
        folder=arguments.folder,
        redis_url=arguments.redis,
    )
    show(figures)
    is_right = not (
        figures.wrong
        or figures.repeated_ids
        or figures.unfinished()
        or figures.accounts.faults
        or figures.tracebacks
        or figures.leaks
        or figures.exit_code
        or figures.lost_descriptors
    )
    return 0 if is_right else 1


def show(figures: Figures) -> None:
    """Print the figures."""
    count, accounts = len(figures.calls), figures.accounts
    outcomes = Counter(call.outcome or "unfinished" for call in figures.calls)
    kinds = Counter(call.kind for call in figures.calls)
    errors = Counter(
        f"{call.status} {call.code}" for call in figures.calls if call.outcome == "error"
    )
    print(
        f"calls        {count} in {figures.seconds:.1f} s, {count / figures.seconds:.0f} a second"
    )
    print(f"kinds        {_list(kinds)}")
    print(f"outcomes     {_list(outcomes)}")
    print(f"errors       {_list(errors)}")
    print(f"wrong        {len(figures.wrong)}")
    for line in figures.wrong[:20]:
        print(f"             {line}")
    print(f"repeated ids {len(figures.repeated_ids)}, unfinished {len(figures.unfinished())}")
    print(
        f"spend        database {accounts.database}, log {accounts.log}, seen whole "
        f"{accounts.seen}, seen failed {accounts.seen_failed}, left {accounts.left} USD"
    )
    print(f"left         unpriced {accounts.left_unpriced}, unlogged {accounts.left_unlogged}")
    for line in accounts.faults[:20]:
        print(f"             {line}")
    memory = figures.memory
    print(
        f"memory       {memory[0]:.1f} MB at first, {memory[len(memory) // 4]:.1f} after a "
        f"quarter, {memory[-1]:.1f} at last, {max(memory):.1f} at most, "
        f"growth {figures.growth:+.1f}"
    )
    before, after = figures.descriptors
    print(f"descriptors  {before.total()} before, {after.total()} after")
    print(f"             lost: {_list(figures.lost_descriptors) or 'none'}")
    print(f"log          {figures.tracebacks} tracebacks, secrets {figures.leaks or 'none'}")
    print(f"exit code    {figures.exit_code}")


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    raise SystemExit(main())
