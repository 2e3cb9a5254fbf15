"""What is kept of a file and what is lost, measured: files that hold everything, converted, and looked at again."""
