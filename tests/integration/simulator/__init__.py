"""The simulated Twilio, over real HTTP."""
