"""html_page.py PAGE...: holds pages of cldann report against what they promise, by Python's own library: they are XML, need nothing
from outside, have words for each image, headings in order, no name twice. Prints the words of the pictures, one a line."""
import base64
import sys
import xml.etree.ElementTree as tree


def faults(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    root = tree.fromstring(text)
    if not text.startswith("<!DOCTYPE html>\n") or root.get("lang") != "en":
        yield "no <!DOCTYPE html> or no language"
    if "http://" in text or "https://" in text:
        yield "a reference to another place"
    names = {m.get("name") for m in root.iter("meta")}
    if "viewport" not in names or not root.findtext("head/title"):
        yield "no viewport or no title"
    level = 0
    for e in root.iter():
        if e.tag in ("script", "link", "iframe", "object", "base") or any(k.startswith("on") for k in e.keys()):
            yield f"a <{e.tag}>, or something that runs"
        if e.tag == "a" or e.get("href"):
            yield "a link"
        if len(e.tag) == 2 and e.tag[0] == "h" and e.tag[1].isdigit():
            if int(e.tag[1]) > level + 1:
                yield f"<{e.tag}> behind <h{level}>"
            level = int(e.tag[1])
    if len(list(root.iter("h1"))) != 1:
        yield "not one <h1>"
    for image in root.iter("img"):
        kind, _, data = image.get("src", "").partition(";base64,")
        if not image.get("alt"):
            yield "an image without words"
        if kind == "data:image/svg+xml":
            tree.fromstring(base64.b64decode(data, validate=True))
            print(image.get("alt"))
        elif kind != "data:image/png" or not base64.b64decode(data, validate=True).startswith(b"\x89PNG"):
            yield "an image that is not in the page"


bad = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(bad), file=sys.stderr)
sys.exit(bool(bad))
