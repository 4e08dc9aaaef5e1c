"""The reference of the REST API: an OpenAPI document, and a page that shows it.

What requests may hold is read off the schemas that check them; ``shapes`` says what is
answered; beside it one module for each room of the API describes its endpoints, with an
example for each request and each answer. ``document`` puts them together.
"""
