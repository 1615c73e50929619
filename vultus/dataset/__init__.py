"""What can be said of a data set as a whole; imports nothing itself."""
