"""A Twilio that calls nobody: its Calls API over real HTTP, a separate program.

It keeps requests in memory, answers as Twilio does, and can be controlled over
HTTP to fail in every way a telephone provider fails. Run it with
``python -m simulator --port 3001``.
"""
