"""What any device must do, checked on the device itself: for `cortado selftest` and the pytest plugin."""
