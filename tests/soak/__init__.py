"""A soak of the gateway: many mixed calls over an emulated Azure in which things go wrong."""
