"""The dialer and the simulator, over real HTTP."""
