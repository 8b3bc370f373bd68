"""The work behind page and API: uploads are files_in_zip, decoded in processes of their own, read and logged."""
