"""The reference of the REST API: an OpenAPI document, and a page that shows it.

Texts and examples are in ``data/``. Schemas are marshmallow's, converted by apispec: those that
check requests are the API's own, those of answers are in ``data/answers.yaml``.
"""
