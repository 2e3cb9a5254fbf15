"""Where the photos of a batch come from: folders, patterns, lists, archives, object stores."""
