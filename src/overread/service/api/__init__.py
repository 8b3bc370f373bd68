"""The API for programs: its routes, and what OpenAPI says of them."""
