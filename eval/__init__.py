"""Evaluation of affordance heatmaps. `eval.metrics` needs numpy and OpenCV alone."""
