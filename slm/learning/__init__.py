"""Training a small model further: the process that does it, what is published of it, and how it comes to be served."""
