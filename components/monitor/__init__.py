"""Pipeline step: drift and calibration of a released model."""
