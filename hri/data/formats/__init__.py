"""Files of others to the project's own: motion capture, Human3.6M, KTH, recordings that packages ship."""
