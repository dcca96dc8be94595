"""Makes silences longer in a finished capture: time stamps after them move by what was added.

A heartbeat comes every half hour, and no lab should wait for it. A negative silence is a clock that
was set back. Nothing in a packet is touched; plays with long silences switch TCP timestamps
(RFC 7323) off, since those would count the time that really passed. Deliberately reads only what tcpdump writes: little-endian pcap in microseconds.
"""

import struct

FILE_HEADER, RECORD_HEADER = 24, 16
MAGIC = b"\xd4\xc3\xb2\xa1"


def stretch(data, silences):
    """`silences`: (when in seconds since the epoch, seconds to add), as it really happened."""
    if data[:4] != MAGIC:
        raise ValueError("not a little-endian pcap in microseconds")
    out, at = [data[:FILE_HEADER]], FILE_HEADER
    while at + RECORD_HEADER <= len(data):
        seconds, micros, captured, size = struct.unpack_from("<IIII", data, at)
        when = seconds + micros / 1e6
        added = sum(round(more * 1e6) for begun, more in silences if begun <= when)
        total = seconds * 1000000 + micros + added
        out.append(struct.pack("<IIII", total // 1000000, total % 1000000, captured, size))
        out.append(data[at + RECORD_HEADER:at + RECORD_HEADER + captured])
        at += RECORD_HEADER + captured
    return b"".join(out)
