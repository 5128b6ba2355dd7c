"""What an answer that refuses must say: in the person's language, with a reason that is meant for people."""
import re

LANGUAGES = ("en", "zh-Hant")


def chinese(text):
    return bool(re.search("[\u4e00-\u9fff]", text))


def in_language(text, lang):
    """Examples in Chinese may stand in an English text."""
    return chinese(text) if lang == "zh-Hant" else bool(re.match("[A-Z][a-z ]", text))


def told(answer):
    return answer.json().get("errors") or answer.json().get("problems") or []


def refused(person, path, fields, status, field=None, reason=None, **more):
    """A change that is refused in both languages, with a reason for that field."""
    for lang in LANGUAGES:
        headers = {"Accept-Language": lang, **more.get("headers", {})}
        answer = person.post(path, fields, **{**more, "headers": headers})
        assert answer.status_code == status, (fields, answer.status_code, answer.text[:600])
        assert answer.headers["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert body["status"] == status and body["title"] and body["detail"], body
        assert chinese(body["detail"]) == (lang == "zh-Hant"), body
        if reason:
            reasons = [e for e in body["errors"] if e["key"] == reason and e["field"] == field]
            assert reasons, body
            assert reasons[0]["reason"] != reason and in_language(reasons[0]["reason"], lang), reasons
    return body
