"""The model: frozen CLIP trunk, feature pyramid, heads, text, weights. Needs no ROS."""
