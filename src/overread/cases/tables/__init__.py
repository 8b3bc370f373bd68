"""Tables as people save them: the rows of CSV, TSV and XLSX files, the program's own form, and where tables lie."""
