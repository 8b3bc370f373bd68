"""The reading room: a page for people and an API for programs, over bundles at work.

Nothing is imported here, so that a process that only decodes images loads no web framework.
"""
