"""The REST API: HTTP in and out, without storing or placing calls.

``app`` creates the application; ``blueprints`` has the endpoints, ``schemas`` checks what they
accept, ``serializers`` builds what they return, and ``errors`` turns errors into answers.
"""
