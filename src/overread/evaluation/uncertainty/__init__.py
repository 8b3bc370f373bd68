"""How sure a number is: intervals, the bootstrap of patients, DeLong, McNemar."""
