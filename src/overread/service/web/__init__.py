"""The page for people, with its login, templates and style."""
