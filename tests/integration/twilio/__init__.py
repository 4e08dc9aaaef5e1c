"""The Twilio client against the simulator, over real HTTP."""
