"""THE preprocessing: training, evaluation, serving and edge cut faces with these functions."""
