#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Pages in a real browser, over Chromium's debugging pipe (no package needed).

look.py check BROWSER PAGE...          prints a line per thing that is wrong with a page
look.py shot BROWSER PAGE FOLDER       pictures: wide, dark, 360 px, page one as printed
look.py wild BROWSER                   what check says of pages that are wrong on purpose
look.py axe BROWSER AXE.JS PAGE...     what the accessibility checker finds

check holds: nothing is said on the console, no request leaves, no script, each
picture has a size, a title and a description with numbers, ids are there once and
what refers to them finds them, headings skip no level, tables have scoped heads,
no text is outside of its picture, nothing scrolls sideways at 360 px, contrast of
texts is 4.5 in light and dark, page one is one sheet of A4, the PDF has pages.
"""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time

WIDE, NARROW = (1280, 1000), (360, 800)

PROBE = r"""(() => {
  const bad = [], say = (t) => bad.push(t);
  const all = (q) => [...document.querySelectorAll(q)];
  if (all('script,iframe,object,embed,link,img,form,video,audio').length) say('an element that may load or act');
  for (const e of all('*')) for (const a of e.attributes) {
    if (/^on/.test(a.name) || a.name === 'style') say('attribute ' + a.name + ' on ' + e.tagName);
    if ((a.name === 'href' || a.name === 'src') && !a.value.startsWith('#')) say('leaves the page: ' + a.value);
  }
  const ids = all('[id]').map(e => e.id);
  if (new Set(ids).size !== ids.length) say('an id is there twice');
  for (const e of all('[aria-labelledby]')) for (const i of e.getAttribute('aria-labelledby').split(' '))
    if (!document.getElementById(i)) say('nothing is called ' + i);
  for (const e of all('a[href]')) if (!document.getElementById(e.getAttribute('href').slice(1))) say('a link to nothing');
  let level = 0;
  for (const h of all('h1,h2,h3,h4,h5,h6')) {
    const n = +h.tagName[1];
    if (n > level + 1) say('a heading skips a level: ' + h.textContent);
    if (!h.textContent.trim()) say('an empty heading');
    level = n;
  }
  if (all('h1').length !== 1) say('not one h1');
  const report = document.querySelector('.m');  /* a comparison has no page one and no list of sections */
  for (const q of ['header', 'main', 'footer', '.skip'].concat(report ? ['nav'] : [])) if (all(q).length !== 1) say('not one ' + q);
  if (!document.documentElement.lang) say('no language');
  for (const t of all('th')) { if (!t.scope) say('a th without scope'); if (!t.textContent.trim()) say('an empty th'); }
  for (const s of all('svg')) {
    const t = s.querySelector('title'), d = s.querySelector('desc');
    if (s.getAttribute('role') !== 'img' || !t || !t.textContent.trim()) say('a picture without a title');
    if (!d || !/[0-9]/.test(d.textContent)) say('a picture whose description has no numbers');
    if (getComputedStyle(s).display === 'none') continue;
    const box = s.getBoundingClientRect();
    if (box.width < 50 || box.height < 10) say('a picture without a size');
    if (!s.querySelector('rect,polyline,circle')) say('a picture without ink');
    for (const x of s.querySelectorAll('text')) {
      const b = x.getBoundingClientRect();
      if (b.left < box.left - 3 || b.right > box.right + 3) say('a text outside of its picture: ' + x.textContent);
    }
  }
  for (const sec of all('main > section')) {
    const name = document.getElementById(sec.getAttribute('aria-labelledby') || '');
    if (!name || !sec.querySelector('p,table,dl,pre')) say('a section without a name or content');
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) say('it scrolls sideways at ' + innerWidth);
  const rgb = (c) => c.match(/[\d.]+/g).map(Number);
  const lum = (c) => { const v = rgb(c).slice(0, 3).map(x => (x /= 255) <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const ratio = (a, b) => { const x = lum(a), y = lum(b); return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
  const seen = new Set();
  for (const e of all('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const s = getComputedStyle(e);
    if (!own || s.display === 'none' || e.closest('svg')) continue;
    if (ratio(s.color, ground(e)) < 4.5) seen.add('contrast of ' + s.color + ' on ' + ground(e));
  }
  for (const x of all('svg text')) {
    const s = getComputedStyle(x), on = x.classList.contains('on');
    if (s.fill === 'none' || getComputedStyle(x.ownerSVGElement).display === 'none') continue;
    let back = ground(x.ownerSVGElement.parentElement);
    if (on) { const b = x.getBoundingClientRect(), m = [b.left + b.width / 2, b.top + b.height / 2];
      for (const r of x.ownerSVGElement.querySelectorAll('rect')) { const q = r.getBoundingClientRect();
        if (m[0] > q.left && m[0] < q.right && m[1] > q.top && m[1] < q.bottom) back = getComputedStyle(r).fill; } }
    if (ratio(s.fill, back) < 4.5) seen.add('contrast of ' + s.fill + ' on ' + back + ' in a picture');
  }
  return bad.concat([...seen]);
})()"""


class Browser:
    """One headless browser, one tab at a time, nothing outside to be reached."""

    def __init__(self, program):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_r, self.to = os.pipe()
        self.back, back_w = os.pipe()

        def descriptors():  # the browser reads 3 and writes 4
            a, b = os.dup(to_r), os.dup(back_w)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", f"--user-data-dir={self.home.name}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=descriptors, close_fds=False,
            env={**os.environ, "HOME": self.home.name})
        os.close(to_r)
        os.close(back_w)
        self.buffer, self.count, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.back, 1 << 20)
            if not piece:
                sys.exit("look.py: the browser ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    sys.exit(f"look.py: {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, size=WIDE, dark=False):
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.receive())
        time.sleep(.2)

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"look.py: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    def picture(self, path):
        """In slices that an eye can take in."""
        height, width = self.run("document.documentElement.scrollHeight"), self.run("innerWidth")
        for i, y in enumerate(range(0, height, 1700)):
            clip = {"x": 0, "y": y, "width": width, "height": min(height - y, 1700), "scale": 1}
            with open(f"{path}-{i}.png", "wb") as f:
                f.write(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]))

    def told(self):
        """What the console and the network saw since the page was opened."""
        for e in self.events:
            if e.get("method") == "Log.entryAdded":
                yield "console: " + e["params"]["entry"]["text"]
            if e.get("method") == "Runtime.consoleAPICalled":
                yield "console: " + str(e["params"]["args"])
            url = e.get("params", {}).get("request", {}).get("url", "")
            if e.get("method") == "Network.requestWillBeSent" and not url.startswith(("file:", "data:text/html")):
                yield "a request: " + url

    def close(self):
        self.call("Browser.close")
        self.process.wait(60)


def url_of(path):
    return "file://" + os.path.abspath(path)


def pages(pdf):
    """Of a PDF: its page objects (Chromium writes them uncompressed)."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


ONE = """(() => { for (const e of [...document.querySelectorAll('main > *')].slice(1)) e.remove();
  document.querySelector('footer').remove(); return 1; })()"""


def look(browser, url):
    found = []
    for size, dark in ((WIDE, False), (WIDE, True), (NARROW, False), (NARROW, True)):
        browser.open(url, size, dark)
        found += browser.run(PROBE) + list(browser.told())
    browser.open(url)
    whole, report = pages(browser.pdf()), browser.run("!!document.querySelector('.m')")
    if whole < (3 if report else 1):
        found.append(f"the PDF has {whole} pages")
    if report and browser.run(ONE) and pages(browser.pdf()) != 1:
        found.append(f"page one is {pages(browser.pdf())} sheets of A4")
    return list(dict.fromkeys(found))


def check(program, paths):
    browser = Browser(program)
    for path in paths:
        for line in look(browser, url_of(path)):
            print(f"{os.path.basename(path)}: {line}", flush=True)
    browser.close()


def shot(program, path, folder):
    browser = Browser(program)
    for name, size, dark in (("wide", WIDE, False), ("dark", WIDE, True), ("narrow", NARROW, False)):
        browser.open(url_of(path), size, dark)
        browser.picture(f"{folder}/{name}")
    browser.open(url_of(path))
    browser.run(ONE)
    with open(f"{folder}/all.pdf", "wb") as f:
        f.write(browser.pdf())
    # page one at the width of A4 without its margins, as it is printed
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.call("Emulation.setDeviceMetricsOverride", width=703, height=1047, deviceScaleFactor=1.6, mobile=False)
    browser.picture(f"{folder}/page1")
    browser.close()


WRONG = {
    "console": "<script>console.log(1)</script>",
    "request": "<style>body{background:url(http://evil.test/x.png)}</style>",
    "handler": "<p onclick='1'>x</p>",
    "outside": "<a href='http://evil.test/'>x</a>",
    "twice": "<p id='a'>x</p><p id='a'>y</p>",
    "dangling": "<section aria-labelledby='nowhere'>x</section>",
    "heading": "<h4>deep</h4>",
    "scope": "<table><tr><th>x</th></tr></table>",
    "silent": "<svg role='img' width='90' height='90'><rect width='9' height='9'/></svg>",
    "empty": "<svg role='img' width='90' height='90'><title>t</title><desc>1</desc></svg>",
    "beyond": "<svg role='img' width='90' height='90'><title>t</title><desc>1</desc><rect width='9' height='9'/><text x='80' y='9'>far beyond it</text></svg>",
    "wide": "<div><p>" + "x" * 400 + "</p></div>",
    "pale": "<p><span style='color:#ccc'>x</span></p>",
    "long": "<main><section class='m'>" + "<p>x</p>" * 200 + "</section></main>",
}


def wild(program):
    browser = Browser(program)
    for name, body in WRONG.items():
        page = f"<!DOCTYPE html><html lang='en'><body><h1>x</h1><main></main><footer></footer>{body}</body></html>"
        if name == "long":
            page = f"<!DOCTYPE html><html lang='en'><body>{body}<footer></footer></body></html>"
        with tempfile.NamedTemporaryFile("w", suffix=".html") as f:
            f.write(page)
            f.flush()
            print(name, "|".join(look(browser, url_of(f.name))), flush=True)
    browser.close()


def axe(program, script, paths):
    browser = Browser(program)
    with open(script) as f:
        code = f.read()
    for path in paths:
        for dark in (False, True):
            browser.call("Page.setBypassCSP", enabled=True)
            browser.open(url_of(path), WIDE, dark)
            browser.run(code + ";1")
            found = browser.run("axe.run(document).then(r => r.violations.map(v => v.id + ': ' + v.help + ' ('"
                                " + v.nodes.length + ') ' + v.nodes[0].html.slice(0, 120)))")
            for line in found:
                print(f"{os.path.basename(path)}: {line}")
            print(f"{os.path.basename(path)}: {len(found)} violations, {'dark' if dark else 'light'}")
    browser.close()


if sys.argv[1] == "check":
    check(sys.argv[2], sys.argv[3:])
elif sys.argv[1] == "shot":
    shot(*sys.argv[2:])
elif sys.argv[1] == "axe":
    axe(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    wild(sys.argv[2])
