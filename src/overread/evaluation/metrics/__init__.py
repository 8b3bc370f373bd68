"""What a metric is: the definition of each, in one place for figures, intervals, tables and words."""
