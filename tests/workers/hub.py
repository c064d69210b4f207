"""A server on this machine that speaks as much of Hugging Face's and Kaggle's protocols as their clients need here."""

import base64
import contextlib
import hashlib
import http.server
import json
import os
import threading
import urllib.parse

# The client of Kaggle knows this one, with KAGGLE_API_ENVIRONMENT=TEST, and no other on this machine.
KAGGLE_PORT = 7777
COMMIT = "0" * 39 + "1"


class Hub(http.server.BaseHTTPRequestHandler):
    """Repositories of files: `{"user/name": {"config.json": bytes}}`; the server's attribute `repositories`.

    What is uploaded to Kaggle lies in `blobs`, `{token: [name, bytes]}`, until a version of a model names the tokens.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(self.path)
        parts = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            name = "/".join(parts[2:4])
            files = self.server.repositories.get(name)
            if files is None:
                return self.missing("RepoNotFound")
            return self.tree(files) if parts[4:5] == ["tree"] else self.info(name, files)
        if len(parts) > 4 and parts[2] == "resolve":
            content = self.server.repositories.get("/".join(parts[:2]), {}).get("/".join(parts[4:]))
            return self.file(content) if content is not None else self.missing("EntryNotFound")
        return self.missing()

    do_HEAD = do_GET

    def do_POST(self):
        self.server.requests.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urllib.parse.urlsplit(self.path).path
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            self.server.repositories.setdefault(name, {})
            return self.json({"url": f"{self.address}/{name}", "id": name})
        if path == "/api/validate-yaml":
            return self.json({"errors": [], "warnings": []})
        if path.endswith("/preupload/main"):
            files = [{**file, "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            return self.json({"files": files})
        if path.endswith("/commit/main"):
            return self.commit("/".join(path.strip("/").split("/")[2:4]), body)
        if "/v1/models." in path or "/v1/blobs." in path:
            return self.kaggle(path.rpartition("/")[2], json.loads(body or b"{}"))
        return self.missing()

    def do_PUT(self):
        self.server.requests.append(self.path)
        self.server.blobs[self.path.rpartition("/")[2]][1] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"", {})

    def commit(self, name, body):
        for line in body.decode().splitlines():
            operation = json.loads(line)
            if operation["key"] == "file":
                value = operation["value"]
                self.server.repositories[name][value["path"]] = base64.b64decode(value["content"])
        self.json({"success": True, "commitOid": COMMIT, "commitUrl": f"{self.address}/{name}/commit/{COMMIT}"})

    def kaggle(self, method, asked):
        name = f"{asked.get('ownerSlug')}/{asked.get('modelSlug') or asked.get('slug')}"
        files = self.server.repositories.get(name)
        if method == "StartBlobUpload":
            token = f"blob_{len(self.server.blobs)}"
            self.server.blobs[token] = [asked["name"], None]
            self.json({"token": token, "createUrl": f"{self.address}/upload/{token}"})
        elif method == "CreateModel":
            self.server.repositories[name] = {}
            self.json({"id": 1, "url": f"{self.address}/{name}"})
        elif files is None:
            self.missing()
        elif method == "GetModel":
            self.json({"id": 1, "slug": asked["modelSlug"]})
        elif method == "CreateModelInstance" and files:
            self.json({"error": "It exists.", "errorCode": 409})
        elif method in ("CreateModelInstance", "CreateModelInstanceVersion"):
            tokens = [file["token"] for file in asked["body"]["files"]]
            self.server.repositories[name] = dict(self.server.blobs[token] for token in tokens)
            self.json({"id": 1, "url": f"{self.address}/{name}"})
        elif method == "GetModelInstance":
            self.json({"id": 1, "slug": asked["instanceSlug"], "versionNumber": 3})
        elif method == "ListModelInstanceVersionFiles":
            self.json({"files": [{"name": name} for name in files], "nextPageToken": ""})
        else:
            self.file(files[asked["path"]])

    # === Answers ===

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def info(self, name, files):
        siblings = [{"rfilename": path, "size": len(content)} for path, content in files.items()]
        self.json({"id": name, "modelId": name, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings})

    def tree(self, files):
        entries = [(path, len(content), hashlib.sha1(content).hexdigest()) for path, content in files.items()]
        self.json([{"type": "file", "path": path, "size": size, "oid": oid} for path, size, oid in entries])

    def json(self, value):
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def file(self, content):
        digest = hashlib.sha256(content).hexdigest()
        self.answer(200, content, {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"})

    def missing(self, code=""):
        self.answer(404, b'{"error": "not found"}', {"X-Error-Code": code} if code else {})

    def answer(self, status, content, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format, *args):
        pass


@contextlib.contextmanager
def serving(repositories, port=0):
    """Runs the server; yields its port, and the list of the paths that it was asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Hub) as server:
        server.repositories, server.requests, server.blobs = repositories, [], {}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], server.requests
        finally:
            server.shutdown()
            thread.join()


def client(environment, function, *arguments):
    """What runs in a process of its own: the clients read their settings when they are imported."""
    os.environ.update(environment)
    function(*arguments)


def download(handle, expected):
    """Loads a preset from a hub and compares what it generates with the bytes of a file."""
    import ganzoo

    model = ganzoo.from_preset(handle)
    with open(expected, "rb") as file:
        assert model.generate(4, seed=3).tobytes() == file.read()


def upload(handle, path):
    import ganzoo

    ganzoo.upload_preset(handle, path)


def refused(handle, *words):
    """Asks for a preset that is not there, or cannot be reached."""
    import ganzoo

    try:
        ganzoo.from_preset(handle)
    except ValueError as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError(f"{handle} was found.")
