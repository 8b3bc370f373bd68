"""How a reader fares at work, from its log: what came, what was referred, whether humans agree, and what has drifted.

`monitor` reads the log and writes the page; `watch` counts a stretch of the log; `checks` holds it against what the
bundle was validated on, by the tests in `drift_tests`.
"""
