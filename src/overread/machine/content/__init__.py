"""What files hold, written and read without believing it: text, cells, JSON values, sealed records, arrays, zips."""
