"""What runs the image network: torch, OpenVINO or ONNX Runtime, behind one interface."""
