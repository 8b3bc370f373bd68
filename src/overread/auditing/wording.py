"""What the texts of the house call classes where a task tells grades, findings or several answers instead."""

from __future__ import annotations

import re

from overread.decision import Task


def worded(text: str, task: Task) -> str:
    """Fill in what stands in braces, each as a text about classes has it: {class}, {the classes}, {of every class} ...

    Args:
        text: of the house; no name of a user stands in it.
        task: what is told apart.
    """
    one, several = task.noun
    own, besides = f"with the {one}", f"with and without the {one}"
    said = {
        "{class}": one,
        "{the classes}": f"the {several}" if task.exclusive else f"images {besides}",
        "{both classes}": ("all " if task.ordered else "both ") + several if task.exclusive else f"images {besides}",
        "{of one class}": f"of one {one}" if task.exclusive else own,
        "{of all classes}": f"of all {several}" if task.exclusive else besides,
        "{of every class}": f"of every {one}" if task.exclusive else besides,
        "{of others}": f"of other {several}" if task.exclusive else "without it",
        "{all}": f"all {several}" if task.exclusive else "both",
        "{one class}": f"one {one}" if task.exclusive else "labels that agree",
        "{of several classes}": f"of several {several}" if task.exclusive else "whose labels contradict",
        "{the same label}": "the same label" if task.exclusive else "labels that agree",
        "{label}": one if task.exclusive else "label",
    }
    for place, words in said.items():
        text = text.replace(place, words)
    return text


def named(text: str, task: Task) -> str:
    """Call classes what a task calls them, in a text without names of a user."""
    one, several = task.noun
    return re.sub(r"\bclasses\b", several, re.sub(r"\bclass\b", one, text))


def told_as(task: Task, name: str) -> str:
    """What a class or cut is called in a sentence: a grade is said to be one, for it may be a mere number."""
    return f"{task.noun[0]} {name}" if task.ordered else name


def say_exams(text: str) -> str:
    """Call images exams, in a text of a study whose cases are such; in paths and quoted names they stay."""
    return re.sub(r"(?<![\w/.'\"-])images(?![\w/.'\"-])", "exams", re.sub(r"(?<=\d )image(?! [nf])\b", "exam", text))
