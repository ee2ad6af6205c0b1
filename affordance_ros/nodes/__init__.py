"""The ROS nodes: the only files of the package that import rclpy."""
