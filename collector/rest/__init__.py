"""What the `rest` kind is made of: documents, where to find more of them, and what to read from each."""
