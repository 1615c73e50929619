"""What a data version is made of: counts, distributions, suspects, limits. Pure numpy and pyarrow."""
