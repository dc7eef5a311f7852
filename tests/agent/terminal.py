#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""terminal.py COLUMNS LATER COMMAND...: runs COMMAND on a terminal of so many columns,
of LATER ones once it has begun its second epoch (0: the same), and prints what a
person sees: lines that stay, and "> " before lines that were rewritten. Fails when
a rewritten line reaches the terminal's edge or nothing was rewritten."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios

first, later, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


pid, fd = pty.fork()
if pid == 0:
    resize(0, first)
    os.execvp(command[0], command)
seen, turn = b"", None
while True:
    try:
        block = os.read(fd, 65536)
    except OSError:
        break
    if not block:
        break
    seen += block
    if later and turn is None and b"epoch 2/" in seen:
        resize(fd, later)
        # what was under way may have asked before
        turn = len(seen) + 4 * first
_, status = os.waitpid(pid, 0)

wrong = rewritten = narrow = 0
for m in re.finditer(rb"\r([^\r\n]*?)\x1b\[K", seen):
    line = re.sub(rb"\x1b\[[0-9;]*m", b"", m.group(1)).decode()
    if not line:
        continue
    now = turn is not None and m.start() > turn
    rewritten += 1
    narrow += now
    columns = later if now else max(first, later)
    if len(line) >= columns:
        wrong += 1
        print("too wide:", len(line), line)
    print(">", line)
for line in seen.decode().split("\n"):
    line = re.sub(r"\x1b\[[0-9;]*[mK]", "", line.strip("\r").split("\r")[-1])
    print(line)
print("%d rewritten, %d after the change" % (rewritten, narrow))
sys.exit(9 if wrong or not rewritten or (later and not narrow) else os.waitstatus_to_exitcode(status))
