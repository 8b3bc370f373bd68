"""The work behind page and API: uploads are unpacked, decoded in processes of their own, read and logged."""
