"""Embedders that are trained whole, one module a network; `catalogue` names them."""
