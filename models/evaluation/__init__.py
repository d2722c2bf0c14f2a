"""Model evaluation: metrics, calibration, intervals, fairness and release gates."""
