"""Texts of the seeds: JSON, specs, journals."""

from __future__ import annotations

import json

HUGE = 1 << 62
Objects = dict[str, bytes]

JSON = {
    "scalars": '[0, -0, 1.5e-7, 1e400, 18446744073709551615, "a", null]',
    "python": '{"a": NaN, "b": [Infinity, -Infinity]}',
    "strings": r'["\u00e9\ud83d\ude00\ud800", "\"\\\/\b\f\n\r\t", "Grüße"]',
    "objects": '{"a": {"b": {}}, "": [], "\\u0061": 1}',
    "twice": '{"a": 1, "a": 2}',
    "deep": "[" * 60 + "]" * 60,
    "cut": '{"shape": [1, 2',
    "number": "-12.5E+3",
    "spaces": ' \t\r\n { "a" : [ 1 , 2 ] } \n',
}

SIZES = ["2GiB", "1.5k", "500 MB", "18446744073709551616", "1e30", ".5B", "-1"]
CHUNKS = [
    "2000,10,10",
    "time=all,lat=10",
    "(2000, 10, 10)",
    "auto:100MB",
    "0=-1,2=auto:5",
    "all",
    "b=c=3",
    "9223372036854775808,0",
    "a=1,a=2",
]
CODECS = [
    "blosc:zstd:3:bitshuffle",
    "zstd:-7+crc32c",
    "lz4+gzip:9+zlib:0",
    "none",
    '{"id": "blosc", "shuffle": 2}',
    '[{"name": "zstd", "configuration": {"level": 3}}]',
    '{"name": "zstd", "configuration": {"level": 1e99}}',
    "[" * 100,
]
FLAGS = [
    "10,10\n20,20\nzstd:3\n3\n2\n1GiB\n20,30\nf4\n5,30\n0\n1\n2..8\na:3,4",
    "all\nnone\n[]\n4\n0\n0\n\n\n\nx\n-1\nall\na",
]
PAPERS = [
    "2000,361,720\nf4\n10,361,720\n\n2000,19,20\n\n256MB",
    "4000,4000\n<f8\n1,4000\n\n4000,1\n\n2MB",
    "100,100\ni2\n10,10\n50,50\n20,5\n60,60\n1MB",
    f"{HUGE},{HUGE}\nu1\n1,{HUGE}\n\n{HUGE},1\n\n8EiB",
    "\nf4\n1\n\n1\n\n1",
]

PROCESS = {"host": "h", "user": "u", "boot": "b", "pid_space": "p"}
PROCESS |= {"pid": 7, "start": 9}
BEAT = {"process": PROCESS, "boot_seconds": 1.5, "time": 1700000000}
OWNER = {"plan_hash": "00ff", "team": False, "since": 1700000000}
OWNER |= {"process": PROCESS, "beat": BEAT}


def record(*tasks: object, **members: object) -> bytes:
    """Return a record of one batch; its hash is put behind it later."""
    batch = {
        "tasks": tasks,
        "counted": [1, 2, 3, 4, 5, 6, 7],
        "skipped": [0] * 7,
        "read": [2, 3, (1 << 64) - 1],
        "written": [4, 5, 6],
        "digest": [1, (1 << 64) - 1],
    }
    text = {"batches": [{**batch, **members}], "plan": "00ff"}
    return json.dumps(text, separators=(",", ":")).encode()


STAGE = {
    "source": "source",
    "target": "target",
    "chunks": [2],
    "block": [2],
    "tasks": 3,
    "max_task_bytes": 8,
    "objects_read": 3,
    "bytes_decoded": 6,
    "objects_written": 3,
    "bytes_encoded": 6,
}
ARRAY = {
    "name": "",
    "shape": [6],
    "dtype": "|u1",
    "item_bytes": 1,
    "source_chunks": [2],
    "target_chunks": [2],
    "method": "direct",
    "component": [2],
    "stages": [STAGE],
}
PLAN = {
    "version": 1,
    "max_memory": 100,
    "threads": 1,
    "peak_memory": 8,
    "temp_bytes": 0,
    "temp_objects": 0,
    "arrays": [ARRAY],
    "plan_hash": "00ff",
    "temp": {"url": "/data/.b.rechunk-temp"},
}
JOURNALS: dict[str, Objects] = {
    "some": {
        "plan.json": json.dumps(PLAN).encode(),
        "ready": b"00ff",
        "owner/1": json.dumps(OWNER).encode(),
        "beat/h-7-9": json.dumps(BEAT).encode(),
        "done/0/0/0-2": record(0, 0, 0, 2),
        "done/0/0/2-3": record(0, 0, 2, 3),
        "done/1/0/0-2": record(1, 0, 0, 2),
        "done/1/1/1-4": record(1, 1, 1, 4),
    },
    "overlap": {
        "plan.json": b'{"plan_hash": "00ff"}',
        "done/0/0/0-2": record(0, 0, 0, 2),
        "done/0/0/1-3": record(0, 0, 1, 3),
        "done/0/0/9223372036854775807-1": record(0, 0, (1 << 63) - 1, 1),
    },
    "odd": {
        "plan.json": b'{"plan_hash": 3}',
        "ready": b"",
        "owner/9223372036854775807": b"{}",
        "beat/x": b"[]",
        "done/0/0/0-3": b'{"counted": [], "skipped": 1}',
        "done/-1/99/a-b": b"",
        "done/0/0": b"[]",
    },
    "numbers": {
        "plan.json": b'{"plan_hash": "00ff"}',
        "owner/2": json.dumps({**OWNER, "since": 1e18}).encode(),
        "done/0/0/0-2": record(0, 0, 0, 2, counted=[1e300, -1, 2.5] + [0] * 4),
        "done/0/0/2-3": record(0, 0.0, 2, 3, digest=[-1, 1e30]),
    },
}

REFERENCES: dict[str, object] = {
    "flat": {".zgroup": '{"zarr_format": 2}', "a/0": ["a.nc", 3, 5]},
    "inline": {"a": "text", "b": "base64:AAEC/w==", "c": {"d": [1, None]}},
    "whole": {"a": ["a.nc"], "b": ["file:///no/such/folder/of/references/b"]},
    "templates": {
        "version": 1,
        "templates": {"u": "deep/{{c}}", "v": "w"},
        "refs": {"k": ["{{u(c='x')}}/{{v}}.nc", 0, 9], "l": ["{{v}}"]},
    },
    "gen": {"version": 1, "gen": [{"key": "a"}], "refs": {}},
    "away": {"a": ["/etc/passwd"], "b": ["http://169.254.169.254/"]},
}
