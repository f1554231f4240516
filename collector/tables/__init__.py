"""Tables as files hold them, CSV and XLSX: rows with their numbers, whatever they mean."""
