"""The networks: augmentation, body, and a head with an exact activation map.

Import its modules by name: all but `augmentation` and `registry` load Keras, by `backend`.
"""
