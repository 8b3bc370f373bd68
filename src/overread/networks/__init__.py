"""The networks: augmentation, body, and a head with an exact activation map.

Import its modules by name: all but `augmentation` and `registry` load Keras.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # before TensorFlow is loaded, which else tells how it was built
