"""Networks and their training in torch. Imports nothing: import from the modules."""
