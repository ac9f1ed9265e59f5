"""The export of the bundled embedding model: from the official weights to the files beside the embedder."""
