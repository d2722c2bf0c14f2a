"""The record of what models saw, answered and caused: one log for both servers, chained by hashes, in Parquet parts.

A record that was appended is on disk after `writer.EVERY` seconds and one write of the disk, with its whole group or
not at all: `kill -9` loses what was appended since, a power cut no more than that if the disk keeps what it confirmed.
Who must not lose one waits in `RecordLog.flush`. Nothing that was flushed is lost, doubled or reordered by a kill at
any point; the next writer in the folder makes parts of what a killed one left.
"""
