"""Append-only logs of requests, decisions and outcomes for both servers: hash-chained records in Parquet parts.

A record is on disk `writer.EVERY` seconds and one write after it was appended, with its whole group or not at all. A
kill loses only what was appended since; so does a power cut, if the disk keeps confirmed writes. `RecordLog.flush`
waits for the disk. No flushed record is lost, repeated or reordered by a kill; the next writer in the folder makes
parts of the journals that a killed writer left.
"""
