"""Settings of every test."""

import os

from hypothesis import settings

# How long an example takes says more about the machine than about the code. The check tries the
# same examples every time; whoever develops tries new ones.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")
