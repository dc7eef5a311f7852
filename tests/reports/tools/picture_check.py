#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A picture of panels keeps its promises: well-formed, no script, style or link, each
panel an image with a title and a description, labels inside the picture and apart."""
import sys
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "g", "rect", "line", "circle", "polygon", "text", "title", "desc"}


def width(text):  # as reports/draw/chart.c
    return sum(0.36 if c in "il.,:;'|()[]/ " else 0.62 for c in text) * 11


def box(t):
    x, y, w = float(t.get("x")), float(t.get("y")), width(t.text or "") * float(t.get("font-size")) / 11
    left = {"start": x, "middle": x - w / 2, "end": x - w}[t.get("text-anchor")]
    return left, y - 9, left + w, y + 2, t.text


def main():
    root = tree.parse(sys.argv[1]).getroot()
    bad, panels, labels = [], 0, 0
    for e in root.iter():
        name = e.tag.replace(SVG, "")
        if name not in ALLOWED:
            bad.append(f"an element <{name}>")
        for key in e.attrib:
            if key == "style" or key.startswith("on") or "href" in key:
                bad.append(f"an attribute {key} of <{name}>")
    for g in root.iter(SVG + "g"):
        panels += 1
        title, desc = g.find(SVG + "title"), g.find(SVG + "desc")
        if g.get("role") != "img" or title is None or desc is None or not desc.text:
            bad.append(f"panel {panels} is not an image with a title and a description")
            continue
        if g.get("aria-labelledby") != f"{title.get('id')} {desc.get('id')}":
            bad.append(f"panel {panels} is not labelled by its title and description")
        boxes = [box(t) for t in g.iter(SVG + "text") if not t.get("transform")]
        labels += len(boxes)
        for i, a in enumerate(boxes):
            if a[0] < 0 or a[2] > 780:
                bad.append(f"'{a[4]}' leaves the picture")
            for b in boxes[:i]:
                if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
                    bad.append(f"'{a[4]}' and '{b[4]}' overlap")
    for b in bad:
        print(b)
    if not bad:
        print(f"{panels} panels, {labels} texts")
    return 1 if bad else 0


sys.exit(main())
