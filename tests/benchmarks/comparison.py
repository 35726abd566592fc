"""Contenders that take turns, and what came of it."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = ["Comparison", "Contender", "Target", "compare"]


@dataclass
class Contender:
    """Something to be timed.

    Attributes:
        run: does the work once, `units` of it (calls, events, …). Where another process does it,
            that one's seconds are returned, by the clock and of CPU time.
        walls, cpus: microseconds per unit, one figure per round, by the clock and by the process's
            own CPU time.
    """

    name: str
    run: Callable[[], tuple[float, float] | None]
    units: int
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def take_turn(self) -> None:
        """Run once and note how long it took."""
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        measured = self.run()
        wall, cpu = measured or (time.perf_counter() - wall, time.process_time() - cpu)
        self.walls.append(wall / self.units * 1e6)
        self.cpus.append(cpu / self.units * 1e6)


@dataclass(frozen=True)
class Target:
    """Ours in relation to a peer: at most `at_most` times its figure."""

    peer: str
    at_most: float


@dataclass(frozen=True)
class Comparison:
    """One benchmark's result; the first contender is ours."""

    title: str
    unit: str
    contenders: Sequence[Contender]
    targets: Sequence[Target]

    def lines(self) -> list[str]:
        """The table, and whether each target is met."""
        ours = self.contenders[0]
        lines = [f"\n{self.title}", f"  {'':44}{'wall':>11}{'cpu':>11}   ours / theirs (cpu)"]
        for one in self.contenders:
            wall, cpu = median(one.walls), median(one.cpus)
            row = f"  {one.name:44}{wall:8.1f} µs{cpu:8.1f} µs"
            if one is not ours:
                row += f"   {_ratio(ours.walls, one.walls):.3f} ({_ratio(ours.cpus, one.cpus):.3f})"
            lines.append(f"{row}   per {self.unit}")
        return lines + [self._verdict(target) for target in self.targets if self._has(target.peer)]

    def _has(self, peer: str) -> bool:
        return any(one.name == peer for one in self.contenders)

    def _verdict(self, target: Target) -> str:
        ours = self.contenders[0]
        peer = next(one for one in self.contenders if one.name == target.peer)
        wall, cpu = _ratio(ours.walls, peer.walls), _ratio(ours.cpus, peer.cpus)
        verdict = "met" if wall <= target.at_most else "MISSED"
        return (
            f"  target: at most {target.at_most:.2f} x {target.peer}: "
            f"{wall:.3f} by the clock, {cpu:.3f} in CPU time: {verdict}"
        )


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' own ratios: both sides of one round met the same disturbances."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def compare(
    title: str,
    unit: str,
    contenders: Sequence[Contender],
    targets: Sequence[Target] = (),
    *,
    rounds: int = 15,
) -> Comparison:
    """Let each contender take its turn in every round, after one turn that does not count."""
    for one in contenders:
        one.run()
    for number in range(rounds):
        # Who goes first changes, so that none always runs after the same neighbour.
        shift = number % len(contenders)
        for one in [*contenders[shift:], *contenders[:shift]]:
            one.take_turn()
    return Comparison(title, unit, contenders, targets)
