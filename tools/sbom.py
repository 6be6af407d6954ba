#!/usr/bin/env python3
"""Writes the SBOM of the source tarball, in SPDX 2.3 as JSON: each file with its digests, and the linked and loaded
libraries, from meson.build. The same commit always gives the same octets.

    sbom.py [OUTPUT_FOLDER]        also makes the tarball (tools/dist.sh); prints the SBOM's path
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# How what meson.build asks for is used, and its licence. A dependency without a row is an error.
DEPENDENCIES = {
    "openssl": ("DYNAMIC_LINK", "Apache-2.0"),
    "sqlite3": ("DYNAMIC_LINK", "blessing"),
    "inih": ("DYNAMIC_LINK", "BSD-3-Clause"),
    "jansson": ("DYNAMIC_LINK", "MIT"),
    "libgsasl": ("OPTIONAL_DEPENDENCY_OF", "LGPL-2.1-or-later"),
    "libidn2": ("OPTIONAL_DEPENDENCY_OF", "LGPL-3.0-or-later OR GPL-2.0-or-later"),
    "libcurl": ("OPTIONAL_DEPENDENCY_OF", "curl"),
    "libsecret-1": ("OPTIONAL_DEPENDENCY_OF", "LGPL-2.1-or-later"),
    "libqrencode": ("OPTIONAL_DEPENDENCY_OF", "LGPL-2.1-or-later"),
    "libedit": ("OPTIONAL_DEPENDENCY_OF", "BSD-3-Clause"),
    "libseccomp": ("BUILD_DEPENDENCY_OF", "LGPL-2.1-only"),
    "cmocka": ("TEST_DEPENDENCY_OF", "Apache-2.0"),
}
# The C library's own, and Python's.
SYSTEM = {"threads", "dl", "python3", ""}


def dependencies() -> list[tuple[str, str, str, str]]:
    """What meson.build files ask for: name, version, relationship and licence."""
    text = subprocess.run(["meson", "introspect", "--scan-dependencies", ROOT / "meson.build"], check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    found = {}
    for one in json.loads(text):
        if one["name"] in SYSTEM:
            continue
        if one["name"] not in DEPENDENCIES:
            sys.exit(f"sbom.py: say in DEPENDENCIES how {one['name']} is used")
        found.setdefault(one["name"], " ".join(one["version"]))
    unused = DEPENDENCIES.keys() - found.keys()
    if unused:
        sys.exit(f"sbom.py: meson.build no longer asks for {', '.join(sorted(unused))}")
    return [(name, found[name], *DEPENDENCIES[name]) for name in sorted(found)]


def identifier(kind: str, name: str) -> str:
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def file_entries(tarball: Path) -> list[dict]:
    entries = []
    with tarfile.open(tarball) as tar:
        for member in tar:
            if not member.isfile():
                continue
            data = tar.extractfile(member).read()
            name = member.name.split("/", 1)[1]
            sha1 = hashlib.sha1(data).hexdigest()
            entries.append({
                "SPDXID": f"SPDXRef-File-{hashlib.sha1(name.encode()).hexdigest()}",
                "fileName": f"./{name}",
                "checksums": [{"algorithm": "SHA1", "checksumValue": sha1},
                              {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}],
                "licenseConcluded": "MIT",
                "licenseInfoInFiles": ["NOASSERTION"],
                "copyrightText": "NOASSERTION",
            })  # fmt: skip
    return entries


def document(tarball: Path) -> dict:
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    name = tarball.name.removesuffix(".tar.gz")
    with tarfile.open(tarball) as tar:
        created = datetime.fromtimestamp(max(m.mtime for m in tar), timezone.utc)
    files = file_entries(tarball)
    digests = sorted(f["checksums"][0]["checksumValue"] for f in files)
    ours = {
        "SPDXID": "SPDXRef-Package-libpop3",
        "name": "libpop3",
        "versionInfo": name.removeprefix("libpop3-"),
        "packageFileName": tarball.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1("".join(digests).encode()).hexdigest()},
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "licenseConcluded": "MIT",
        "licenseDeclared": "MIT",
        "licenseInfoFromFiles": ["NOASSERTION"],
        "copyrightText": "Copyright (c) 2026 The libpop3 authors",
        "hasFiles": [f["SPDXID"] for f in files],
    }
    packages, relations = [ours], [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": ours["SPDXID"]}]
    for other, version, relation, licence in dependencies():
        packages.append({
            "SPDXID": identifier("Package", other),
            "name": other,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION",
            "licenseDeclared": licence,
            "copyrightText": "NOASSERTION",
            **({"comment": f"version {version}"} if version else {}),
        })  # fmt: skip
        ends = [ours["SPDXID"], identifier("Package", other)]
        if relation.endswith("_OF"):
            ends.reverse()
        relations.append({"spdxElementId": ends[0], "relationshipType": relation, "relatedSpdxElement": ends[1]})
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:sha256:{digest}:spdx",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: libpop3-sbom"]},
        "packages": packages,
        "files": files,
        "relationships": relations,
    }


def main(arguments: list[str]) -> None:
    output = Path(arguments[0] if arguments else ROOT / "build-dist")
    said = subprocess.run([ROOT / "tools/dist.sh", output], check=True, capture_output=True, text=True).stdout
    tarball = Path(said.strip())
    path = output / f"{tarball.name.removesuffix('.tar.gz')}.spdx.json"
    path.write_text(json.dumps(document(tarball), indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
