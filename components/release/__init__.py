"""Pipeline step: releases a version as a canary."""
