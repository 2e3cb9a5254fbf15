"""What converts the photos of a batch: threads of this process, or the machines of a Ray cluster."""
