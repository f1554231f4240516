"""What the `sql` kind is made of. The drivers are of the extra `sql`, and imported when a target needs them."""
