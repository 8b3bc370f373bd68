"""What was understood of data, in a sentence for their user and in one for everybody."""

from __future__ import annotations


class Note(str):
    """A sentence that names files or folders; `public` says the same without their names, which may name patients."""

    public: str

    def __new__(cls, text: str, public: str = "") -> Note:
        """Make the sentence.

        Args:
            text: for the user.
            public: for everybody.
        """
        note = super().__new__(cls, text)
        note.public = public
        return note


def public(note: str) -> str:
    """A note as everybody may read it."""
    return note.public if isinstance(note, Note) else note
