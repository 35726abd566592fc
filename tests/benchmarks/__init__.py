"""What this package costs, as ratios against its peers within one run.

`python -m tests.benchmarks` runs everything, `python -m tests.benchmarks sync events` a part. These
are not tests: a busy machine must not fail a build. Contenders take turns (A B A B …), so that a
disturbance meets all of them, and the figures are medians over the rounds.
"""

__all__: list[str] = []
