"""Tests on regions: what a campaign added where it ran, and how small an effect a test could show."""
