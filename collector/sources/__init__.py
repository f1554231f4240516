"""Where the documents of feeds come from: HTTP, a local folder, SFTP. Nothing here knows what is in them."""
