"""Settings of every test."""

import os
import signal

from hypothesis import settings

# How long an example takes says more about the machine than about the code. The check tries the
# same examples every time; whoever develops tries new ones.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")

# A shell without job control starts a command in the background with SIGINT ignored, and every
# process that the tests start would inherit that: servers and commands could not be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
