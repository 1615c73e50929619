"""The KServe server and what it answers with."""
