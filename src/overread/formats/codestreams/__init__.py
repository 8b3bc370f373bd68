"""Compressed pixels by their own markers and boxes: the size that they declare, and JPEG of 12 bits decoded.

A decoder makes room for what its codestream declares, whatever stands around it: a few hundred bytes can ask for many
gigabytes. So each is looked at before.
"""
