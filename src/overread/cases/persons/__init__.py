"""Who stands behind the data: columns of a table and words of a path that name persons."""
