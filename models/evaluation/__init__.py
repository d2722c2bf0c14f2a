"""How good, how sure, how fair: metrics, calibration, intervals, fairness and the gates to release."""
