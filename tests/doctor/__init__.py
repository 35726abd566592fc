"""The doctor, against the emulator."""
