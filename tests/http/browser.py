"""A browser without script: pages as text and forms, cookies, links; what a form sends is what it holds."""
import html.parser
import re

import requests

from platform_under_test import PASSWORD

VOID = {"input", "br", "img", "meta", "link", "hr", "wbr", "col", "source"}


class Form:
    def __init__(self, attrs):
        self.action, self.method = attrs.get("action", ""), attrs.get("method", "get")
        self.id = attrs.get("id")
        self.fields, self.buttons, self.files = [], [], []

    def values(self, **changes):
        """What it would send, with changes; None takes a field away."""
        out = [(n, changes.get(n, v)) for n, v in self.fields]
        named = {n for n, _ in self.fields}
        out += [(n, v) for n, v in changes.items() if n not in named]
        return [(n, v) for n, v in out if v is not None]


class Page(html.parser.HTMLParser):
    def __init__(self, answer):
        super().__init__()
        self.status, self.url, self.headers, self.html = answer.status_code, answer.url, answer.headers, answer.text
        self.forms, self.links, self.tags, self.words = [], [], [], []
        self.by_id, self.later = {}, []
        self.form = self.area = self.select = None
        self.skip, self.disabled = 0, False
        self.feed(answer.text)
        for form_id, kind, value in self.later:
            getattr(self.by_id[form_id], kind).append(value)

    def _add(self, attrs, kind, value):
        if "disabled" in attrs or self.disabled:
            return
        if attrs.get("form"):
            self.later.append((attrs["form"], kind, value))
        elif self.form:
            getattr(self.form, kind).append(value)

    def handle_starttag(self, tag, attrs):
        attrs = {k: v if v is not None else "" for k, v in attrs}
        self.tags.append((tag, attrs))
        if tag in ("script", "style"):
            self.skip += 1
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag == "fieldset":
            self.disabled = "disabled" in attrs
        if tag == "form":
            self.form = Form(attrs)
            self.forms.append(self.form)
            if self.form.id:
                self.by_id[self.form.id] = self.form
        if tag == "input" and attrs.get("name"):
            self._input(attrs)
        if tag == "button" and attrs.get("name"):
            self._add(attrs, "buttons", (attrs["name"], attrs.get("value", "")))
        if tag == "textarea":
            self.area = [attrs, ""]
        if tag == "select":
            self.select = [attrs, None]
        if tag == "option" and self.select and (self.select[1] is None or "selected" in attrs):
            self.select[1] = attrs.get("value", "")

    def _input(self, attrs):
        kind = attrs.get("type", "text")
        if kind == "file":
            self._add(attrs, "files", attrs["name"])
        elif kind not in ("checkbox", "radio", "submit", "button") or "checked" in attrs:
            self._add(attrs, "fields", (attrs["name"], attrs.get("value", "")))

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.skip -= 1
        if tag == "fieldset":
            self.disabled = False
        if tag == "form":
            self.form = None
        if tag == "textarea" and self.area:
            if self.area[0].get("name"):
                # as HTML says, the first line end after <textarea> is none
                text = self.area[1]
                self._add(self.area[0], "fields", (self.area[0]["name"], text[1:] if text[:1] == "\n" else text))
            self.area = None
        if tag == "select" and self.select:
            if self.select[0].get("name") and self.select[1] is not None:
                self._add(self.select[0], "fields", (self.select[0]["name"], self.select[1]))
            self.select = None

    def handle_data(self, data):
        if self.area:
            self.area[1] += data
        elif not self.skip:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def form_to(self, action):
        found = [f for f in self.forms if f.action == action]
        assert found, (action, [f.action for f in self.forms], self.text[:400])
        return found[0]

    def value(self, name):
        """Of the first field of that name in any form."""
        return next(v for f in self.forms for n, v in f.fields if n == name)


class Browser:
    def __init__(self, base, lang="en", login=None, password=PASSWORD):
        self.base = base
        self.http = requests.Session()
        self.http.headers.update({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": lang})
        if login:
            page = self.log_in(login, password)
            assert page.status == 200 and not page.url.endswith("/login"), page.text[:300]

    def get(self, path, follow=True, **more):
        return Page(self.http.get(self.base + path, allow_redirects=follow, **more))

    def post(self, path, values, follow=True, **more):
        more.setdefault("headers", {"Origin": self.base})
        return Page(self.http.post(self.base + path, data=values, allow_redirects=follow, **more))

    def send(self, form, follow=True, **changes):
        """Clicks the form's button."""
        return self.post(form.action, form.values(**changes), follow=follow)

    def log_in(self, login, password=PASSWORD):
        return self.send(self.get("/login").form_to("/login"), login=login, password=password)
